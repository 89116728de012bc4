"""What the screens of one operation show, held once for all of them and kept true by events and by looking again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel

from command_center.clock import Clock
from command_center.live.hub_state import HubState
from command_center.live.messages import (
    AssetsView,
    FeedView,
    InstructionView,
    PartView,
    PositionView,
    RecordingsView,
    Snapshot,
    TrackView,
)
from command_center.live.page import SNAPSHOT, TRACK, Key
from command_center.live.talks import SceneTalks
from command_center.live.trail import Place, Trail
from command_center.live.views import (
    CameraWord,
    feed_view,
    instruction_view,
    position_of_event,
    position_of_record,
)
from command_center.operations.feeds import Feeds
from command_center.operations.instructions import PAGE, Instructions
from command_center.operations.positions import TRAIL_MINUTES, Positions
from command_center.operations.records import FeedRecord, InstructionRecord, OperationRecord, to_ms
from streams.hub.topics import PositionTaken, TalkChanged
from streams.voice_protocol import operation_of_talk


class Scene:
    """One operation. Its methods return the keys of what changed; `text` gives each as the JSON that pages get."""

    def __init__(
        self,
        operation: OperationRecord,
        hub_state: HubState,
        feeds: Feeds,
        instructions: Instructions,
        positions: Positions,
        clock: Clock,
    ) -> None:
        self.operation_id = operation.id
        self.case_id = operation.case_id
        self._is_loaded = False
        self._hub_state = hub_state
        self._source = (feeds, instructions, positions)
        self._clock = clock
        self._loading = asyncio.Lock()
        self._records: dict[str, FeedRecord] = {}
        self._feeds: dict[str, FeedView] = {}
        self._positions: dict[str, PositionView] = {}
        self._trails: dict[str, Trail] = {}
        self._instruction_records: dict[UUID, InstructionRecord] = {}
        self._instructions: dict[UUID, InstructionView] = {}
        self._talks = SceneTalks(clock)
        self._texts: dict[Key, str] = {}

    @property
    def feed_names(self) -> Iterable[str]:
        """The feeds of this operation."""
        return self._records.keys()

    async def load(self) -> set[Key]:
        """Read everything from the database."""
        async with self._loading:
            changed = await self._load_feeds()
            await self._load_trails()
            _, instructions, _ = self._source
            changed |= self._take_instructions(await instructions.of_operation(self.operation_id))
            return changed

    async def load_once(self) -> None:
        """Read everything, where nobody has yet."""
        async with self._loading:
            if self._is_loaded:
                return
        await self.load()
        self._is_loaded = True

    async def load_instructions(self, ids: Iterable[UUID] | None = None) -> set[Key]:
        """Read these instructions again, or the latest."""
        _, instructions, _ = self._source
        async with self._loading:
            if ids is None:
                return self._take_instructions(await instructions.of_operation(self.operation_id))
            return self._take_instructions(await instructions.by_ids(list(ids)))

    def show_feed(self, name: str) -> set[Key]:
        """The hub's word on a feed changed."""
        record = self._records.get(name)
        if record is None:
            return set()
        order = list(self._records).index(name)
        word = _later(self._hub_state.camera(name), _word_of(record))
        view = feed_view(record, order, self._hub_state.feed(name), word, self._hub_state.node_lost_at(name))
        if self._feeds.get(name) == view:
            return set()
        self._feeds[name] = view
        return self._keep(("feed", name), view)

    def show_position(self, event: PositionTaken) -> set[Key]:
        """A device moved. A position that was kept on the phone and comes late goes into the trail only."""
        if event.feed not in self._records:
            return set()
        position = event.position
        trail = self._trails.setdefault(event.feed, Trail())
        place = Place(position.taken_at, position.latitude, position.longitude, event.received_at)
        if not trail.take(place):
            return set()
        known = self._positions.get(event.feed)
        if known is not None and known.taken_at > position.taken_at:
            return {(TRACK, event.feed)}
        view = position_of_event(event, trail.at(position.taken_at, event.received_at))
        self._positions[event.feed] = view
        return self._keep(("position", event.feed), view)

    def show_talk(self, event: TalkChanged) -> set[Key]:
        """A node told that somebody speaks, or has ended."""
        if event.operation_id != self.operation_id:
            return set()
        view, forgotten = self._talks.take(event)
        for talk in forgotten:
            self._texts.pop(("talk", str(talk)), None)
        return self._keep(("talk", str(event.talk)), view)

    def has_recording_of(self, feed: str) -> bool:
        """Whether what is recorded of this feed belongs to this operation."""
        return feed in self._records or operation_of_talk(feed) == self.operation_id

    def show_online(self, officers: set[UUID]) -> set[Key]:
        """These officers' sockets opened or closed."""
        changed: set[Key] = set()
        for record in self._instruction_records.values():
            if any(one.officer_id in officers for one in record.deliveries):
                changed |= self._show_instruction(record)
        return changed

    def text(self, key: Key) -> str | None:
        """The newest form of one thing, as JSON; None where it is gone."""
        if key == SNAPSHOT:
            return self._snapshot().model_dump_json()
        kind, name = key
        if kind == "assets":
            return AssetsView(case_id=self.case_id).model_dump_json() if self.case_id else None
        if kind == "recordings":
            return RecordingsView().model_dump_json()
        if kind == "part":
            part = self._hub_state.parts.get(name)
            # A page that knows it from before lets it go.
            return (part or PartView(name=name, state="gone", since=to_ms(self._clock()))).model_dump_json()
        if kind == TRACK:
            return self._track(name, to_ms(self._clock())).model_dump_json()
        return self._texts.get(key)

    def _snapshot(self) -> Snapshot:
        now = to_ms(self._clock())
        return Snapshot(
            server_time=now,
            operation_id=self.operation_id,
            feeds=[self._feeds[name] for name in self._records if name in self._feeds],
            positions=list(self._positions.values()),
            tracks=[self._track(name, now) for name in self._trails],
            instructions=sorted(self._instructions.values(), key=lambda one: -one.number),
            parts=list(self._hub_state.parts.values()),
        )

    def _track(self, name: str, now: int) -> TrackView:
        return TrackView(feed=name, points=self._trails[name].points(now - TRAIL_MINUTES * 60_000))

    async def _load_feeds(self) -> set[Key]:
        feeds, _, _ = self._source
        records = await feeds.of_operation(self.operation_id)
        self._records = {record.name: record for record in records}
        changed: set[Key] = set()
        for name in self._records:
            changed |= self.show_feed(name)
        return changed

    async def _load_trails(self) -> None:
        _, _, positions = self._source
        names = {record.id: name for name, record in self._records.items()}
        for feed_id, rows in (await positions.trails(names)).items():
            name = names[feed_id]
            # What the hub told but the worker hasn't written yet is there already, and stays.
            trail = self._trails.setdefault(name, Trail())
            for row in rows:
                trail.take(Place(to_ms(row.taken_at), row.latitude, row.longitude, to_ms(row.received_at)))
            known = self._positions.get(name)
            last = rows[-1]
            newest = position_of_record(name, last, trail.at(to_ms(last.taken_at), to_ms(last.received_at)))
            if known is None or known.taken_at < newest.taken_at:
                self._positions[name] = newest
                self._keep(("position", name), newest)

    def _take_instructions(self, records: list[InstructionRecord]) -> set[Key]:
        changed: set[Key] = set()
        for record in records:
            if record.operation_id == self.operation_id:
                self._instruction_records[record.id] = record
                changed |= self._show_instruction(record)
        self._forget_old_instructions()
        return changed

    def _show_instruction(self, record: InstructionRecord) -> set[Key]:
        view = instruction_view(record, self._hub_state.online)
        if self._instructions.get(record.id) == view:
            return set()
        self._instructions[record.id] = view
        return self._keep(("instruction", str(record.id)), view)

    def _forget_old_instructions(self) -> None:
        surplus = len(self._instructions) - PAGE
        if surplus > 0:
            for old in sorted(self._instructions.values(), key=lambda one: one.number)[:surplus]:
                del self._instructions[old.instruction_id]
                del self._instruction_records[old.instruction_id]
                self._texts.pop(("instruction", str(old.instruction_id)), None)

    def _keep(self, key: Key, view: BaseModel) -> set[Key]:
        self._texts[key] = view.model_dump_json()
        return {key}


def _word_of(record: FeedRecord) -> CameraWord | None:
    if record.camera_changed_at is None:
        return None
    return CameraWord(record.camera_state, to_ms(record.camera_changed_at))


def _later(one: CameraWord | None, other: CameraWord | None) -> CameraWord | None:
    if one is None or other is None:
        return one or other
    return one if one.at >= other.at else other
