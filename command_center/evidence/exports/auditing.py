"""What the audit holds of an export's life: who asked for it, fetched it, ended it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import Audit
from command_center.evidence.exports.tables import ExportJob
from command_center.operations.tables import Operation


async def audit_export(
    session: AsyncSession,
    audit: Audit,
    job: ExportJob,
    action: str,
    details: Mapping[str, str | int] | None = None,
    actor: UUID | None = None,
) -> None:
    """Record what became of an export, in the transaction in which it did; without an `actor` the worker did it."""
    operation = await session.get_one(Operation, job.operation_id)
    await audit.record(
        session,
        actor=actor,
        court_id=operation.court_id,
        action=action,
        subject_type="export",
        subject_id=str(job.id),
        details={"operation": str(job.operation_id), "purpose": job.purpose, **(details or {})},
    )
