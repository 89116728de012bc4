"""Keeps account of where each sealed segment and each manifest is: what is to be brought, and what was proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from command_center.clock import now
from command_center.database import Database
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.retention_rules import GONE_STATES
from command_center.evidence.store_tables import StoredManifest, StoredSegment, StoredState
from command_center.evidence.tables import Recording, RecordingSegment
from command_center.operations.tables import Feed

OPEN_STATES = [StoredState.LOCAL.value, StoredState.UPLOADING.value, StoredState.FAILED.value]
TROUBLES = 500
"""How many are told at a time."""
PROVEN_STATES = [StoredState.BOTH.value, StoredState.REMOTE.value]


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment that the index knows to be sealed, and its file as the manifest signs it."""

    recording_id: UUID
    number: int
    operation_id: UUID
    path: str
    bytes: int
    sha256: str
    sealed_at: datetime
    attempts: int
    error: str | None


@dataclass(frozen=True, slots=True)
class OutdatedManifest:
    """A manifest that was sealed or closed farther than the storage has it."""

    recording_id: UUID
    operation_id: UUID
    path: str
    lines: int
    """So many are known to be synced, and go there."""
    head: str
    """The hash of the last of them, as the node told it."""
    attempts: int
    error: str | None


async def new_segments(session: AsyncSession, since: datetime, limit: int) -> list[SealedSegment]:
    """Segments sealed since then of which nothing was written down yet, the oldest first."""
    query = (
        _sealed()
        .outerjoin(StoredSegment, _same_segment())
        .where(RecordingSegment.ended_at >= since, StoredSegment.number.is_(None))
        .order_by(RecordingSegment.ended_at)
        .limit(limit)
    )
    return [_read(row) for row in await session.execute(query)]


async def due_segments(session: AsyncSession, at: datetime, limit: int) -> list[SealedSegment]:
    """Segments that were tried, or begun, and whose time has come again, the oldest first."""
    query = (
        _sealed()
        .join(StoredSegment, _same_segment())
        .where(StoredSegment.state.in_(OPEN_STATES), _has_come(StoredSegment.next_try_at, at))
        .order_by(StoredSegment.sealed_at)
        .limit(limit)
    )
    return [_read(row) for row in await session.execute(query)]


def _sealed() -> Select[RecordingSegment, UUID, int | None, str | None]:
    """Not those that two people had deleted, perhaps before there was a storage."""
    gone = select(Deletion.recording_id).where(Deletion.state.in_([state.value for state in GONE_STATES]))
    return (
        select(RecordingSegment, Recording.operation_id, StoredSegment.attempts, StoredSegment.error)
        .join(Recording, Recording.id == RecordingSegment.recording_id)
        .where(RecordingSegment.sha256.is_not(None), RecordingSegment.recording_id.not_in(gone))
    )


def _read(row: Row[RecordingSegment, UUID, int | None, str | None]) -> SealedSegment:
    segment, operation_id, attempts, error = row
    return SealedSegment(
        recording_id=segment.recording_id,
        number=segment.number,
        operation_id=operation_id,
        path=segment.path,
        bytes=segment.bytes,
        sha256=segment.sha256 or "",
        sealed_at=segment.ended_at or segment.started_at,
        attempts=attempts or 0,
        error=error,
    )


async def outdated_manifests(session: AsyncSession, at: datetime, limit: int) -> list[OutdatedManifest]:
    """Manifests of which the storage lacks a seal or the end, and whose time has come."""
    known = func.coalesce(StoredManifest.lines, 0)
    sealed = (
        select(func.max(RecordingSegment.lines))
        .where(RecordingSegment.recording_id == Recording.id)
        .correlate(Recording)
        .scalar_subquery()
    )
    lacks_end = and_(Recording.ended_at.is_not(None), Recording.lines > known)
    lacks_seal = and_(Recording.ended_at.is_(None), Recording.lines > known, sealed > known)
    query = (
        select(Recording, StoredManifest.attempts, StoredManifest.error)
        .outerjoin(StoredManifest, StoredManifest.recording_id == Recording.id)
        .where(or_(lacks_end, lacks_seal), _has_come(StoredManifest.next_try_at, at))
        .order_by(Recording.started_at)
        .limit(limit)
    )
    return [
        OutdatedManifest(row.id, row.operation_id, row.manifest, row.lines, row.head, attempts or 0, error)
        for row, attempts, error in await session.execute(query)
    ]


async def stored_segment(session: AsyncSession, segment: SealedSegment) -> StoredSegment:
    """Its row, made where there is none."""
    row = await session.get(StoredSegment, (segment.recording_id, segment.number))
    if row is None:
        row = StoredSegment(
            recording_id=segment.recording_id,
            number=segment.number,
            state=StoredState.LOCAL.value,
            sealed_at=segment.sealed_at,
            attempts=0,
        )
        session.add(row)
    return row


async def stored_manifest(session: AsyncSession, recording_id: UUID) -> StoredManifest:
    """Its row, made where there is none."""
    row = await session.get(StoredManifest, recording_id)
    if row is None:
        row = StoredManifest(recording_id=recording_id, lines=0, bytes=0, attempts=0)
        session.add(row)
    return row


async def begin_again(session: AsyncSession) -> None:
    """What a crash left under way is due at once."""
    await session.execute(
        update(StoredSegment)
        .where(StoredSegment.state == StoredState.UPLOADING.value)
        .values(state=StoredState.LOCAL.value, next_try_at=None)
    )


async def releasable(
    session: AsyncSession, verified_before: datetime, limit: int
) -> list[tuple[StoredSegment, RecordingSegment]]:
    """Segments in both places, proven before that instant and with their seal in the storage; the oldest first."""
    query = (
        select(StoredSegment, RecordingSegment)
        .join(RecordingSegment, _same_segment())
        .join(StoredManifest, StoredManifest.recording_id == RecordingSegment.recording_id)
        .where(
            StoredSegment.state == StoredState.BOTH.value,
            StoredSegment.verified_at <= verified_before,
            StoredSegment.sha256 == RecordingSegment.sha256,
            StoredManifest.lines >= func.coalesce(RecordingSegment.lines, 1),
        )
        .order_by(StoredSegment.sealed_at)
        .limit(limit)
    )
    return [(stored, segment) for stored, segment in await session.execute(query)]


async def removed_segments(session: AsyncSession, limit: int) -> list[tuple[StoredSegment, str]]:
    """Segments that were deleted on purpose, and of which it isn't certain yet that none came back meanwhile."""
    query = (
        select(StoredSegment, RecordingSegment.path)
        .join(RecordingSegment, _same_segment())
        .where(StoredSegment.state == StoredState.REMOVED.value, StoredSegment.freed_at.is_(None))
        .limit(limit)
    )
    return [(stored, path) for stored, path in await session.execute(query)]


async def storage_troubles(session: AsyncSession) -> set[tuple[UUID, str, str]]:
    """What is wrong with the bytes of segments and manifests, here or there: operation, code, the feed's name.

    The centre's voice has no feed; its name is empty.
    """
    found: set[tuple[UUID, str, str]] = set()
    wrong_segment = StoredSegment.state == StoredState.FAILED.value
    wrong_manifest = and_(StoredManifest.error.is_not(None), StoredManifest.error.not_like("store-%"))
    for table, is_wrong in ((StoredSegment, wrong_segment), (StoredManifest, wrong_manifest)):
        query = (
            select(Recording.operation_id, table.error, Feed.name)
            .join(table, table.recording_id == Recording.id)
            .outerjoin(Feed, Feed.id == Recording.feed_id)
            .where(is_wrong)
            .distinct()
            .limit(TROUBLES)
        )
        found |= {(operation, error or "", feed or "") for operation, error, feed in await session.execute(query)}
    return found


class Whereabouts:
    """What the storage was proven to have, for those who read and delete."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """The sizes of those of these segments that the storage was proven to have."""
        query = select(RecordingSegment.path, RecordingSegment.bytes).join(StoredSegment, _same_segment())
        proven = StoredSegment.state.in_(PROVEN_STATES)
        async with self._database.read() as session:
            rows = await session.execute(query.where(RecordingSegment.path.in_(paths), proven))
            return {row.path: row.bytes for row in rows}

    async def removed(self, path: str) -> None:
        """It was deleted on purpose, and is brought nowhere any more."""
        numbers = select(RecordingSegment.recording_id, RecordingSegment.number).where(RecordingSegment.path == path)
        async with self._database.write() as session:
            found = (await session.execute(numbers)).one_or_none()
            if found is None:
                return
            recording_id, number = found
            row = await session.get(StoredSegment, (recording_id, number))
            if row is None:
                row = StoredSegment(recording_id=recording_id, number=number, attempts=0, sealed_at=now())
                session.add(row)
            row.state, row.next_try_at, row.error = StoredState.REMOVED.value, None, None


def _same_segment() -> ColumnElement[bool]:
    return and_(
        StoredSegment.recording_id == RecordingSegment.recording_id,
        StoredSegment.number == RecordingSegment.number,
    )


def _has_come(column: InstrumentedAttribute[datetime | None], at: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column <= at)


def pause(attempts: int, longest: timedelta) -> timedelta:
    """How long to wait after so many attempts in vain."""
    return min(timedelta(seconds=2 ** min(attempts, 16)), longest)
