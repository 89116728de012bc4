"""The one reader of the hub in a web process: it keeps the scenes true and wakes pages and officers' sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from command_center.accounts.identity import Identity
from command_center.clock import Clock, now
from command_center.live.hub_state import HUB_PART, Changes, HubState
from command_center.live.messages import FeedView
from command_center.live.page import ASSETS, RECORDINGS, Key, Page
from command_center.live.presence import Presence
from command_center.live.scene import Scene
from command_center.live.views import CameraWord, feed_view
from command_center.live.wakeup import Wakeup
from command_center.operations.instructions import Instructions
from command_center.operations.positions import Positions
from command_center.operations.records import FeedRecord, OperationRecord, to_ms
from command_center.operations.service import Operations
from streams.hub.hub import Hub, HubAway
from streams.hub.topics import (
    LIVE_EVENT,
    AssetsChanged,
    CameraChanged,
    FeedsChanged,
    FeedState,
    InstructionChanged,
    LiveEvent,
    PositionTaken,
    ProcessChanged,
    RecordingChanged,
    Revoked,
    TalkChanged,
)
from streams.supervision import keep_running

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often the hub's keys are read: heartbeats, feeds' states, processes, who is online."""
RECHECK_AWAY_SECONDS = 2.0
"""How often scenes look at the database while the hub is away."""
RECHECK_SECONDS = 15.0
"""The same while it is heard: events may be lost, so nothing rests on them alone."""


class Board:
    """Scenes by operation, the pages that show them, and the sockets of officers."""

    def __init__(
        self,
        hub: Hub,
        operations: Operations,
        instructions: Instructions,
        positions: Positions,
        clock: Clock = now,
    ) -> None:
        self.presence = Presence()
        self.hub_state = HubState()
        self.unreadable_events = 0
        self._hub = hub
        self._operations = operations
        self._instructions = instructions
        self._positions = positions
        self._clock = clock
        self._scenes: dict[UUID, Scene] = {}
        self._pages: dict[UUID, set[Page]] = {}
        self._wakeups: set[Wakeup] = set()
        self._stale_feeds: set[UUID] = set()
        self._stale_instructions: dict[UUID, set[UUID]] = {}
        self._work = asyncio.Event()
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            for job in (self._listen, self._refresh, self._reload_stale, self._recheck):
                group.create_task(keep_running(job.__name__, job))

    @asynccontextmanager
    async def page(self, identity: Identity, operation: OperationRecord) -> AsyncIterator[tuple[Page, Scene]]:
        """A screen that shows an operation which this person may see; the caller has checked that."""
        scene = self._scenes.get(operation.id)
        if scene is None:
            scene = Scene(
                operation, self.hub_state, self._operations.feeds, self._instructions, self._positions, self._clock
            )
            self._scenes[operation.id] = scene
        page = Page(identity, operation.id)
        pages = self._pages.setdefault(operation.id, set())
        pages.add(page)
        try:
            await scene.load_once()
            yield page, scene
        finally:
            pages.discard(page)
            if not pages and self._pages.get(operation.id) is pages:
                del self._pages[operation.id]
                self._scenes.pop(operation.id, None)

    @asynccontextmanager
    async def officer(self, identity: Identity) -> AsyncIterator[Wakeup]:
        """An officer's socket, woken when something of its own moved."""
        wakeup = Wakeup(identity)
        self._wakeups.add(wakeup)
        with self.presence.open(identity.user_id):
            self._look.set()
            try:
                yield wakeup
            finally:
                self._wakeups.discard(wakeup)
                self._look.set()

    def feed_views(self, records: Iterable[FeedRecord]) -> list[FeedView]:
        """These feeds as tiles, with what the hub says of them now."""
        views = []
        for order, record in enumerate(records):
            word = self.hub_state.camera(record.name)
            if record.camera_changed_at is not None and (word is None or word.at < to_ms(record.camera_changed_at)):
                word = CameraWord(record.camera_state, to_ms(record.camera_changed_at))
            lost_at = self.hub_state.node_lost_at(record.name)
            views.append(feed_view(record, order, self.hub_state.feed(record.name), word, lost_at))
        return views

    async def _listen(self) -> None:
        async with aclosing(self._hub.listen(on_break=self._hub_broke)) as events:
            async for text in events:
                if text is None:
                    self.hub_state.hub_heard(self._now())
                    self._hub_came_back()
                    continue
                try:
                    event = LIVE_EVENT.validate_json(text)
                except ValidationError:
                    self.unreadable_events += 1
                    logger.warning("an event on the hub can't be read")
                    continue
                self._take(event)

    def _hub_broke(self) -> None:
        if self.hub_state.hub_away(self._now()):
            logger.warning("hub away; scenes look at the database every %s s", RECHECK_AWAY_SECONDS)
            for operation_id in self._scenes:
                self._mark(operation_id, {("part", HUB_PART)})
            self._look.set()

    def _hub_came_back(self) -> None:
        for operation_id in self._scenes:
            self._stale_feeds.add(operation_id)
            for page in self._pages.get(operation_id, ()):
                page.mark_all()
        for wakeup in self._wakeups:
            wakeup.wake()
        self._look.set()
        self._work.set()

    def _take(self, event: LiveEvent) -> None:
        match event:
            case FeedState() | CameraChanged():
                self.hub_state.heard(event)
                self._show_feeds({event.feed})
            case PositionTaken():
                self._show_everywhere(lambda scene: scene.show_position(event))
            case TalkChanged():
                self._show_everywhere(lambda scene: scene.show_talk(event))
            case FeedsChanged():
                self._stale_feeds.add(event.operation_id)
                self._work.set()
            case InstructionChanged():
                self._take_instruction(event)
            case AssetsChanged():
                self._mark_where(ASSETS, lambda scene: scene.case_id == event.case_id)
            case RecordingChanged():
                self._mark_where(RECORDINGS, lambda scene: scene.has_recording_of(event.feed))
            case ProcessChanged():
                self._look.set()
            case Revoked():
                self._end(event)

    def _take_instruction(self, event: InstructionChanged) -> None:
        self._stale_instructions.setdefault(event.operation_id, set()).add(event.instruction_id)
        self._work.set()
        for wakeup in self._wakeups:
            if wakeup.identity.user_id in event.officer_ids:
                wakeup.wake()

    def _mark_where(self, key: Key, holds: Callable[[Scene], bool]) -> None:
        for scene in self._scenes.values():
            if holds(scene):
                self._mark(scene.operation_id, {key})

    def _end(self, event: Revoked) -> None:
        if event.session_id is not None:
            for page in [page for pages in self._pages.values() for page in pages]:
                if page.identity.session_id == event.session_id:
                    page.end("session-over")
            for wakeup in self._wakeups:
                if wakeup.identity.session_id == event.session_id:
                    wakeup.end("session-over")
        elif event.user_id is not None:
            for wakeup in self._wakeups:
                if wakeup.identity.user_id == event.user_id:
                    wakeup.end("removed-from-operation")

    async def _refresh(self) -> None:
        while True:
            await self._within(self._look, REFRESH_SECONDS)
            if self.hub_state.is_hub_away:
                self._show(self.hub_state.officers_here(self.presence.officers))
                continue
            try:
                await self.presence.tell(self._hub)
                self._show(await self.hub_state.refresh(self._hub, self.presence.officers, self._now()))
            except HubAway:
                logger.debug("hub away, its keys are read later")

    def _show(self, changes: Changes) -> None:
        for operation_id, scene in self._scenes.items():
            self._mark(operation_id, {("part", name) for name in changes.parts})
            if changes.officers:
                self._mark(operation_id, scene.show_online(changes.officers))
        self._show_feeds(changes.feeds)  # after the node that carries them: a tile says how that one is

    def _show_feeds(self, names: set[str]) -> None:
        for name in names:
            for operation_id, scene in self._scenes.items():
                self._mark(operation_id, scene.show_feed(name))

    def _show_everywhere(self, show: Callable[[Scene], set[Key]]) -> None:
        for operation_id, scene in self._scenes.items():
            self._mark(operation_id, show(scene))

    async def _reload_stale(self) -> None:
        """Read again what events named; what comes while a reading runs is read together in the next."""
        while True:
            await self._work.wait()
            self._work.clear()
            feeds, self._stale_feeds = self._stale_feeds, set()
            instructions, self._stale_instructions = self._stale_instructions, {}
            for operation_id in feeds & self._scenes.keys():
                await self._reload(operation_id, Scene.load)
            for operation_id in instructions.keys() & self._scenes.keys():
                await self._reload(operation_id, partial(Scene.load_instructions, ids=instructions[operation_id]))

    async def _recheck(self) -> None:
        elapsed = 0.0
        while True:
            await asyncio.sleep(RECHECK_AWAY_SECONDS)
            elapsed += RECHECK_AWAY_SECONDS
            if self.hub_state.is_hub_away or elapsed >= RECHECK_SECONDS:
                elapsed = 0.0
                for operation_id in list(self._scenes):
                    await self._reload(operation_id, Scene.load)

    async def _reload(self, operation_id: UUID, read: Callable[[Scene], Awaitable[set[Key]]]) -> None:
        scene = self._scenes.get(operation_id)
        if scene is None:
            return
        try:
            self._mark(operation_id, await read(scene))
        except (SQLAlchemyError, OSError):
            logger.exception("operation %s could not be read, its screens show what they have", operation_id)

    def _mark(self, operation_id: UUID, keys: set[Key]) -> None:
        for page in self._pages.get(operation_id, ()):
            for key in keys:
                page.mark(key)

    def _now(self) -> int:
        return to_ms(self._clock())

    async def _within(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()
