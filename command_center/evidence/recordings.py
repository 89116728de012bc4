"""Recordings, for those who review: what there is, and the media itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted, Unavailable
from command_center.evidence.custody import Custody, Review
from command_center.evidence.denials import Denials
from command_center.evidence.gone import gone
from command_center.evidence.manifests import KnownManifest, KnownSegment, Manifests
from command_center.evidence.records import (
    Gone,
    Index,
    IndexedSegment,
    Media,
    RecordingRecord,
    RecordingState,
)
from command_center.evidence.store import NotStored, Store, StoreAway
from command_center.evidence.tables import Recording, RecordingSegment
from command_center.evidence.viewings import Viewings
from command_center.operations.tables import Feed, Operation, Site

PAGE = 200
SILENT_SECONDS = 20
"""A recording that hasn't ended and hasn't grown for so long was cut off: its node is gone."""
MIME = {"mp4": "video/mp4", "webm": "video/webm"}

SIGNED_FROM = 2
"""The first version of the manifest whose segments are signed."""

Row = tuple[Recording, Feed | None, Operation, Site | None, User | None, RecordingSegment | None, int]


class Recordings:
    """The recordings of the operations in a person's courts."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        store: Store,
        custody: Custody,
        denials: Denials,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._store = store
        self._custody = custody
        self._denials = denials
        self._manifests = Manifests(store)
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
        async with self._denials.told(identity, "operation", operation_id), self._database.read() as session:
            _must_review(identity)
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
        copies = await self._copies([row[0].id for row in rows if row[0].talk_id is not None])
        if copies:
            rows = sorted([*rows, *copies], key=lambda row: (row[0].started_at, row[0].id), reverse=True)
        async with self._database.read() as session:
            deleted = await gone(session, [row[0].id for row in rows])
        return [await self._record(row, deleted.get(row[0].id)) for row in rows]

    async def _copies(self, talks: Sequence[UUID]) -> list[Row]:
        """What other nodes recorded of those of these talks of whose own files one is missing."""
        missing = [one for one, is_whole in (await self._whole(talks)).items() if not is_whole]
        if not missing:
            return []
        async with self._database.read() as session:
            rows: list[Row] = list(await session.execute(_rows().where(Recording.covered_by.in_(missing))))
        whole = await self._whole([row[0].id for row in rows])
        return [row for row in rows if whole[row[0].id]]

    async def _whole(self, recordings: Sequence[UUID]) -> dict[UUID, bool]:
        """Whether the store has every file of each."""
        if not recordings:
            return {}
        query = select(RecordingSegment.recording_id, RecordingSegment.path)
        async with self._database.read() as session:
            files = list(await session.execute(query.where(RecordingSegment.recording_id.in_(recordings))))
        there = await self._store.sizes([path for _, path in files])
        lacking = {recording for recording, path in files if path not in there}
        return {one: one not in lacking for one in recordings}

    async def recording(self, identity: Identity, recording_id: UUID) -> RecordingRecord:
        """One recording.

        Raises:
            NotFound: there is none in this person's courts.
        """
        async with self._denials.told(identity, "recording", recording_id), self._database.read() as session:
            row = await _row(session, identity, recording_id)
            deleted = await gone(session, [recording_id])
        return await self._record(row, deleted.get(recording_id))

    async def index(
        self, identity: Identity, recording_id: UUID, *, after: int = 0, review_id: UUID | None = None
    ) -> Index:
        """Where its fragments lie and when they were; only those from number `after` on. It belongs to a viewing.

        Raises:
            NotPermitted: the role doesn't review, or must say what for, by `review_id`.
            NotFound: there is none in this person's courts.
            Unavailable: the store doesn't have it, or can't be asked.
        """
        recording = await self._viewed(identity, recording_id, review_id)
        async with self._database.read() as session:
            is_deleted = bool(await gone(session, [recording_id]))
        manifest = await self._manifest(recording)
        there = await self._store.sizes([one.line.path for one in manifest.segments.values()])
        return Index(
            version=recording.version,
            is_complete=manifest.closed is not None,
            started_at=recording.started_at,
            seconds=max(manifest.seconds, recording.seconds),
            segments=tuple(
                _segment(one, is_there=one.line.path in there, is_deleted=is_deleted)
                for one in manifest.segments.values()
            ),
            fragments=tuple(manifest.fragments[after:]),
            gaps=tuple(manifest.gaps),
        )

    async def segment(
        self, identity: Identity, recording_id: UUID, number: int, *, is_start: bool, review_id: UUID | None = None
    ) -> Media:
        """One segment's file, as far as it is whole now; the viewing is audited.

        `is_start`: the request is for the recording's beginning, and so a new viewing, however soon after another.

        Raises:
            NotPermitted: the role doesn't review, or must say what for, by `review_id`.
            NotFound: there is none in this person's courts, or no such segment, or it was deleted.
            Unavailable: the store doesn't have it, or can't be asked.
        """
        recording = await self._viewed(identity, recording_id, review_id, is_start=is_start)
        async with self._database.read() as session:
            row = await session.get(RecordingSegment, (recording_id, number))
            if await gone(session, [recording_id]):
                raise NotFound("recording-deleted")
        if row is None or row.ended_at is None:
            return await self._growing(recording, number)
        etag = None if row.sha256 is None else f'"{row.sha256}"'
        return await self._media(row.path, row.bytes, row.container, etag)

    async def open(self, media: Media, first: int, last: int) -> AsyncIterator[bytes]:
        """The bytes of a segment's file from `first` to `last`, both included; the first of them are there already.

        Raises:
            Unavailable: the store doesn't have it, or can't be asked.
        """
        pieces = self._store.open_range(media.path, first, last)
        try:
            beginning = await anext(pieces, b"")
        except NotStored as error:
            raise Unavailable("recording-missing") from error
        except StoreAway as error:
            raise Unavailable("recording-unreachable") from error
        return _joined(beginning, pieces)

    async def _viewed(
        self, identity: Identity, recording_id: UUID, review_id: UUID | None, *, is_start: bool = False
    ) -> Recording:
        """The recording; its viewing is in the audit, once and with its purpose, before anything of it is seen."""
        async with self._denials.told(identity, "recording", recording_id):
            async with self._database.read() as session:
                recording, _, operation, *_ = await _row(session, identity, recording_id)
            review = await self._custody.review_of(identity, operation.id, review_id)
        viewing = (identity.session_id, recording_id, None if review is None else review.id)
        async with self._auditing:
            if not self._viewings.join(viewing, is_start=is_start):
                await self._audit_viewing(identity, recording, operation.court_id, review)
                self._viewings.begin(viewing, is_start=is_start)
        return recording

    async def _audit_viewing(
        self, identity: Identity, recording: Recording, court_id: UUID, review: Review | None
    ) -> None:
        async with self._database.write() as session:
            await self._audit.record(
                session,
                actor=identity.user_id,
                court_id=court_id,
                action="recording.viewed",
                subject_type="recording",
                subject_id=str(recording.id),
                details={"purpose": "none"} if review is None else review.details,
            )

    async def _record(self, row: Row, deleted: Gone | None) -> RecordingRecord:
        recording, feed, _, site, officer, first, segments = row
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
            video=None if first is None else first.video,
            audio=None if first is None else first.audio,
            started_at=recording.started_at,
            ended_at=recording.ended_at,
            seconds=recording.seconds,
            bytes=recording.bytes,
            state=RecordingState.DELETED if deleted is not None else await self._state(recording),
            version=recording.version,
            segments=segments,
            lines=recording.lines,
            is_signed=recording.version >= SIGNED_FROM,
            deletion=deleted,
        )

    async def _state(self, recording: Recording) -> RecordingState:
        if recording.ended_at is not None:
            return RecordingState(recording.end_reason or RecordingState.ENDED)
        touched = await self._store.changed_at(recording.manifest)
        if touched is None:
            return RecordingState.MISSING
        is_silent = now() - touched > timedelta(seconds=SILENT_SECONDS)
        return RecordingState.CUT_OFF if is_silent else RecordingState.RECORDING

    async def _manifest(self, recording: Recording) -> KnownManifest:
        try:
            manifest = await self._manifests.read(recording.manifest)
        except NotStored as error:
            raise Unavailable("recording-missing") from error
        except StoreAway as error:
            raise Unavailable("recording-unreachable") from error
        if manifest.opened is None:
            raise Unavailable("recording-missing")
        return manifest

    async def _growing(self, recording: Recording, number: int) -> Media:
        """A segment that isn't sealed, or whose seal the index doesn't know yet, as far as its manifest tells."""
        segment = (await self._manifest(recording)).segments.get(number)
        if segment is None:
            raise NotFound("segment-not-found")
        etag = None if segment.sealed is None else f'"{segment.sealed.sha256}"'
        return await self._media(segment.line.path, segment.bytes, segment.line.container, etag)

    async def _media(self, path: str, whole: int, container: str, etag: str | None) -> Media:
        try:
            size = await self._store.size(path)
        except NotStored as error:
            raise Unavailable("recording-missing") from error
        except StoreAway as error:
            raise Unavailable("recording-unreachable") from error
        # Bytes after the last whole fragment, which a crash may leave, are no part of the recording.
        return Media(path=path, bytes=min(size, whole), mime=MIME[container], etag=etag)


async def _joined(beginning: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    async for piece in rest:
        yield piece


def _segment(segment: KnownSegment, *, is_there: bool, is_deleted: bool) -> IndexedSegment:
    line = segment.line
    return IndexedSegment(
        number=line.number,
        start=line.start,
        at=line.started_at,
        container=line.container,
        mime=line.mime,
        width=line.width,
        height=line.height,
        has_sound=line.audio is not None,
        header_bytes=line.header_bytes,
        bytes=segment.bytes,
        seconds=round(segment.seconds, 6),
        is_sealed=segment.sealed is not None,
        is_missing=not is_there and not is_deleted,
        is_deleted=is_deleted,
    )


def _must_review(identity: Identity) -> None:
    if not identity.may(Permission.REVIEW):
        raise NotPermitted("not-permitted", permission=Permission.REVIEW.value)


def _rows() -> Select[Recording, Feed | None, Operation, Site | None, User | None, RecordingSegment | None, int]:
    own = RecordingSegment.recording_id == Recording.id
    count = select(func.count()).select_from(RecordingSegment).where(own).correlate(Recording).scalar_subquery()
    first = aliased(RecordingSegment)
    return (
        select(Recording, Feed, Operation, Site, User, first, count)
        .join(Operation, Recording.operation_id == Operation.id)
        .outerjoin(Feed, Recording.feed_id == Feed.id)
        .outerjoin(Site, Recording.site_id == Site.id)
        .outerjoin(User, User.id == func.coalesce(Recording.speaker_id, Feed.officer_id))
        .outerjoin(first, and_(first.recording_id == Recording.id, first.number == 1))
    )


async def _row(session: AsyncSession, identity: Identity, recording_id: UUID) -> Row:
    _must_review(identity)
    query = _rows().where(Recording.id == recording_id, Operation.court_id.in_(identity.court_ids))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("recording-not-found")
    return row
