"""Positions: written in batches, each once whatever road it took, and read back as tracks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.database import Database
from command_center.errors import NotFound
from command_center.journal import Journal, JournalKind
from command_center.operations.records import from_ms
from command_center.operations.scope import visible_operations
from command_center.operations.tables import Feed, Operation, PositionRecord
from streams.hub.topics import PositionTaken

logger = logging.getLogger(__name__)

PAGE = 1000
TRAIL_POINTS = 600
"""The most points of one trail: ten minutes at 1 Hz."""
TRAIL_MINUTES = 10
KNOWN_FEEDS = 10_000
"""How many feed names are remembered before the memory is emptied."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of a batch: kept now, there before, or of a feed that nobody registered and so dropped."""

    kept: int
    repeated: int
    unknown: int


@dataclass(frozen=True, slots=True)
class _FeedIds:
    feed: UUID
    operation: UUID


class Positions:
    """Where the officers are and were."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._feed_ids: dict[str, _FeedIds] = {}
        self.unknown_total = 0
        """Positions dropped because no feed of that name is registered."""

    async def insert(self, batch: Sequence[PositionTaken]) -> Inserted:
        """Write a batch; what was written before, by any road, changes nothing."""
        ids = await self._ids({taken.feed for taken in batch})
        rows = {taken.position.id: _row(taken, ids[taken.feed].feed) for taken in batch if taken.feed in ids}
        unknown = sum(taken.feed not in ids for taken in batch)
        if unknown:
            self.unknown_total += unknown
            logger.warning("%d positions of unknown feeds dropped", unknown)
        kept = 0
        values = list(rows.values())
        if values:
            async with self._database.write() as session:
                written = await self._insert_rows(session, values)
                kept = len(written)
                new = [taken for taken in batch if taken.position.id in written]
                await self._note(session, new, ids)
        return Inserted(kept, len(batch) - unknown - kept, unknown)

    async def trails(self, feed_ids: Iterable[UUID]) -> dict[UUID, list[PositionRecord]]:
        """The last positions of these feeds, each oldest first; there, however old they are.

        The caller has checked that the reader may see these feeds.
        """
        trails: dict[UUID, list[PositionRecord]] = {}
        async with self._database.read() as session:
            for feed_id in feed_ids:
                newest_first = list(
                    await session.scalars(
                        select(PositionRecord)
                        .where(PositionRecord.feed_id == feed_id)
                        .order_by(PositionRecord.taken_at.desc(), PositionRecord.id.desc())
                        .limit(TRAIL_POINTS)
                    )
                )
                if newest_first:
                    trails[feed_id] = newest_first[::-1]
        return trails

    async def history(
        self,
        identity: Identity,
        feed: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> list[PositionRecord]:
        """A feed's positions by the device's time, oldest first; those behind `after`, for paging.

        Raises:
            NotFound: there is no such feed in this person's scope.
        """
        async with self._database.read() as session:
            wanted = select(Feed.id).join(Operation).where(Feed.name == feed, visible_operations(identity))
            if not identity.may(Permission.SEE_OPERATIONS):
                wanted = wanted.where(Feed.officer_id == identity.user_id)
            feed_id = await session.scalar(wanted)
            if feed_id is None:
                raise NotFound("feed-not-found")
            query = select(PositionRecord).where(PositionRecord.feed_id == feed_id)
            if since is not None:
                query = query.where(PositionRecord.taken_at >= since)
            if until is not None:
                query = query.where(PositionRecord.taken_at < until)
            if after is not None:
                taken_at, last_id = after
                query = query.where(
                    or_(
                        PositionRecord.taken_at > taken_at,
                        and_(PositionRecord.taken_at == taken_at, PositionRecord.id > last_id),
                    )
                )
            query = query.order_by(PositionRecord.taken_at, PositionRecord.id).limit(min(limit, PAGE))
            return list(await session.scalars(query))

    async def _insert_rows(self, session: AsyncSession, values: list[dict[str, Any]]) -> set[UUID]:
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        written = await session.scalars(
            insert(PositionRecord)
            .on_conflict_do_nothing(index_elements=[PositionRecord.id])
            .returning(PositionRecord.id),
            values,
        )
        return set(written)

    async def _note(self, session: AsyncSession, batch: Sequence[PositionTaken], ids: Mapping[str, _FeedIds]) -> None:
        """Have the journal of each operation hold what was kept of it now, each position once."""
        points: dict[UUID, dict[UUID, dict[str, Any]]] = {}
        for taken in batch:
            points.setdefault(ids[taken.feed].operation, {})[taken.position.id] = _noted(taken)
        for operation_id in sorted(points):
            body = {"points": list(points[operation_id].values())}
            await self._journal.note(session, operation_id, JournalKind.POSITIONS, body)

    async def _ids(self, names: set[str]) -> dict[str, _FeedIds]:
        missing = names - self._feed_ids.keys()
        if missing:
            if len(self._feed_ids) + len(missing) > KNOWN_FEEDS:
                self._feed_ids.clear()
                missing = names
            async with self._database.read() as session:
                found = await session.execute(
                    select(Feed.name, Feed.id, Feed.operation_id).where(Feed.name.in_(missing))
                )
                self._feed_ids.update({name: _FeedIds(feed, operation) for name, feed, operation in found})
        return {name: self._feed_ids[name] for name in names if name in self._feed_ids}


def _noted(taken: PositionTaken) -> dict[str, Any]:
    """What the operation's journal holds of a position. `taken_at` is by the device's clock."""
    position = taken.position
    return {
        "id": str(position.id),
        "feed": taken.feed,
        "latitude": position.latitude,
        "longitude": position.longitude,
        "accuracy_m": position.accuracy_m,
        "heading_deg": position.heading_deg,
        "speed_mps": position.speed_mps,
        "taken_at": position.taken_at,
        "received_at": taken.received_at,
        "clock_offset_ms": taken.clock_offset_ms,
        "road": taken.road,
    }


def _row(taken: PositionTaken, feed_id: UUID) -> dict[str, Any]:
    position = taken.position
    return {
        "id": position.id,
        "feed_id": feed_id,
        "latitude": position.latitude,
        "longitude": position.longitude,
        "accuracy_m": position.accuracy_m,
        "heading_deg": position.heading_deg,
        "speed_mps": position.speed_mps,
        "taken_at": from_ms(position.taken_at),
        "received_at": from_ms(taken.received_at),
        "clock_offset_ms": taken.clock_offset_ms,
        "road": taken.road,
    }
