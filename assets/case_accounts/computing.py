"""What a case's money comes to on a day: each claim as it stands, the fee, and who gets how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.accounts import balances
from assets.case_accounts.distribution import Distribution, Owed, distribute
from assets.case_accounts.fee import Fee, enforcement_fee
from assets.case_accounts.interest import Debt, Paid, Standing, standing
from assets.case_accounts.practice import FeeBase, InterestUntil, Practice
from assets.case_accounts.states import AccountKind, ArrivalPurpose, PaymentPurpose, PaymentState
from assets.case_accounts.tables import Arrival, Hold, Payment
from assets.errors import BadFormat, Conflict
from assets.tables import Claim
from assets.terms import china_day


@dataclass(frozen=True, slots=True)
class ClaimFigures:
    """One claim as it stands on the day of the computation, and what it gets."""

    claim_id: UUID
    creditor_id: UUID
    is_priority: bool
    rank: int
    amount_cents: int
    principal_cents: int
    interest_from: date | None
    credited_cents: int
    """Paid, being paid or held for it before."""
    standing: Standing
    cents: int
    """What it gets now."""


@dataclass(frozen=True, slots=True)
class Computation:
    """A proposal in figures."""

    as_of: date
    pot_cents: int
    fee: Fee
    fee_taken_cents: int
    """Of the fee, before."""
    distribution: Distribution
    claims: tuple[ClaimFigures, ...]


@dataclass(frozen=True, slots=True)
class _Past:
    """What was done with the case's money before."""

    credited: Mapping[UUID, Sequence[Paid]]
    fee_taken_cents: int
    received_cents: int
    last_arrival: date | None


async def compute(
    session: AsyncSession,
    case_id: UUID,
    *,
    today: date,
    practice: Practice,
    as_of: date | None = None,
    ranks: Mapping[UUID, int] | None = None,
) -> Computation:
    """Divide all that lies undistributed in the case's account.

    Raises:
        BadFormat: `as_of` lies in the future, or `ranks` name claims that don't come first.
        Conflict: nothing is there to be distributed, or nobody to get it.
    """
    pot = (await balances(session, case_id))[AccountKind.UNDISTRIBUTED]
    claims = list(await session.scalars(select(Claim).where(Claim.case_id == case_id).order_by(Claim.id)))
    if not claims:
        raise Conflict("no-claims")
    if pot <= 0:
        raise Conflict("nothing-to-distribute")
    _check_ranks(claims, ranks or {})
    past = await _past(session, case_id)
    day = _day(as_of, past, today, practice)
    figures = [(claim, _standing(claim, past, day, practice)) for claim in claims]
    fee = enforcement_fee(_fee_base(figures, past, practice))
    fee_due = max(0, fee.cents - past.fee_taken_cents)
    shares = distribute(
        pot,
        fee_due,
        [_owed(claim, found, (ranks or {}).get(claim.id, 0)) for claim, found in figures],
        doubled_interest_last=practice.doubled_interest_last,
    )
    return Computation(
        as_of=day,
        pot_cents=pot,
        fee=fee,
        fee_taken_cents=past.fee_taken_cents,
        distribution=shares,
        claims=tuple(_figures(claim, found, past, shares, (ranks or {}).get(claim.id, 0)) for claim, found in figures),
    )


async def facts_now(session: AsyncSession, case_id: UUID) -> dict[str, Any]:
    """What a computation would be made from now, the sum left out, in plain values."""
    claims = await session.scalars(select(Claim).where(Claim.case_id == case_id))
    past = await _past(session, case_id)
    return {
        "claims": {
            str(claim.id): {
                "person_id": str(claim.creditor_id),
                "amount": claim.amount_cents,
                "principal": claim.principal_cents,
                "is_priority": claim.is_priority,
                "interest_from": claim.interest_from.isoformat() if claim.interest_from else "",
            }
            for claim in claims
        },
        "credited": sorted(
            [str(claim), str(one.on), one.cents] for claim, paid in past.credited.items() for one in paid
        ),
        "fee_taken": past.fee_taken_cents,
    }


async def _past(session: AsyncSession, case_id: UUID) -> _Past:
    credited: defaultdict[UUID, list[Paid]] = defaultdict(list)
    fee_taken = 0
    paid = select(Payment).where(Payment.case_id == case_id, Payment.state != PaymentState.REFUSED.value)
    for payment in await session.scalars(paid.order_by(Payment.id)):
        if payment.claim_id is not None:
            credited[payment.claim_id].append(Paid(payment.credited_on, payment.cents))
        elif payment.purpose == PaymentPurpose.FEE:
            fee_taken += payment.cents
    held = select(Hold).where(Hold.case_id == case_id, Hold.released_at.is_(None)).order_by(Hold.id)
    for hold in await session.scalars(held):
        credited[hold.claim_id].append(Paid(hold.credited_on, hold.cents))
    came = select(func.coalesce(func.sum(Arrival.cents), 0), func.max(Arrival.arrived_at)).where(
        Arrival.case_id == case_id, Arrival.purpose == ArrivalPurpose.ENFORCEMENT.value
    )
    received, last = (await session.execute(came)).one()
    return _Past(credited, fee_taken, int(received), china_day(last) if last else None)


def _day(as_of: date | None, past: _Past, today: date, practice: Practice) -> date:
    if as_of is not None:
        if as_of > today:
            raise BadFormat("as-of", "future")
        return as_of
    if practice.interest_until is InterestUntil.ARRIVAL and past.last_arrival is not None:
        return past.last_arrival
    return today


def _standing(claim: Claim, past: _Past, day: date, practice: Practice) -> Standing:
    debt = Debt(claim.principal_cents, max(0, claim.amount_cents - claim.principal_cents), claim.interest_from)
    return standing(
        debt,
        # Whatever was given before this day's computation counts, even what was credited on a later day.
        [Paid(min(one.on, day), one.cents) for one in past.credited.get(claim.id, ())],
        day,
        order=practice.credit_order,
        counts_day_of_payment=practice.counts_day_of_payment,
    )


def _fee_base(figures: Iterable[tuple[Claim, Standing]], past: _Past, practice: Practice) -> int:
    claimed = sum(claim.amount_cents + found.earned_cents for claim, found in figures)
    return claimed if practice.fee_base is FeeBase.CLAIMED else min(past.received_cents, claimed)


def _owed(claim: Claim, found: Standing, rank: int) -> Owed:
    return Owed(claim.id, found.document_cents, found.doubled_cents, claim.is_priority, rank)


def _figures(claim: Claim, found: Standing, past: _Past, shares: Distribution, rank: int) -> ClaimFigures:
    return ClaimFigures(
        claim_id=claim.id,
        creditor_id=claim.creditor_id,
        is_priority=claim.is_priority,
        rank=rank,
        amount_cents=claim.amount_cents,
        principal_cents=claim.principal_cents,
        interest_from=claim.interest_from,
        credited_cents=sum(one.cents for one in past.credited.get(claim.id, ())),
        standing=found,
        cents=shares.of(claim.id),
    )


def _check_ranks(claims: Sequence[Claim], ranks: Mapping[UUID, int]) -> None:
    if set(ranks) - {claim.id for claim in claims if claim.is_priority}:
        raise BadFormat("rank", "no-priority")
