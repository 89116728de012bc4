"""Which recordings were deleted, by whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from command_center.accounts.tables import User
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.records import Gone
from command_center.evidence.retention_rules import GONE_STATES

_PROPOSER, _APPROVER = aliased(User), aliased(User)


async def gone(session: AsyncSession, recordings: Sequence[UUID]) -> dict[UUID, Gone]:
    """Those of these recordings whose deletion has taken effect."""
    if not recordings:
        return {}
    query = (
        select(Deletion, _PROPOSER.display_name, _APPROVER.display_name)
        .join(_PROPOSER, _PROPOSER.id == Deletion.proposed_by)
        .join(_APPROVER, _APPROVER.id == Deletion.approved_by)
        .where(Deletion.recording_id.in_(recordings), Deletion.state.in_([state.value for state in GONE_STATES]))
    )
    found: dict[UUID, Gone] = {}
    for deletion, proposer, approver in await session.execute(query):
        if deletion.proposed_by is None or deletion.approved_by is None or deletion.effective_at is None:
            continue
        found[deletion.recording_id] = Gone(
            recording_id=deletion.recording_id,
            at=deletion.effective_at,
            retention_class=deletion.retention_class,
            reason=deletion.reason,
            proposed_by=deletion.proposed_by,
            proposed_by_name=proposer,
            approved_by=deletion.approved_by,
            approved_by_name=approver,
        )
    return found
