"""Alarms that an operation's journal must hold: footage that isn't kept or isn't what it was, little space, a clock
that isn't set."""

from __future__ import annotations

import ctypes
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.database import Database
from command_center.journal import Journal, JournalEntry, JournalKind
from command_center.operations.tables import Feed, Operation
from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, NODE_KEY, PROCESS_KEY, FeedState

logger = logging.getLogger(__name__)

RECALL_SECONDS = 60.0
"""How often it is read anew which alarms stand: another worker may have noted some meanwhile."""
KNOWN_ALARMS = 2000
KNOWN_FEEDS = 10_000
RECORDER_TROUBLES = {"disk_full", "disk_slow", "disk_failed"}
DISK_LOW, CLOCK = "disk_low", "clock"
SPACE_KEY = PROCESS_KEY.format(name="space")
"""Where the watch of the recordings' disk tells its state."""
ENOUGH_SPACE = "running"
_TIME_ERROR = 5
"""What adjtimex(2) gives where the clock isn't synchronised."""
_TIMEX_BYTES = 512
"""More than a `struct timex` has; all zero, it changes nothing."""

Subject = tuple[UUID, str, str]
"""Operation, what, and the feed's name or nothing."""
Stored = Callable[[AsyncSession], Awaitable[set[Subject]]]
"""Tells what is wrong with footage that is stored."""


def is_clock_synchronised() -> bool:
    """Whether the kernel's clock is kept right by somebody; true where it can't be asked."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
        return state != _TIME_ERROR
    except (OSError, AttributeError):
        return True


class Alarms:
    """Notes each alarm when it is raised and when it is over. One process at a time does it."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        journal: Journal,
        is_clock_right: Callable[[], bool] | None = None,
        stored: Stored | None = None,
    ) -> None:
        self._database = database
        self._hub = hub
        self._journal = journal
        self._is_clock_right = is_clock_right or is_clock_synchronised
        self._stored = stored
        self._raised: set[Subject] = set()
        self._operations: dict[str, UUID] = {}
        self._recall_at = 0.0

    async def look(self) -> int:
        """Look once; returns how many alarms were raised or are over.

        Raises:
            HubAway, SQLAlchemyError, OSError: nothing was noted.
        """
        told, at = await self._told(), time.monotonic()
        here = await self._here()
        async with self._database.read() as session:
            live = frozenset(await session.scalars(select(Operation.id).where(Operation.state == "live")))
            stored = await self._stored(session) if self._stored is not None else set()
            # Of stored footage something may be wrong long after the operation has ended.
            watched = live | {operation for operation, *_ in stored | self._raised}
            await self._find_operations(session, told or {})
            if at >= self._recall_at:
                self._raised = await _raised(session, watched)
                self._recall_at = at + RECALL_SECONDS
        if self._present(told, here, live) | stored == self._raised:
            return 0
        async with self._database.write() as session:
            # Another worker may have noted something meanwhile.
            self._raised = await _raised(session, watched)
            changed = self._raised ^ (self._present(told, here, live) | stored)
            for subject in sorted(changed):
                await self._note(session, subject, is_over=subject in self._raised)
        self._raised ^= changed
        return len(changed)

    async def _note(self, session: AsyncSession, subject: Subject, *, is_over: bool) -> None:
        operation_id, what, feed = subject
        logger.warning("operation %s: alarm %s %s %s", operation_id, what, feed, "is over" if is_over else "is raised")
        body = {"what": what, "feed": feed or None, "state": "cleared" if is_over else "raised"}
        await self._journal.note(session, operation_id, JournalKind.ALARM, body)

    async def _told(self) -> dict[str, str | None] | None:
        """The trouble of each feed that a node tells of; None where no node is there to tell anything."""
        nodes = [key.rpartition(":")[2] for key in await self._hub.values(NODE_KEY.format(node="*"))]
        told: dict[str, str | None] = {}
        for node in nodes:
            for feed, text in (await self._hub.fields(FEEDS_KEY.format(node=node))).items():
                try:
                    told[feed] = FeedState.model_validate_json(text).recording_trouble or told.get(feed)
                except ValidationError:
                    logger.warning("feed %s has no readable state", feed)
        return told if nodes else None

    async def _here(self) -> set[str]:
        """The troubles of this machine."""
        found = set() if self._is_clock_right() else {CLOCK}
        text = await self._hub.value(SPACE_KEY)
        if text is not None and json.loads(text).get("state") != ENOUGH_SPACE:
            found.add(DISK_LOW)
        return found

    def _present(
        self, told: Mapping[str, str | None] | None, here: Collection[str], live: Collection[UUID]
    ) -> set[Subject]:
        present = {(operation, what, "") for operation in live for what in here}
        if told is None:  # until a node is back nobody knows better
            return present | {subject for subject in self._raised if subject[1] in RECORDER_TROUBLES}
        for feed, trouble in told.items():
            operation = self._operations.get(feed)
            if trouble is not None and operation in live and operation is not None:
                present.add((operation, trouble, feed))
        return present

    async def _find_operations(self, session: AsyncSession, feeds: Collection[str]) -> None:
        if missing := set(feeds) - self._operations.keys():
            if len(self._operations) > KNOWN_FEEDS:
                self._operations.clear()
            found = await session.execute(select(Feed.name, Feed.operation_id).where(Feed.name.in_(missing)))
            self._operations.update(found.all())


async def _raised(session: AsyncSession, live: Collection[UUID]) -> set[Subject]:
    """The alarms of these operations that are raised and not over, as their journals tell."""
    alarms = (
        select(JournalEntry.operation_id, JournalEntry.body)
        .where(JournalEntry.operation_id.in_(live), JournalEntry.kind == JournalKind.ALARM.value)
        .order_by(JournalEntry.id.desc())
        .limit(KNOWN_ALARMS)
    )
    last: dict[Subject, str] = {}
    for operation_id, text in await session.execute(alarms):
        body = json.loads(text)
        last.setdefault((operation_id, body["what"], body["feed"] or ""), body["state"])
    return {subject for subject, state in last.items() if state == "raised"}
