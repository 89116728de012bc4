"""A durable stream of the hub, dealt with in batches: each entry at least once, none for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from streams.hub.hub import Hub, HubAway
from streams.supervision import leave_if_cancelled

logger = logging.getLogger(__name__)

GROUP = "records"
BATCH = 500
UNFIT = (SQLAlchemyError, ValueError, OverflowError, LookupError, TypeError, AttributeError)
"""What an entry that can't be dealt with raises; anything else is the world's fault, and the entry comes again."""
RECLAIM_SECONDS = 15.0
"""How often it is looked for what a dead worker left behind."""
IDLE_SECONDS = 60.0
"""What a worker has taken and not dealt with for so long is another's."""
RETRY_SECONDS = 0.5

Event = TypeVar("Event")


class StreamJob(Generic[Event]):
    """Reads one stream as one consumer of the group; `handle` must take an event that it had before."""

    def __init__(
        self,
        hub: Hub,
        stream: str,
        consumer: str,
        parse: Callable[[str], Event],
        handle: Callable[[Sequence[Event]], Awaitable[object]],
        *,
        idle_seconds: float = IDLE_SECONDS,
        gather_seconds: float = 0.0,
    ) -> None:
        """`gather_seconds`: after a batch that wasn't full, `run` lets so much time pass for the next to gather."""
        self._hub = hub
        self._stream = stream
        self._consumer = consumer
        self._parse = parse
        self._handle = handle
        self._idle_seconds = idle_seconds
        self._gather_seconds = gather_seconds
        self._reclaim_at = 0.0
        self.handled_total = 0
        self.refused_total = 0
        """Entries set aside because they can't be dealt with."""

    async def run(self) -> None:
        """Deal with what comes for as long as nobody cancels it. A record that can't be written now raises."""
        while True:
            leave_if_cancelled()
            try:
                if 0 < await self.step() < BATCH:
                    await asyncio.sleep(self._gather_seconds)
            except HubAway:
                await asyncio.sleep(RETRY_SECONDS)

    async def step(self) -> int:
        """Deal with one batch, or wait a second for one; returns how many entries it had.

        Raises:
            HubAway, SQLAlchemyError: the batch comes again.
        """
        await self._reclaim()
        entries = await self._hub.read_group(self._stream, GROUP, self._consumer, count=BATCH)
        readable = []
        for entry_id, text in entries:
            try:
                readable.append((entry_id, text, self._parse(text)))
            except ValidationError:
                await self._set_aside(entry_id, text, "not valid")
        if readable:
            await self._deal_with(readable)
        return len(entries)

    async def _deal_with(self, entries: list[tuple[str, str, Event]]) -> None:
        try:
            await self._handle([event for _, _, event in entries])
        except (OperationalError, InterfaceError):
            raise  # the database is away: nothing is wrong with the entries
        except UNFIT:
            logger.exception("%s: a batch of %d can't be kept, trying one by one", self._stream, len(entries))
            await self._one_by_one(entries)
            return
        self.handled_total += len(entries)
        await self._hub.acknowledge(self._stream, GROUP, [entry_id for entry_id, _, _ in entries])

    async def _one_by_one(self, entries: list[tuple[str, str, Event]]) -> None:
        for entry_id, text, event in entries:
            try:
                await self._handle([event])
            except (OperationalError, InterfaceError):
                raise
            except UNFIT as error:
                await self._set_aside(entry_id, text, type(error).__name__)
                continue
            self.handled_total += 1
            await self._hub.acknowledge(self._stream, GROUP, [entry_id])

    async def _set_aside(self, entry_id: str, text: str, reason: str) -> None:
        logger.error("%s: entry %s set aside: %s", self._stream, entry_id, reason)
        self.refused_total += 1
        await self._hub.set_aside(self._stream, GROUP, entry_id, text, reason)

    async def _reclaim(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._reclaim_at:
            return
        taken = await self._hub.reclaim(
            self._stream, GROUP, self._consumer, idle_seconds=self._idle_seconds, count=BATCH
        )
        self._reclaim_at = now + RECLAIM_SECONDS
        if taken:
            logger.warning("%s: %d entries of a worker that is gone taken over", self._stream, taken)
