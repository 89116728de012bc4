"""Deletion of recordings: proposed by one person, approved by another, and undone by either until it takes effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.errors import CommandCenterError, Conflict, Invalid, NotFound, NotPermitted
from command_center.evidence.attempts import Attempt
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.denials import Denials
from command_center.evidence.exports.masks import Masks
from command_center.evidence.exports.withdrawals import HoldingPackage, packages_with
from command_center.evidence.retention_rules import (
    GONE_STATES,
    NEXT_STATES,
    OPEN_STATES,
    DeletionState,
    Periods,
    obstacle,
)
from command_center.evidence.standings import Kept, kept, lock_operation
from command_center.evidence.tables import Recording
from command_center.operations.scope import must
from command_center.operations.tables import Feed, Operation, Site

PAGE = 200


@dataclass(frozen=True, slots=True)
class DeletionRecord:
    """A deletion with what it is about; people by their ids."""

    deletion: Deletion
    recording: Recording | None
    """None where the index lost it."""
    feed: str
    officer_id: UUID | None
    site_zh: str
    site_en: str
    operation: Operation
    packages: tuple[HoldingPackage, ...]
    """Those that hold something of it, and go once it is deleted; those that were fetched, too, though they be gone."""


class Deletions:
    """What two people do about a recording whose period is over."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        denials: Denials,
        periods: Periods,
        *,
        exports: Path,
        delay: timedelta,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._denials = denials
        self._periods = periods
        self._exports = exports
        self._delay = delay
        self._clock = clock

    async def propose(self, identity: Identity, recording_id: UUID, reason: str) -> UUID:
        """Propose that a recording be deleted; gives the deletion's id.

        Raises:
            NotPermitted: the role doesn't propose, or this person wore the recorder.
            NotFound: there is no such recording in this person's courts.
            Invalid: the reason holds somebody's number, or where somebody lives; others will read the tombstone.
            Conflict: it is proposed already or gone, or a rule keeps it; the code says which.
        """
        async with self._deciding(identity, Attempt("deletion", "propose", recording=recording_id)) as session:
            must(identity, Permission.PROPOSE_DELETION)
            # Nothing is said of names, or whoever asks would learn whom other courts know: the tombstone masks them.
            if Masks(()).would_mask(reason):
                raise Invalid("reason-holds-number")
            found = await self._kept(session, identity, recording_id)
            deletion = await _latest(session, recording_id)
            if deletion is not None and deletion.state in GONE_STATES:
                raise Conflict("recording-deleted")
            if deletion is not None and deletion.state in OPEN_STATES and deletion.state != DeletionState.DUE:
                raise Conflict("deletion-proposed")
            self._check(identity, found)
            if deletion is None or deletion.state != DeletionState.DUE:
                retention_class = found.standing.retention_class
                listed = await list_as_due(session, found.recording, retention_class, self._clock())
                # Where somebody was quicker it is theirs: the worker may just have listed it.
                deletion = listed or await _latest(session, recording_id)
            if deletion is None or deletion.state != DeletionState.DUE:
                raise Conflict("deletion-proposed")
            move(deletion, DeletionState.PROPOSED)
            deletion.retention_class = found.standing.retention_class
            deletion.reason, deletion.proposed_by, deletion.proposed_at = reason, identity.user_id, self._clock()
            await session.flush()
            await self._record(session, identity, deletion, "deletion.proposed")
            return deletion.id

    async def approve(self, identity: Identity, deletion_id: UUID) -> None:
        """Agree to a deletion that somebody else proposed; it takes effect after the delay.

        Raises:
            NotPermitted: the role doesn't approve, or this person proposed it or wore the recorder.
            NotFound: there is no such deletion in this person's courts.
            Conflict: it isn't proposed any more, or a rule keeps the recording; the code says which.
        """
        recording_id = await self._recording_of(deletion_id)
        async with self._deciding(identity, Attempt("deletion", "approve", deletion=deletion_id)) as session:
            must(identity, Permission.APPROVE_DELETION)
            found = await self._kept(session, identity, recording_id)
            deletion = await _open(session, deletion_id, DeletionState.PROPOSED)
            if deletion.proposed_by == identity.user_id:
                raise NotPermitted("deletion-needs-two")
            self._check(identity, found)
            move(deletion, DeletionState.APPROVED)
            deletion.approved_by, deletion.approved_at = identity.user_id, self._clock()
            deletion.effective_at = self._clock() + self._delay
            await self._record(session, identity, deletion, "deletion.approved")

    async def withdraw(self, identity: Identity, deletion_id: UUID, reason: str) -> None:
        """Take back what one has proposed or approved, before it takes effect.

        Raises:
            NotPermitted: this person has done neither.
            NotFound: there is no such deletion in this person's courts.
            Conflict: it has taken effect, or ended.
        """
        recording_id = await self._recording_of(deletion_id)
        async with self._deciding(identity, Attempt("deletion", "withdraw", deletion=deletion_id)) as session:
            await self._kept(session, identity, recording_id)
            deletion = await _open(session, deletion_id, DeletionState.PROPOSED, DeletionState.APPROVED)
            if identity.user_id not in (deletion.proposed_by, deletion.approved_by):
                raise NotPermitted("deletion-not-yours")
            end(deletion, DeletionState.WITHDRAWN, identity.user_id, self._clock(), reason)
            await self._record(session, identity, deletion, "deletion.withdrawn")

    async def refuse(self, identity: Identity, deletion_id: UUID, reason: str) -> None:
        """Say no to a proposal.

        Raises:
            NotPermitted: the role doesn't approve, or this person proposed it.
            NotFound: there is no such deletion in this person's courts.
            Conflict: it isn't proposed any more.
        """
        recording_id = await self._recording_of(deletion_id)
        async with self._deciding(identity, Attempt("deletion", "refuse", deletion=deletion_id)) as session:
            must(identity, Permission.APPROVE_DELETION)
            await self._kept(session, identity, recording_id)
            deletion = await _open(session, deletion_id, DeletionState.PROPOSED)
            if deletion.proposed_by == identity.user_id:
                raise NotPermitted("deletion-needs-two")
            end(deletion, DeletionState.REFUSED, identity.user_id, self._clock(), reason)
            await self._record(session, identity, deletion, "deletion.refused")

    async def listed(
        self,
        identity: Identity,
        states: Collection[DeletionState],
        *,
        after: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> list[DeletionRecord]:
        """Deletions of this person's courts in these states, those listed last first.

        Raises:
            NotPermitted: the role has nothing to do with it.
        """
        must_decide(identity)
        query = (
            select(Deletion, Operation, Recording, Feed, Site)
            .join(Operation, Deletion.operation_id == Operation.id)
            .outerjoin(Recording, Deletion.recording_id == Recording.id)
            .outerjoin(Feed, Recording.feed_id == Feed.id)
            .outerjoin(Site, Recording.site_id == Site.id)
            .where(
                Operation.court_id.in_(identity.court_ids),
                Deletion.state.in_([state.value for state in states]),
            )
        )
        if after is not None:
            listed_at, last_id = after
            same = and_(Deletion.listed_at == listed_at, Deletion.id < last_id)
            query = query.where(or_(Deletion.listed_at < listed_at, same))
        query = query.order_by(Deletion.listed_at.desc(), Deletion.id.desc()).limit(min(limit, PAGE))
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
            packages = await packages_with(session, {row.Deletion.recording_id for row in rows}, self._exports)
        return [
            DeletionRecord(
                deletion=deletion,
                recording=recording,
                feed="" if feed is None else feed.name,
                officer_id=_officer(recording, feed),
                site_zh="" if site is None else site.name_zh,
                site_en="" if site is None else site.name_en,
                operation=operation,
                packages=tuple(packages.get(deletion.recording_id, ())),
            )
            for deletion, operation, recording, feed, site in rows
        ]

    @asynccontextmanager
    async def _deciding(self, identity: Identity, attempt: Attempt) -> AsyncIterator[AsyncSession]:
        """One transaction; whoever is refused in it is written into the audit."""
        try:
            async with self._database.write() as session:
                yield session
        except CommandCenterError as refusal:
            await self._denials.note_attempt(identity, refusal.code, attempt)
            raise

    async def _recording_of(self, deletion_id: UUID) -> UUID:
        async with self._database.read() as session:
            found = await session.scalar(select(Deletion.recording_id).where(Deletion.id == deletion_id))
        if found is None:
            raise NotFound("deletion-not-found")
        return found

    async def _kept(self, session: AsyncSession, identity: Identity, recording_id: UUID) -> Kept:
        """The recording as it stands, its operation locked."""
        operation_id = await session.scalar(select(Recording.operation_id).where(Recording.id == recording_id))
        if operation_id is None:
            raise NotFound("recording-not-found")
        await lock_operation(session, identity, operation_id)
        return await kept(session, recording_id)

    def _check(self, identity: Identity, found: Kept) -> None:
        if identity.user_id == found.wearer_id:
            raise NotPermitted("deletion-by-wearer")
        code = obstacle(found.standing, self._periods, self._clock())
        if code is not None:
            raise Conflict(code)

    async def _record(self, session: AsyncSession, identity: Identity, deletion: Deletion, action: str) -> None:
        court_id = await session.scalar(select(Operation.court_id).where(Operation.id == deletion.operation_id))
        await self._audit.record(
            session,
            actor=identity.user_id,
            court_id=court_id,
            action=action,
            subject_type="recording",
            subject_id=str(deletion.recording_id),
            details={"operation": str(deletion.operation_id), "deletion": str(deletion.id)},
        )


def must_decide(identity: Identity) -> None:
    """Refuse whoever has nothing to do with keeping and deleting.

    Raises:
        NotPermitted: the role doesn't.
    """
    wanted = (Permission.HOLD_RECORDINGS, Permission.PROPOSE_DELETION, Permission.APPROVE_DELETION)
    if not any(identity.may(permission) for permission in wanted):
        raise NotPermitted("not-permitted", permission=Permission.HOLD_RECORDINGS.value)


async def list_as_due(
    session: AsyncSession, recording: Recording, retention_class: str, at: datetime
) -> Deletion | None:
    """Add a deletion that nobody has proposed yet; None where one of this recording is under way already."""
    deletion = Deletion(
        recording_id=recording.id,
        operation_id=recording.operation_id,
        retention_class=retention_class,
        state=DeletionState.DUE.value,
        listed_at=at,
    )
    try:
        async with session.begin_nested():
            session.add(deletion)
    except IntegrityError:
        return None
    return deletion


def move(deletion: Deletion, state: DeletionState) -> None:
    """The only place that changes a deletion's state.

    Raises:
        Conflict: it can't go there from where it is.
    """
    if state not in NEXT_STATES[DeletionState(deletion.state)]:
        raise Conflict("deletion-ended" if deletion.state not in OPEN_STATES else "deletion-not-proposed")
    deletion.state = state.value


def end(deletion: Deletion, state: DeletionState, user_id: UUID | None, at: datetime, reason: str) -> None:
    """Let it come to nothing; `user_id` is None where a rule stopped it."""
    move(deletion, state)
    deletion.ended_by, deletion.ended_at, deletion.end_reason = user_id, at, reason


def _officer(recording: Recording | None, feed: Feed | None) -> UUID | None:
    if feed is not None:
        return feed.officer_id
    return None if recording is None else recording.speaker_id


async def _latest(session: AsyncSession, recording_id: UUID) -> Deletion | None:
    query = select(Deletion).where(Deletion.recording_id == recording_id).order_by(Deletion.id.desc()).limit(1)
    return (await session.scalars(query)).first()


async def _open(session: AsyncSession, deletion_id: UUID, *states: DeletionState) -> Deletion:
    deletion = await session.get_one(Deletion, deletion_id)
    if deletion.state in GONE_STATES:
        raise Conflict("deletion-under-way")
    if deletion.state not in states:
        raise Conflict("deletion-ended" if deletion.state not in OPEN_STATES else "deletion-not-proposed")
    return deletion
