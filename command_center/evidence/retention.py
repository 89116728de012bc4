"""Retention classes and legal holds of operations and of single recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.database import Database, new_id
from command_center.errors import CommandCenterError, Conflict, NotFound, NotPermitted
from command_center.evidence.attempts import Attempt
from command_center.evidence.custody_tables import Deletion, LegalHold, RetentionMark
from command_center.evidence.deletions import end, must_decide
from command_center.evidence.denials import Denials
from command_center.evidence.retention_rules import (
    DEFAULT_CLASS,
    GONE_STATES,
    OPEN_STATES,
    PASSING,
    DeletionState,
    Periods,
    RetentionClass,
    obstacle,
)
from command_center.evidence.standings import kept, lock_operation
from command_center.evidence.tables import Recording
from command_center.operations.scope import must
from command_center.operations.tables import Operation

PAGE = 100


@dataclass(frozen=True, slots=True)
class KeptOperation:
    """An operation with what is kept of it and how long; people by their ids."""

    operation: Operation
    retention_class: RetentionClass
    recordings: int
    bytes: int
    marks: Mapping[UUID, RetentionClass]
    """Recordings with a class of their own."""
    holds: Sequence[LegalHold]
    """Those not lifted."""


class Retention:
    """Sets classes and holds, and stops the deletions that they no longer allow."""

    def __init__(
        self, database: Database, audit: Audit, denials: Denials, periods: Periods, clock: Clock = now
    ) -> None:
        self.periods = periods
        self._database = database
        self._audit = audit
        self._denials = denials
        self._clock = clock

    async def listed(
        self, identity: Identity, *, after: tuple[datetime, UUID] | None = None, limit: int = PAGE
    ) -> list[KeptOperation]:
        """The operations of this person's courts, the newest first.

        Raises:
            NotPermitted: the role has nothing to do with it.
        """
        must_decide(identity)
        query = select(Operation).where(Operation.court_id.in_(identity.court_ids))
        if after is not None:
            starts_at, last_id = after
            same = and_(Operation.starts_at == starts_at, Operation.id < last_id)
            query = query.where(or_(Operation.starts_at < starts_at, same))
        query = query.order_by(Operation.starts_at.desc(), Operation.id.desc()).limit(min(limit, PAGE))
        async with self._database.read() as session:
            operations = list(await session.scalars(query))
            ids = [one.id for one in operations]
            sizes = await _sizes(session, ids)
            marks = list(await session.scalars(select(RetentionMark).where(RetentionMark.operation_id.in_(ids))))
            in_force = select(LegalHold).where(LegalHold.operation_id.in_(ids), LegalHold.lifted_at.is_(None))
            holds = list(await session.scalars(in_force.order_by(LegalHold.set_at)))
        classes = {mark.subject_id: RetentionClass(mark.retention_class) for mark in marks}
        return [
            KeptOperation(
                operation=one,
                retention_class=classes.get(one.id, DEFAULT_CLASS),
                recordings=sizes.get(one.id, (0, 0))[0],
                bytes=sizes.get(one.id, (0, 0))[1],
                marks={
                    mark.subject_id: classes[mark.subject_id]
                    for mark in marks
                    if mark.operation_id == one.id and mark.subject_id != one.id
                },
                holds=[hold for hold in holds if hold.operation_id == one.id],
            )
            for one in operations
        ]

    async def classify(
        self, identity: Identity, operation_id: UUID, recording_id: UUID | None, retention_class: RetentionClass
    ) -> None:
        """Say how long an operation, or one recording of it, is kept.

        Raises:
            NotPermitted: the role doesn't; or it would be kept shorter, which takes somebody who approves deletions.
            NotFound: there is no such operation or recording in this person's courts.
        """
        attempt = Attempt("retention", "classify", operation=operation_id, recording=recording_id)
        async with self._deciding(identity, attempt) as session:
            operation = await lock_operation(session, identity, operation_id)
            before = await _class_of(session, operation_id, recording_id)
            if before == retention_class:
                return
            shortens = self.periods.keeps_longer(before, retention_class)
            if shortens and not identity.may(Permission.APPROVE_DELETION):
                raise NotPermitted("class-shortened")
            mark = await session.get(RetentionMark, recording_id or operation_id)
            if mark is None:
                mark = RetentionMark(subject_id=recording_id or operation_id, operation_id=operation_id)
                session.add(mark)
            mark.retention_class = retention_class.value
            mark.set_by, mark.set_at = identity.user_id, self._clock()
            await session.flush()
            await self._stop(session, operation, recording_id)
            await self._record(
                session,
                identity,
                operation,
                recording_id,
                "retention.classified",
                {"class": retention_class.value, "before": before.value},
            )

    async def hold(self, identity: Identity, operation_id: UUID, recording_id: UUID | None, reason: str) -> UUID:
        """Keep an operation, or one recording of it, whatever its class says; gives the hold's id.

        Raises:
            NotPermitted: the role doesn't.
            NotFound: there is no such operation or recording in this person's courts.
            Conflict: the recording is being deleted already.
        """
        attempt = Attempt("hold", "set", operation=operation_id, recording=recording_id)
        async with self._deciding(identity, attempt) as session:
            operation = await lock_operation(session, identity, operation_id)
            await _class_of(session, operation_id, recording_id)
            if recording_id is not None and await _is_going(session, recording_id):
                raise Conflict("deletion-under-way")
            hold_id = new_id()
            session.add(
                LegalHold(
                    id=hold_id,
                    operation_id=operation_id,
                    recording_id=recording_id,
                    reason=reason,
                    set_by=identity.user_id,
                    set_at=self._clock(),
                )
            )
            await session.flush()
            await self._stop(session, operation, recording_id)
            await self._record(session, identity, operation, recording_id, "hold.set", {"hold": str(hold_id)})
        return hold_id

    async def lift(self, identity: Identity, hold_id: UUID, reason: str) -> None:
        """Lift a hold that somebody else has set.

        Raises:
            NotPermitted: the role doesn't, or it is this person's own.
            NotFound: there is no such hold in this person's courts.
            Conflict: it is lifted already.
        """
        async with self._deciding(identity, Attempt("hold", "lift", hold=hold_id)) as session:
            hold = await session.get(LegalHold, hold_id)
            if hold is None:
                raise NotFound("hold-not-found")
            operation = await lock_operation(session, identity, hold.operation_id)
            await session.refresh(hold)
            if hold.lifted_at is not None:
                raise Conflict("hold-lifted")
            if hold.set_by == identity.user_id:
                raise NotPermitted("hold-needs-two")
            hold.lifted_by, hold.lifted_at, hold.lift_reason = identity.user_id, self._clock(), reason
            await self._record(session, identity, operation, hold.recording_id, "hold.lifted", {"hold": str(hold_id)})

    @asynccontextmanager
    async def _deciding(self, identity: Identity, attempt: Attempt) -> AsyncIterator[AsyncSession]:
        """One transaction of somebody who may hold recordings; whoever is refused in it is written into the audit."""
        try:
            must(identity, Permission.HOLD_RECORDINGS)
            async with self._database.write() as session:
                yield session
        except CommandCenterError as refusal:
            await self._denials.note_attempt(identity, refusal.code, attempt)
            raise

    async def _stop(self, session: AsyncSession, operation: Operation, recording_id: UUID | None) -> None:
        """Stop what is on its way and isn't allowed any more."""
        query = select(Deletion).where(
            Deletion.operation_id == operation.id, Deletion.state.in_([state.value for state in OPEN_STATES])
        )
        if recording_id is not None:
            query = query.where(Deletion.recording_id == recording_id)
        for deletion in list(await session.scalars(query)):
            found = await kept(session, deletion.recording_id)
            code = obstacle(found.standing, self.periods, self._clock())
            if code is None or code == PASSING:
                continue
            if deletion.state == DeletionState.DUE:
                await session.delete(deletion)
                continue
            end(deletion, DeletionState.REFUSED, None, self._clock(), code)
            await self._audit.record(
                session,
                actor=None,
                court_id=operation.court_id,
                action="deletion.stopped",
                subject_type="recording",
                subject_id=str(deletion.recording_id),
                details={"operation": str(operation.id), "deletion": str(deletion.id), "code": code},
            )

    async def _record(
        self,
        session: AsyncSession,
        identity: Identity,
        operation: Operation,
        recording_id: UUID | None,
        action: str,
        details: Mapping[str, str],
    ) -> None:
        await self._audit.record(
            session,
            actor=identity.user_id,
            court_id=operation.court_id,
            action=action,
            subject_type="operation" if recording_id is None else "recording",
            subject_id=str(recording_id or operation.id),
            details=details,
        )


async def _class_of(session: AsyncSession, operation_id: UUID, recording_id: UUID | None) -> RetentionClass:
    """The class in force, which is also the proof that the recording is one of this operation.

    Raises:
        NotFound: it isn't.
    """
    if recording_id is None:
        mark = await session.get(RetentionMark, operation_id)
        return DEFAULT_CLASS if mark is None else RetentionClass(mark.retention_class)
    found = await kept(session, recording_id)
    if found.recording.operation_id != operation_id:
        raise NotFound("recording-not-found")
    return found.standing.retention_class


async def _is_going(session: AsyncSession, recording_id: UUID) -> bool:
    query = select(Deletion.id).where(
        Deletion.recording_id == recording_id, Deletion.state == DeletionState.DELETING.value
    )
    return await session.scalar(query) is not None


async def _sizes(session: AsyncSession, operations: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many recordings each operation still has, and how many bytes they are."""
    gone = select(Deletion.recording_id).where(
        Deletion.operation_id.in_(operations), Deletion.state.in_([state.value for state in GONE_STATES])
    )
    query = (
        select(Recording.operation_id, func.count(), func.coalesce(func.sum(Recording.bytes), 0))
        .where(Recording.operation_id.in_(operations), Recording.id.not_in(gone))
        .group_by(Recording.operation_id)
    )
    return {operation: (count, int(size)) for operation, count, size in await session.execute(query)}
