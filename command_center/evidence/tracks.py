"""Where the devices of an operation were, by the clock on the wall, as thin as a map needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.database import Database
from command_center.operations.records import to_ms
from command_center.operations.scope import must, visible_operation
from command_center.operations.tables import Feed, PositionRecord, Site

MAX_POINTS = 4000
"""Of one device: more than an hour at 1 Hz; a longer track is thinned."""

Point = tuple[int, float, float, float, float | None]
"""At (Unix ms), latitude, longitude (WGS-84), accuracy in metres, heading in degrees."""


@dataclass(frozen=True, slots=True)
class FeedTrack:
    """The way of one device, oldest first."""

    feed: str
    officer: str
    officer_id: UUID
    site_ordinal: int
    points: tuple[Point, ...]


class Tracks:
    """The tracks of the operations in a person's courts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_operation(
        self,
        identity: Identity,
        operation_id: UUID,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[FeedTrack]:
        """The track of every device of the operation that told where it was, by site; each within the span.

        Raises:
            NotPermitted: the role doesn't review.
            NotFound: there is no such operation in this person's courts.
        """
        must(identity, Permission.REVIEW)
        async with self._database.read() as session:
            await visible_operation(session, identity, operation_id)
            feeds = await session.execute(
                select(Feed.id, Feed.name, User.display_name, User.id, Site.ordinal)
                .join(User, Feed.officer_id == User.id)
                .join(Site, Feed.site_id == Site.id)
                .where(Feed.operation_id == operation_id)
                .order_by(Site.ordinal, Feed.name)
            )
            tracks = [
                FeedTrack(name, officer, officer_id, ordinal, await _points(session, feed_id, since, until))
                for feed_id, name, officer, officer_id, ordinal in feeds.all()
            ]
        return [track for track in tracks if track.points]


async def _points(
    session: AsyncSession, feed_id: UUID, since: datetime | None, until: datetime | None
) -> tuple[Point, ...]:
    # The least of received minus taken is the device's clock error: what came late only makes it greater.
    received = _within(PositionRecord.received_at, since, until)
    offset = select(func.min(PositionRecord.clock_offset_ms)).where(PositionRecord.feed_id == feed_id, received)
    shift = timedelta(milliseconds=await session.scalar(offset) or 0)
    taken = _within(
        PositionRecord.taken_at, None if since is None else since - shift, None if until is None else until - shift
    )
    wanted = and_(PositionRecord.feed_id == feed_id, taken)
    count = await session.scalar(select(func.count()).select_from(PositionRecord).where(wanted)) or 0
    step = max(1, -(-count // MAX_POINTS))
    numbered = (
        select(
            PositionRecord.taken_at,
            PositionRecord.latitude,
            PositionRecord.longitude,
            PositionRecord.accuracy_m,
            PositionRecord.heading_deg,
            func.row_number().over(order_by=(PositionRecord.taken_at, PositionRecord.id)).label("number"),
        )
        .where(wanted)
        .subquery()
    )
    columns = numbered.c
    rows = await session.execute(
        select(columns.taken_at, columns.latitude, columns.longitude, columns.accuracy_m, columns.heading_deg)
        .where((columns.number - 1) % step == 0)
        .order_by(columns.number)
    )
    return tuple((to_ms(taken_at + shift), *place) for taken_at, *place in rows.all())


def _within(
    column: InstrumentedAttribute[datetime], since: datetime | None, until: datetime | None
) -> ColumnElement[bool]:
    conditions = [column >= since] if since is not None else []
    conditions += [column <= until] if until is not None else []
    return and_(true(), *conditions)
