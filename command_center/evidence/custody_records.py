"""What those who decide on a recording's deletion read before: why it is kept so long, what held it, who saw it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.errors import NotFound
from command_center.evidence.attempts import Attempt
from command_center.evidence.custody_tables import Deletion, LegalHold, RetentionMark
from command_center.evidence.deletions import must_decide
from command_center.evidence.denials import Denials
from command_center.evidence.exports.findings import CUSTODY_ACTIONS
from command_center.evidence.exports.withdrawals import exports_of
from command_center.evidence.retention_rules import Periods, RetentionClass
from command_center.evidence.standings import kept
from command_center.operations.tables import Operation

MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """An entry of the audit about the recording, its operation, or a package with it; people by their ids."""

    sequence: int
    at: datetime
    actor_id: UUID | None
    action: str
    details: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """What is known of a recording that is to be deleted."""

    retention_class: RetentionClass
    over_at: datetime | None
    """When its period is over; None for never, or while it grows."""
    mark: RetentionMark | None
    """Who has set the class; None where it is the usual one."""
    holds: Sequence[LegalHold]
    """Those of the recording and of its operation, in force or lifted, the first first."""
    earlier: Sequence[Deletion]
    """What became of deletions of it before."""
    entries: Sequence[CustodyEntry]
    """The newest first."""
    is_cut: bool
    """There are more entries than these."""


class CustodyRecords:
    """Hands them out, within one's courts; that somebody read one is itself in the audit."""

    def __init__(self, database: Database, audit: Audit, denials: Denials, periods: Periods) -> None:
        self._database = database
        self._audit = audit
        self._denials = denials
        self._periods = periods

    async def of(self, identity: Identity, deletion_id: UUID) -> CustodyRecord:
        """The record of the recording that a deletion is about.

        Raises:
            NotPermitted: the role has nothing to do with it.
            NotFound: there is no such deletion in this person's courts, or the index has lost its recording.
        """
        must_decide(identity)
        async with self._database.write() as session:
            deletion = await session.get(Deletion, deletion_id)
            if deletion is None:
                raise NotFound("deletion-not-found")
            operation = await session.get_one(Operation, deletion.operation_id)
            if operation.court_id in identity.court_ids:
                record = await self._read(session, deletion)
                await self._audit.record(
                    session,
                    actor=identity.user_id,
                    court_id=operation.court_id,
                    action="deletion.examined",
                    subject_type="recording",
                    subject_id=str(deletion.recording_id),
                    details={"operation": str(operation.id), "deletion": str(deletion_id)},
                )
                return record
        await self._denials.note_attempt(identity, "other-court", Attempt("deletion", "custody", deletion=deletion_id))
        raise NotFound("deletion-not-found")

    async def _read(self, session: AsyncSession, deletion: Deletion) -> CustodyRecord:
        found = await kept(session, deletion.recording_id)
        standing = found.standing
        entries = await _entries(session, deletion)
        return CustodyRecord(
            retention_class=standing.retention_class,
            over_at=None
            if standing.ended_at is None
            else self._periods.over_at(standing.retention_class, standing.ended_at),
            mark=await session.get(RetentionMark, deletion.recording_id)
            or await session.get(RetentionMark, deletion.operation_id),
            holds=await _holds(session, deletion),
            earlier=await _earlier(session, deletion),
            entries=entries[:MOST_ENTRIES],
            is_cut=len(entries) > MOST_ENTRIES,
        )


async def _holds(session: AsyncSession, deletion: Deletion) -> list[LegalHold]:
    of_it = or_(LegalHold.recording_id.is_(None), LegalHold.recording_id == deletion.recording_id)
    query = select(LegalHold).where(LegalHold.operation_id == deletion.operation_id, of_it)
    return list(await session.scalars(query.order_by(LegalHold.set_at, LegalHold.id)))


async def _earlier(session: AsyncSession, deletion: Deletion) -> list[Deletion]:
    query = select(Deletion).where(
        Deletion.recording_id == deletion.recording_id, Deletion.id != deletion.id, Deletion.ended_at.is_not(None)
    )
    return list(await session.scalars(query.order_by(Deletion.ended_at, Deletion.id)))


async def _entries(session: AsyncSession, deletion: Deletion) -> list[CustodyEntry]:
    """One more than are shown, where there are more."""
    jobs = (await exports_of(session, [deletion.recording_id])).get(deletion.recording_id, [])
    subjects = [str(one) for one in (deletion.recording_id, deletion.operation_id, *(job.id for job in jobs))]
    actions = or_(*(AuditEntry.action.startswith(begin, autoescape=True) for begin in CUSTODY_ACTIONS))
    query = select(AuditEntry).where(AuditEntry.subject_id.in_(subjects), actions)
    rows = await session.scalars(query.order_by(AuditEntry.sequence.desc()).limit(MOST_ENTRIES + 1))
    return [CustodyEntry(one.sequence, one.at, one.actor_id, one.action, json.loads(one.details)) for one in rows]
