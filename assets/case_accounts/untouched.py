"""Whether anything was made of an arrival since its case has it: then it can't be taken from the case any more."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.accounts import balances
from assets.case_accounts.ledger_tables import Posting
from assets.case_accounts.states import (
    AccountKind,
    PaymentPurpose,
    PaymentState,
    PostingKind,
    ProposalKind,
    ProposalState,
)
from assets.case_accounts.tables import Arrival, CourtFeeRefund, Hold, Payment, Proposal
from assets.errors import Conflict


async def require_untouched(session: AsyncSession, arrival: Arrival, case_id: UUID, place: AccountKind) -> None:
    """Refuse where a distribution or a refund was computed or paid with this arrival.

    Raises:
        Conflict: it was, so that it takes more than to say whose it is.
    """
    if place is AccountKind.PREPAID:
        refunded = await session.scalar(select(CourtFeeRefund.id).where(CourtFeeRefund.arrival_id == arrival.id))
        refunds = (arrival.main_id, ProposalKind.FEE_REFUND, "arrival_id", arrival.id)
        if refunded is not None or await waits_about(session, *refunds):
            raise Conflict("arrival-computed")
    elif await _is_distributed(session, case_id, await _placed_at(session, arrival, case_id)):
        raise Conflict("arrival-computed")
    if (await balances(session, case_id))[place] < arrival.cents:
        raise Conflict("arrival-computed")


async def _placed_at(session: AsyncSession, arrival: Arrival, case_id: UUID) -> int:
    """The number of the posting that gave it to the case."""
    query = select(Posting.number).where(
        Posting.cause_id == arrival.id,
        Posting.case_id == case_id,
        Posting.kind.in_((PostingKind.ARRIVAL.value, PostingKind.CLAIM.value)),
    )
    return (await session.scalars(query.order_by(Posting.number.desc()).limit(1))).one()


async def _is_distributed(session: AsyncSession, case_id: UUID, placed_at: int) -> bool:
    """Whether a distribution waits for approval, or one after it paid or holds anything: each divides all there is."""
    waiting = select(Proposal.id).where(
        Proposal.case_id == case_id,
        Proposal.kind == ProposalKind.DISTRIBUTION.value,
        Proposal.state == ProposalState.PROPOSED.value,
    )
    after = select(Posting.cause_id).where(
        Posting.case_id == case_id, Posting.kind == PostingKind.ORDER.value, Posting.number > placed_at
    )
    paid = select(Payment.id).where(
        Payment.proposal_id.in_(after),
        Payment.purpose != PaymentPurpose.COURT_FEE.value,
        Payment.state != PaymentState.REFUSED.value,
    )
    held = select(Hold.id).where(Hold.proposal_id.in_(after), Hold.released_at.is_(None))
    for query in (waiting, paid, held):
        if (await session.scalars(query.limit(1))).first() is not None:
            return True
    return False


async def waits_about(session: AsyncSession, main_id: UUID, kind: ProposalKind, name: str, subject_id: UUID) -> bool:
    """Whether a proposal of this kind waits about the same; `name` is that of its id in the content."""
    query = select(Proposal.content).where(
        Proposal.main_id == main_id, Proposal.kind == kind.value, Proposal.state == ProposalState.PROPOSED.value
    )
    return any(one[name] == str(subject_id) for one in await session.scalars(query))
