"""How far what is controlled covers the claim, and whether an order goes beyond it by too much.

Cover is the sum of what each measure in force would bring: of money what is really held, of things
max(0, valuation × factor − what belongs to others first). What waits counts nothing. Factor and threshold are practice,
not law; that nothing is to be seized obviously beyond the claim is 查扣冻 §19 and 民诉法 §253.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, func, literal, or_, select
from sqlalchemy import case as sql_case
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.ledger_tables import LedgerAccount
from assets.case_accounts.states import AccountKind
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import Asset, Case, ControlMeasure
from assets.terms import AssetKind

COLLECTED = frozenset(
    kind.value
    for kind in (
        AccountKind.UNDISTRIBUTED,
        AccountKind.HELD,
        AccountKind.PAYING,
        AccountKind.PAID,
        AccountKind.FEES,
    )
)
"""Where money that came in for the claim lies in the books; court fees paid in advance and refunds are none of it."""
WHOLE = 10_000
"""Factors and thresholds are in ten-thousandths, so that all sums are of integers."""


@dataclass(frozen=True, slots=True)
class CoverRules:
    """Practice of the court."""

    factor: int = 5_600
    """What of a thing's valuation a sale brings: 0.70 × 0.80, in ten-thousandths."""
    threshold: int = 12_000
    """Beyond how much of the claim an order is over the limit, in ten-thousandths."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What covers the claim of one case."""

    claim_cents: int
    money_cents: int
    """Really held on accounts."""
    things_cents: int
    collected_cents: int
    """In the court's hands already: transferred from accounts, or arrived for the case and not given back."""
    intended_cents: int
    """Ordered and not answered yet: it may be held already."""
    unvalued: int
    """Things in force whose value nobody has said: they count nothing here."""

    @property
    def covered_cents(self) -> int:
        """What the court really has or holds."""
        return self.money_cents + self.things_cents + self.collected_cents


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would add, before anything is sent."""

    cover: Cover
    added_cents: int
    is_valued: bool
    """Whether anybody knows what the thing is worth."""
    will_wait: bool
    """Somebody stands before it already, as far as is known: then it adds nothing."""
    limit_cents: int
    is_over_limit: bool


async def cover(
    session: AsyncSession,
    case_id: UUID,
    today: date,
    rules: CoverRules = CoverRules(),
) -> Cover:
    """What covers the claim of a case, summed up by the database."""
    is_money = Asset.kind == AssetKind.BANK_ACCOUNT.value
    holds = ControlMeasure.state.in_([state.value for state in EFFECTIVE]) & or_(
        ControlMeasure.ends_on.is_(None), ControlMeasure.ends_on >= today
    )
    intended = ControlMeasure.state == MeasureState.INTENDED.value
    worth = Asset.valuation_cents * rules.factor // WHOLE - Asset.prior_cents
    worth = sql_case((worth > 0, worth), else_=0)
    asked = func.coalesce(ControlMeasure.asked_cents, Asset.available_cents, 0)

    sums = (
        select(
            _total(is_money & holds, ControlMeasure.controlled_cents),
            _total(~is_money & holds & Asset.valuation_cents.is_not(None), worth),
            func.coalesce(func.sum(ControlMeasure.transferred_cents), 0),
            _total(is_money & intended, asked),
            _total(~is_money & intended & Asset.valuation_cents.is_not(None), worth),
            _total(~is_money & holds & Asset.valuation_cents.is_(None), literal(1)),
        )
        .join(Asset, Asset.id == ControlMeasure.asset_id)
        .where(ControlMeasure.case_id == case_id, ControlMeasure.follows_id.is_(None))
    )
    # What was transferred arrives a little later, and debtors pay by themselves too: the larger is surely collected.
    arrived = select(func.coalesce(func.sum(LedgerAccount.balance_cents), 0)).where(
        LedgerAccount.owner_id == case_id, LedgerAccount.kind.in_(COLLECTED)
    )
    claim = await session.scalar(select(Case.claim_cents).where(Case.id == case_id))
    row = [int(one) for one in (await session.execute(sums)).one()]
    return Cover(
        claim_cents=claim or 0,
        money_cents=row[0],
        things_cents=row[1],
        collected_cents=max(row[2], int((await session.execute(arrived)).scalar_one())),
        intended_cents=row[3] + row[4],
        unvalued=row[5],
    )


def _total(condition: ColumnElement[bool], amount: SQLColumnExpression[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(sql_case((condition, amount), else_=0)), 0)


def worth_cents(asset: Asset, amount_cents: int | None, rules: CoverRules) -> int | None:
    """What a control of this asset would hold; None where nobody knows its value."""
    if asset.kind == AssetKind.BANK_ACCOUNT:
        bounds = [one for one in (amount_cents, asset.available_cents) if one is not None]
        return min(bounds) if bounds else None
    if asset.valuation_cents is None:
        return None
    return max(0, asset.valuation_cents * rules.factor // WHOLE - asset.prior_cents)


def preview(present: Cover, asset: Asset, amount_cents: int | None, *, will_wait: bool, rules: CoverRules) -> Preview:
    """Hold what an order would add against the claim."""
    worth = worth_cents(asset, amount_cents, rules)
    added = 0 if will_wait else worth or 0
    limit = present.claim_cents * rules.threshold // WHOLE
    return Preview(
        cover=present,
        added_cents=added,
        is_valued=worth is not None,
        will_wait=will_wait,
        limit_cents=limit,
        is_over_limit=added > 0 and present.covered_cents + present.intended_cents + added > limit,
    )
