"""Which packages hold something of a recording, and how they are withdrawn once it is deleted."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import Audit, AuditEntry
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.exports import folder
from command_center.evidence.exports.auditing import audit_export
from command_center.evidence.exports.plan import PLAN_FILE, VOICE
from command_center.evidence.exports.tables import KEPT_STATES, ExportJob, ExportState
from command_center.evidence.exports.troubles import Trouble
from command_center.evidence.retention_rules import DeletionState
from command_center.evidence.tables import Recording
from command_center.operations.tables import Feed

WITHDRAWABLE = frozenset({ExportState.RUNNING.value, ExportState.DONE.value})
"""What waits still finds nothing of the recording when it is begun."""
PLANS = 1024
"""A plan never changes once it is written: of so many what they hold is kept in mind."""


@dataclass(frozen=True, slots=True)
class HoldingPackage:
    """A package that was asked for with something of a recording in it."""

    id: UUID
    state: ExportState
    fetchings: int
    """How often somebody began to fetch it; what was fetched can't be taken back."""

    @property
    def is_there(self) -> bool:
        """Whether it is kept, or being made."""
        return self.state.value in WITHDRAWABLE


async def exports_of(session: AsyncSession, recordings: Collection[UUID]) -> dict[UUID, list[ExportJob]]:
    """The exports, in whatever state, of these recordings' feeds that have time in common with them."""
    query = (
        select(Recording.id, Feed.name, ExportJob)
        .join(
            ExportJob,
            and_(
                ExportJob.operation_id == Recording.operation_id,
                ExportJob.since < Recording.ended_at,
                ExportJob.until > Recording.started_at,
            ),
        )
        .outerjoin(Feed, Feed.id == Recording.feed_id)
        .where(Recording.id.in_(recordings))
        .order_by(ExportJob.id)
    )
    found: dict[UUID, list[ExportJob]] = {}
    rows: Sequence[Row[UUID, str | None, ExportJob]] = (await session.execute(query)).all()
    for recording, feed, job in rows:
        if (feed or VOICE) in job.feeds:
            found.setdefault(recording, []).append(job)
    return found


async def packages_with(
    session: AsyncSession, recordings: Collection[UUID], exports: Path
) -> dict[UUID, list[HoldingPackage]]:
    """Of these recordings, the packages that are there with something of them, and those that were fetched before.

    What is in one its plan says, below `exports`. Without it, as before it is made and once the package is removed,
    the time tells, unless it was begun when the recording had been deleted.
    """
    jobs = await exports_of(session, recordings)
    deleted_at = await _deleted_at(session, recordings)
    held = {
        job.id: await asyncio.to_thread(_held_by, exports / str(job.id) / PLAN_FILE)
        for each in jobs.values()
        for job in each
    }
    jobs = {
        recording: [job for job in each if _may_hold(job, recording, held[job.id], deleted_at.get(recording))]
        for recording, each in jobs.items()
    }
    fetchings = await _fetchings(session, {job.id for each in jobs.values() for job in each})
    found = {
        recording: [HoldingPackage(job.id, ExportState(job.state), fetchings[str(job.id)]) for job in each]
        for recording, each in jobs.items()
    }
    return {recording: [one for one in each if one.is_there or one.fetchings] for recording, each in found.items()}


async def _deleted_at(session: AsyncSession, recordings: Collection[UUID]) -> dict[UUID, datetime]:
    query = select(Deletion.recording_id, Deletion.ended_at).where(
        Deletion.recording_id.in_(recordings),
        Deletion.state == DeletionState.DONE.value,
        Deletion.ended_at.is_not(None),
    )
    return {recording: ended_at for recording, ended_at in await session.execute(query) if ended_at is not None}


def _may_hold(job: ExportJob, recording: UUID, held: frozenset[str] | None, deleted_at: datetime | None) -> bool:
    if held is not None:
        return str(recording) in held
    return deleted_at is None or job.started_at is None or job.started_at <= deleted_at


def _held_by(plan: Path) -> frozenset[str] | None:
    """The recordings of which files go into a package; None where its plan can't be read."""
    try:
        return _held_in(plan)
    except OSError:
        return None


@lru_cache(maxsize=PLANS)
def _held_in(plan: Path) -> frozenset[str]:
    cameras = json.loads(plan.read_bytes())["cameras"]
    return frozenset(part["id"] for camera in cameras for part in camera["recordings"] if part["segments"])


async def _fetchings(session: AsyncSession, jobs: Collection[UUID]) -> Counter[str]:
    query = select(AuditEntry.subject_id).where(
        AuditEntry.action == "export.downloaded", AuditEntry.subject_id.in_([str(one) for one in jobs])
    )
    return Counter(await session.scalars(query))


class Withdrawals:
    """Takes back what holds a recording that two people have deleted; may be broken off anywhere and done again."""

    def __init__(self, database: Database, audit: Audit, exports: Path, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._exports = exports
        self._clock = clock

    async def withdraw(self, recording_id: UUID) -> None:
        """Let nobody fetch a package with it from now on, have those that are being made stopped, and remove the files.

        Raises:
            Busy: the process that makes one hasn't ended yet; doing it again settles it.
            OSError: the disk refuses.
        """
        async with self._database.write() as session:
            found = (await exports_of(session, [recording_id])).get(recording_id, [])
            # In one order, before the audit is begun: whoever ends one of them meanwhile waits, or is waited for.
            ids = [job.id for job in found]
            query = select(ExportJob).where(ExportJob.id.in_(ids)).order_by(ExportJob.id).with_for_update()
            jobs = list(await session.scalars(query.execution_options(populate_existing=True)))
            withdrawn = [job for job in jobs if job.state in WITHDRAWABLE]
            fetchings = await _fetchings(session, ids)
            for job in withdrawn:
                job.move_to(ExportState.WITHDRAWN)
                job.error, job.finished_at = Trouble.DELETED.value, self._clock()
            for job in withdrawn:
                details: dict[str, str | int] = {
                    "recording": str(recording_id),
                    "code": Trouble.DELETED.value,
                    "fetchings": fetchings[str(job.id)],
                }
                await audit_export(session, self._audit, job, "export.withdrawn", details)
        for job in jobs:
            # Those that were called off or are over may lie there still, too.
            if job.state not in KEPT_STATES:
                await asyncio.to_thread(folder.remove, self._exports / str(job.id))
