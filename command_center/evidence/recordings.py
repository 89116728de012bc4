"""Recordings, for those who review: what there is, the media itself, and where the officer was meanwhile."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted, Unavailable
from command_center.evidence.records import (
    Index,
    IndexedFragment,
    Media,
    RecordingRecord,
    RecordingState,
    Track,
    TrackPoint,
)
from command_center.evidence.tables import Recording
from command_center.evidence.viewings import Viewings
from command_center.operations.tables import Feed, Operation, PositionRecord, Site
from streams.recording.manifest import SUFFIX, Manifest, read_manifest

logger = logging.getLogger(__name__)

PAGE = 200
TRACK_POINTS = 20_000
"""Over five hours at 1 Hz; a longer track is thinned."""
SILENT_SECONDS = 20
"""A recording that hasn't ended and hasn't grown for so long was cut off: its node is gone."""
MIME = {"mp4": "video/mp4", "webm": "video/webm"}

Row = tuple[Recording, Feed | None, Operation, Site | None, User | None]


class Recordings:
    """The recordings of the operations in a person's courts."""

    def __init__(self, database: Database, audit: Audit, root: Path, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._root = root.resolve()
        self._clock = clock
        self._viewings = Viewings()
        self._auditing = asyncio.Lock()

    async def listed(
        self,
        identity: Identity,
        operation_id: UUID,
        *,
        after: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> list[RecordingRecord]:
        """The recordings of an operation, the newest first; those behind `after`, for paging.

        Of a talk that several nodes recorded the longest is among them, and the others only where its file is missing.

        Raises:
            NotPermitted: the role doesn't review.
            NotFound: there is no such operation in this person's courts.
        """
        _must_review(identity)
        async with self._database.read() as session:
            known = select(Operation.id).where(Operation.id == operation_id, Operation.court_id.in_(identity.court_ids))
            if await session.scalar(known) is None:
                raise NotFound("operation-not-found")
            query = _rows().where(Recording.operation_id == operation_id, Recording.covered_by.is_(None))
            if after is not None:
                started_at, last_id = after
                query = query.where(
                    or_(
                        Recording.started_at < started_at,
                        and_(Recording.started_at == started_at, Recording.id < last_id),
                    )
                )
            query = query.order_by(Recording.started_at.desc(), Recording.id.desc()).limit(min(limit, PAGE))
            rows: list[Row] = list(await session.execute(query))
        copies = await self._copies([row[0] for row in rows if row[0].talk_id is not None])
        if copies:
            rows = sorted([*rows, *copies], key=lambda row: (row[0].started_at, row[0].id), reverse=True)
        return await asyncio.to_thread(lambda: [self._record(row) for row in rows])

    async def _copies(self, talks: Sequence[Recording]) -> list[Row]:
        """What other nodes recorded of those of these talks whose own file is missing."""
        missing = await asyncio.to_thread(lambda: [one.id for one in talks if not self._is_there(one)])
        if not missing:
            return []
        async with self._database.read() as session:
            rows: list[Row] = list(await session.execute(_rows().where(Recording.covered_by.in_(missing))))
        return await asyncio.to_thread(lambda: [row for row in rows if self._is_there(row[0])])

    async def recording(self, identity: Identity, recording_id: UUID) -> RecordingRecord:
        """One recording.

        Raises:
            NotFound: there is none in this person's courts.
        """
        async with self._database.read() as session:
            row = await _row(session, identity, recording_id)
        return await asyncio.to_thread(self._record, row)

    async def index(self, identity: Identity, recording_id: UUID, *, after: int = 0) -> Index:
        """Where its fragments lie and when they were; only those from number `after` on. It belongs to a viewing.

        Raises:
            NotFound: there is none in this person's courts.
            Unavailable: the store doesn't have it.
        """
        recording = await self._viewed(identity, recording_id)
        manifest = await self._manifest(recording)
        return Index(
            mime=manifest.opened.mime,
            header_bytes=manifest.opened.header_bytes,
            is_complete=recording.ended_at is not None,
            seconds=max(manifest.seconds, recording.seconds),
            fragments=tuple(
                IndexedFragment(line.offset, line.length, line.start, line.seconds, line.at, line.is_key)
                for line in manifest.fragments[after:]
            ),
            gaps=tuple(manifest.gaps),
        )

    async def media(self, identity: Identity, recording_id: UUID, *, is_start: bool) -> Media:
        """The file itself, as far as it is whole now; the viewing is audited.

        `is_start`: the request is for the file's beginning, and so a new viewing, however soon after another.

        Raises:
            NotFound: there is none in this person's courts.
            Unavailable: the store doesn't have it.
        """
        return await self._media(await self._viewed(identity, recording_id, is_start=is_start))

    async def track(self, identity: Identity, recording_id: UUID) -> Track:
        """Where the officer's device was during the recording, oldest first. It belongs to a viewing.

        Raises:
            NotFound: there is none in this person's courts.
        """
        recording = await self._viewed(identity, recording_id)
        async with self._database.read() as session:
            since = recording.started_at
            until = recording.ended_at or self._clock()
            positions = PositionRecord.feed_id == recording.feed_id
            # The least of received minus taken is the device's clock error: what came late only makes it greater.
            offset = await session.scalar(
                select(func.min(PositionRecord.clock_offset_ms)).where(
                    positions, PositionRecord.received_at >= since, PositionRecord.received_at <= until
                )
            )
            shift = timedelta(milliseconds=offset or 0)
            taken = and_(positions, PositionRecord.taken_at >= since - shift, PositionRecord.taken_at <= until - shift)
            count = await session.scalar(select(func.count()).select_from(PositionRecord).where(taken)) or 0
            query = select(PositionRecord).where(taken).order_by(PositionRecord.taken_at, PositionRecord.id)
            rows = list(await session.scalars(query.limit(TRACK_POINTS * 10)))
        step = max(1, -(-count // TRACK_POINTS))
        return Track(
            started_at=since,
            points=tuple(
                TrackPoint(
                    at=row.taken_at + shift,
                    seconds=(row.taken_at + shift - since).total_seconds(),
                    latitude=row.latitude,
                    longitude=row.longitude,
                    accuracy_m=row.accuracy_m,
                    heading_deg=row.heading_deg,
                )
                for row in rows[::step]
            ),
        )

    async def _viewed(self, identity: Identity, recording_id: UUID, *, is_start: bool = False) -> Recording:
        """The recording; its viewing is in the audit, once, before anything of it is seen."""
        viewing = (identity.session_id, recording_id)
        async with self._auditing:
            if not self._viewings.join(viewing, is_start=is_start):
                async with self._database.write() as session:
                    recording, _, operation, *_ = await _row(session, identity, recording_id)
                    await self._audit.record(
                        session,
                        actor=identity.user_id,
                        court_id=operation.court_id,
                        action="recording.viewed",
                        subject_type="recording",
                        subject_id=str(recording_id),
                    )
                self._viewings.begin(viewing, is_start=is_start)
                return recording
        async with self._database.read() as session:
            recording, *_ = await _row(session, identity, recording_id)
        return recording

    def _record(self, row: Row) -> RecordingRecord:
        recording, feed, _, site, officer = row
        return RecordingRecord(
            id=recording.id,
            kind="voice" if feed is None else "camera",
            feed="" if feed is None else feed.name,
            operation_id=recording.operation_id,
            site_id=recording.site_id,
            site_ordinal=0 if site is None else site.ordinal,
            site_zh="" if site is None else site.name_zh,
            site_en="" if site is None else site.name_en,
            officer_id=None if officer is None else officer.id,
            officer="" if officer is None else officer.display_name,
            container=recording.container,
            video=recording.video,
            audio=recording.audio,
            started_at=recording.started_at,
            ended_at=recording.ended_at,
            seconds=recording.seconds,
            bytes=recording.bytes,
            sha256=recording.sha256,
            state=self._state(recording),
        )

    def _state(self, recording: Recording) -> RecordingState:
        if recording.ended_at is not None:
            return RecordingState(recording.end_reason or RecordingState.ENDED)
        try:
            touched = self._path(recording).stat().st_mtime
        except OSError:
            return RecordingState.MISSING
        return RecordingState.CUT_OFF if time.time() - touched > SILENT_SECONDS else RecordingState.RECORDING

    async def _manifest(self, recording: Recording) -> Manifest:
        path = self._path(recording).with_suffix(SUFFIX)
        try:
            manifest = await asyncio.to_thread(read_manifest, path)
        except OSError as error:
            raise Unavailable("recording-missing") from error
        if manifest is None:
            raise Unavailable("recording-missing")
        return manifest

    async def _media(self, recording: Recording) -> Media:
        path = self._path(recording)
        is_complete = recording.ended_at is not None
        try:
            size = (await asyncio.to_thread(path.stat)).st_size
        except OSError as error:
            raise Unavailable("recording-missing") from error
        # Bytes after the last whole fragment, which a crash may leave, are no part of the recording.
        whole = recording.bytes if is_complete else (await self._manifest(recording)).bytes
        return Media(
            path=path,
            bytes=min(size, whole),
            mime=MIME[recording.container],
            etag=f'"{recording.sha256}"' if is_complete and recording.sha256 else None,
            changed_at=recording.ended_at,
        )

    def _is_there(self, recording: Recording) -> bool:
        try:
            return self._path(recording).exists()
        except (Unavailable, OSError):
            return False

    def _path(self, recording: Recording) -> Path:
        path = (self._root / recording.path).resolve()
        if not path.is_relative_to(self._root):
            raise Unavailable("recording-missing")
        return path


def _must_review(identity: Identity) -> None:
    if not identity.may(Permission.REVIEW):
        raise NotPermitted("not-permitted", permission=Permission.REVIEW.value)


def _rows() -> Select[Recording, Feed | None, Operation, Site | None, User | None]:
    return (
        select(Recording, Feed, Operation, Site, User)
        .join(Operation, Recording.operation_id == Operation.id)
        .outerjoin(Feed, Recording.feed_id == Feed.id)
        .outerjoin(Site, Recording.site_id == Site.id)
        .outerjoin(User, User.id == func.coalesce(Recording.speaker_id, Feed.officer_id))
    )


async def _row(session: AsyncSession, identity: Identity, recording_id: UUID) -> Row:
    _must_review(identity)
    query = _rows().where(Recording.id == recording_id, Operation.court_id.in_(identity.court_ids))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("recording-not-found")
    return row
