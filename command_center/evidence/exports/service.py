"""Exports, for those who may give recordings away: asked for, watched, called off, and fetched; all of it audited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import SHANGHAI, Clock, now
from command_center.database import Database
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted, TooMany, Unavailable
from command_center.evidence.denials import Denials
from command_center.evidence.exports.auditing import audit_export
from command_center.evidence.exports.plan import PACKAGE_FILE, VOICE
from command_center.evidence.exports.records import ExportRecord, PackageFile, Wish
from command_center.evidence.exports.tables import OPEN_STATES, ExportJob, ExportState
from command_center.evidence.store import NotStored
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tables import Recording
from command_center.evidence.viewings import Viewings
from command_center.journal import Journal, JournalEntry, JournalKind
from command_center.operations.scope import must, visible_operation
from command_center.operations.tables import Feed

PAGE = 100
LONGEST_SPAN = timedelta(hours=12)
MOST_FEEDS = 16
OPEN_OF_ONE = 5
"""So many exports of one person may wait or run."""
OPEN_OF_ALL = 50
RETRY_SECONDS = 60
LOOK_SECONDS = 1.0
"""While a package goes out it is looked at so often whether it still may."""
CUT_STATES = {ExportState.WITHDRAWN: "export-withdrawn", ExportState.CANCELLED: "export-over"}
"""What ends a download that is under way, by what is told then."""
EXPORTED = "exported"


class Exports:
    """The exports of the operations in a person's courts."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        journal: Journal,
        denials: Denials,
        folder: Path,
        clock: Clock = now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._audit = audit
        self._journal = journal
        self._denials = denials
        self._packages = LocalStore(folder)
        self._clock = clock
        self._timer = timer
        self._fetchings = Viewings()
        self._auditing = asyncio.Lock()

    async def request(self, identity: Identity, wish: Wish) -> ExportRecord:
        """Have a package made in the background. The same key again gives the first export back.

        Raises:
            NotPermitted: the role doesn't export, or not unmasked.
            NotFound: there is no such operation in this person's courts.
            Invalid: the span or the feeds make no sense, nothing was recorded or happened in it, or the reason for
                leaving names unmasked is missing.
            Conflict: the key was used for another export.
            TooMany: enough wait already.
        """
        async with self._refusing(identity, "operation", str(wish.operation_id), wish.purpose.value):
            _must_export(identity)
            async with self._database.write() as session:
                operation = await visible_operation(session, identity, wish.operation_id)
                known = await session.scalar(select(ExportJob).where(ExportJob.idempotency_key == wish.idempotency_key))
                job = await self._make(session, identity, wish) if known is None else _same(identity, known, wish)
                if known is None:
                    details: dict[str, str | int] = {
                        "feeds": " ".join(job.feeds),
                        "since": job.since.isoformat(),
                        "until": job.until.isoformat(),
                        "masked": int(job.is_masked),
                    }
                    # So that an operation has a journal in any case, and it tells who took what with him.
                    told = {"what": EXPORTED, "export": str(job.id), "by": str(identity.user_id), "feeds": job.feeds}
                    await self._journal.note(session, operation.id, JournalKind.OPERATION, told)
                    await audit_export(session, self._audit, job, "export.requested", details, identity.user_id)
                return await _record(session, job)

    async def listed(self, identity: Identity, operation_id: UUID) -> list[ExportRecord]:
        """The exports of an operation, the newest first.

        Raises:
            NotPermitted: the role doesn't export.
            NotFound: there is no such operation in this person's courts.
        """
        _must_export(identity)
        async with self._database.read() as session:
            await visible_operation(session, identity, operation_id)
            rows = await session.execute(
                select(ExportJob, User.display_name)
                .join(User, User.id == ExportJob.requested_by)
                .where(ExportJob.operation_id == operation_id)
                .order_by(ExportJob.requested_at.desc(), ExportJob.id.desc())
                .limit(PAGE)
            )
            return [_of(job, requester) for job, requester in rows]

    async def export(self, identity: Identity, job_id: UUID) -> ExportRecord:
        """One export.

        Raises:
            NotPermitted: the role doesn't export.
            NotFound: there is none in this person's courts.
        """
        _must_export(identity)
        async with self._database.read() as session:
            job = await _job(session, identity, job_id)
            return await _record(session, job)

    async def cancel(self, identity: Identity, job_id: UUID) -> ExportRecord:
        """Call an export off, or remove its package before its time.

        Raises:
            NotPermitted: the role doesn't export.
            NotFound: there is none in this person's courts.
            Conflict: nothing is left of it to be called off.
        """
        _must_export(identity)
        async with self._database.write() as session:
            job = await _job(session, identity, job_id, lock=True)
            if job.state not in {*OPEN_STATES, ExportState.DONE.value}:
                raise Conflict("export-over")
            job.move_to(ExportState.CANCELLED)
            job.finished_at = self._clock()
            await audit_export(session, self._audit, job, "export.cancelled", actor=identity.user_id)
            return await _record(session, job)

    async def package(
        self, identity: Identity, job_id: UUID, *, is_start: bool, is_fetched: bool = True
    ) -> PackageFile:
        """The finished package; that it is fetched is audited once, whichever part of it is asked for first.

        `is_start`: the request is for its beginning, and so a new fetching; not `is_fetched`: none of its bytes go out.

        Raises:
            NotPermitted: the role doesn't export, or what isn't masked isn't for it.
            NotFound: there is none in this person's courts.
            Conflict: it isn't done, has been removed, or is withdrawn.
            Unavailable: it is gone from the disk.
        """
        async with self._refusing(identity, "export", str(job_id), ""):
            _must_export(identity)
            async with self._database.read() as session:
                job = await _job(session, identity, job_id)
            if not job.is_masked:
                _must_unmask(identity)
            if job.state == ExportState.WITHDRAWN.value:
                further = {"attempt": "fetch"}
                await self._denials.note_export(identity, "export-withdrawn", "export", str(job_id), further)
                raise Conflict("export-withdrawn")
            if job.state != ExportState.DONE.value or job.sha256 is None:
                raise Conflict("export-not-done")
            path = f"{job.id}/{PACKAGE_FILE}"
            try:
                size = await self._packages.size(path)
            except NotStored as error:
                raise Unavailable("export-gone") from error
            fetching = (identity.session_id, job_id, None)
            async with self._auditing:
                if is_fetched and not self._fetchings.join(fetching, is_start=is_start):
                    async with self._database.write() as session:
                        await audit_export(session, self._audit, job, "export.downloaded", actor=identity.user_id)
                    self._fetchings.begin(fetching, is_start=is_start)
        since = job.since.astimezone(SHANGHAI)
        return PackageFile(job.id, path, size, job.sha256, f"evidence-{since:%Y%m%d-%H%M}-{job.id.hex[-8:]}.zip")

    async def open(self, identity: Identity, file: PackageFile, first: int, last: int) -> AsyncIterator[bytes]:
        """The package's bytes from `first` to `last`, both included, piece by piece.

        What is withdrawn or called off meanwhile is cut by a Conflict, with the first piece `LOOK_SECONDS` afterwards,
        and the cut is audited: the open file would be read to its end, though nobody finds it any more.
        """
        return self._pieces(identity, file, first, last)

    async def _pieces(self, identity: Identity, file: PackageFile, first: int, last: int) -> AsyncIterator[bytes]:
        looked_at = self._timer()
        async for piece in self._packages.open_range(file.path, first, last):
            if self._timer() - looked_at >= LOOK_SECONDS:
                await self._look_again(identity, file.export)
                looked_at = self._timer()
            yield piece

    async def _look_again(self, identity: Identity, job_id: UUID) -> None:
        async with self._database.read() as session:
            state = await session.scalar(select(ExportJob.state).where(ExportJob.id == job_id))
        if state in CUT_STATES:
            code = CUT_STATES[ExportState(state)]
            await self._denials.note_export(identity, code, "export", str(job_id), {"attempt": "fetching"})
            raise Conflict(code)

    async def _make(self, session: AsyncSession, identity: Identity, wish: Wish) -> ExportJob:
        if not wish.is_masked:
            _must_unmask(identity)
            if not wish.reason.strip():
                raise Invalid("export-reason-missing")
        at = self._clock()
        until = min(wish.until, at)
        if wish.since >= until or until - wish.since > LONGEST_SPAN:
            raise Invalid("export-span")
        await _check_feeds(session, wish)
        await _check_contents(session, wish)
        await _check_room(session, identity)
        job = ExportJob(
            operation_id=wish.operation_id,
            requested_by=identity.user_id,
            purpose=wish.purpose.value,
            reason=wish.reason.strip(),
            since=_whole(wish.since),
            until=_whole(until),
            feeds=list(wish.feeds),
            is_masked=wish.is_masked,
            idempotency_key=wish.idempotency_key,
            requested_at=at,
        )
        session.add(job)
        await session.flush()
        return job

    @asynccontextmanager
    async def _refusing(
        self, identity: Identity, subject_type: str, subject_id: str, purpose: str
    ) -> AsyncIterator[None]:
        """Have it in the audit where this person isn't permitted what the block does."""
        try:
            yield
        except NotPermitted as error:
            further = {"permission": str(error.parameters.get("permission", ""))}
            further |= {"purpose": purpose} if purpose else {}
            await self._denials.note_export(identity, error.code, subject_type, subject_id, further)
            raise


def _must_export(identity: Identity) -> None:
    must(identity, Permission.EXPORT)


def _must_unmask(identity: Identity) -> None:
    must(identity, Permission.UNMASK)


def _same(identity: Identity, known: ExportJob, wish: Wish) -> ExportJob:
    """What the same press of the button asked for before.

    Raises:
        Conflict: it was another's.
    """
    wanted = (identity.user_id, wish.operation_id, _whole(wish.since), list(wish.feeds), wish.is_masked)
    if (known.requested_by, known.operation_id, known.since, known.feeds, known.is_masked) != wanted:
        raise Conflict("idempotency-key-used")
    return known


def _whole(instant: datetime) -> datetime:
    """To the millisecond, as recordings are."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


async def _check_feeds(session: AsyncSession, wish: Wish) -> None:
    if not 1 <= len(wish.feeds) <= MOST_FEEDS or len(set(wish.feeds)) != len(wish.feeds):
        raise Invalid("export-feeds")
    query = select(func.count()).select_from(Feed).where(Feed.operation_id == wish.operation_id)
    cameras = [feed for feed in wish.feeds if feed != VOICE]
    if await session.scalar(query.where(Feed.name.in_(cameras))) != len(cameras):
        raise Invalid("export-feeds")


async def _check_contents(session: AsyncSession, wish: Wish) -> None:
    """Refuse what would be an hour of cards: nothing of these feeds was recorded, and nothing happened."""
    recorded = (
        select(Recording.id)
        .outerjoin(Feed, Feed.id == Recording.feed_id)
        .where(
            Recording.operation_id == wish.operation_id,
            func.coalesce(Feed.name, VOICE).in_(wish.feeds),
            Recording.started_at < wish.until,
            or_(Recording.ended_at.is_(None), Recording.ended_at > wish.since),
        )
    )
    happened = select(JournalEntry.id).where(
        JournalEntry.operation_id == wish.operation_id, JournalEntry.at >= wish.since, JournalEntry.at < wish.until
    )
    if not await session.scalar(select(or_(recorded.exists(), happened.exists()))):
        raise Invalid("export-empty")


async def _check_room(session: AsyncSession, identity: Identity) -> None:
    waiting = select(func.count()).select_from(ExportJob).where(ExportJob.state.in_(OPEN_STATES))
    of_all = await session.scalar(waiting) or 0
    of_one = await session.scalar(waiting.where(ExportJob.requested_by == identity.user_id)) or 0
    if of_all >= OPEN_OF_ALL or of_one >= OPEN_OF_ONE:
        raise TooMany("exports-full", retry_after=RETRY_SECONDS)


async def _job(session: AsyncSession, identity: Identity, job_id: UUID, *, lock: bool = False) -> ExportJob:
    job = await session.get(ExportJob, job_id, with_for_update=lock)
    if job is None:
        raise NotFound("export-not-found")
    try:
        await visible_operation(session, identity, job.operation_id)
    except NotFound as error:
        raise NotFound("export-not-found") from error
    return job


async def _record(session: AsyncSession, job: ExportJob) -> ExportRecord:
    requester = await session.scalar(select(User.display_name).where(User.id == job.requested_by))
    return _of(job, requester or "")


def _of(job: ExportJob, requester: str) -> ExportRecord:
    return ExportRecord(
        id=job.id,
        operation_id=job.operation_id,
        requested_by=job.requested_by,
        requester=requester,
        purpose=job.purpose,
        reason=job.reason,
        since=job.since,
        until=job.until,
        feeds=tuple(str(feed) for feed in job.feeds),
        is_masked=job.is_masked,
        state=ExportState(job.state),
        units_done=job.units_done,
        units=job.units,
        error=job.error,
        bytes=job.bytes,
        sha256=job.sha256,
        requested_at=job.requested_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
