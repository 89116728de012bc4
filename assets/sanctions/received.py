"""What came in for a claim: whether it may be that the duty has been performed and a sanction has to go."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.ledger_tables import SubAccount
from assets.case_accounts.states import ArrivalPurpose
from assets.case_accounts.tables import Arrival


async def received_of(session: AsyncSession, case_ids: Collection[UUID]) -> dict[UUID, int]:
    """What was paid in for each of these cases, in cents; a case for which no account is kept is left out."""
    kept = await session.scalars(select(SubAccount.case_id).where(SubAccount.case_id.in_(case_ids)))
    found = dict.fromkeys(kept, 0)
    arrived = (
        select(Arrival.case_id, func.sum(Arrival.cents))
        .where(Arrival.case_id.in_(found), Arrival.purpose == ArrivalPurpose.ENFORCEMENT.value)
        .group_by(Arrival.case_id)
    )
    for case_id, cents in await session.execute(arrived):
        if case_id is not None:
            found[case_id] = int(cents)
    return found
