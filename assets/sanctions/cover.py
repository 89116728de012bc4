"""How far what is controlled covers the claim: whether seized assets suffice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.measures import EFFECTIVE
from assets.tables import Asset, Case, ControlMeasure
from assets.terms import AssetKind

REALISATION_PERCENT = 56
"""What is expected of a valuation when the thing is sold: practice, 0.70 × 0.80."""
_BEFORE_US = frozenset({"mortgage", "priority"})


@dataclass(frozen=True, slots=True)
class Cover:
    """What is controlled for a case against what is claimed; what only waits in line counts nothing."""

    cover_cents: int
    claim_cents: int
    unvalued: int = 0
    """How many controlled things have no value on record: the cover may be higher."""


class CoverOf(Protocol):
    """Whoever can say how far a case's claim is covered."""

    async def __call__(self, session: AsyncSession, case: Case, today: date) -> Cover:
        """The cover of this case on this day."""


async def cover_of_measures(session: AsyncSession, case: Case, today: date) -> Cover:
    """The cover by the measures in force: frozen money in full, things at what a sale is expected to bring."""
    rows = await session.execute(
        select(ControlMeasure, Asset)
        .join(Asset, Asset.id == ControlMeasure.asset_id)
        .where(
            ControlMeasure.case_id == case.id,
            ControlMeasure.state.in_(EFFECTIVE),
            # The land under a house that is seized is sold with it.
            ControlMeasure.follows_id.is_(None),
        )
    )
    covered: dict[UUID, int | None] = {}
    for measure, asset in rows:
        if measure.ends_on is not None and measure.ends_on < today:
            continue
        is_money = asset.kind == AssetKind.BANK_ACCOUNT
        covered[asset.id] = measure.controlled_cents if is_money else _worth(asset)
    known = [cents for cents in covered.values() if cents is not None]
    return Cover(sum(known), case.claim_cents, unvalued=len(covered) - len(known))


def _worth(asset: Asset) -> int | None:
    """What a sale may bring after those who come before us; None where nobody knows the value or their claims."""
    value = asset.valuation_cents if asset.valuation_cents is not None else asset.value_cents
    if value is None:
        return None
    before = [_amount(one) for one in asset.encumbrances if one.get("kind") in _BEFORE_US]
    if None in before:
        return None
    return max(0, value * REALISATION_PERCENT // 100 - sum(cents for cents in before if cents))


def _amount(encumbrance: Mapping[str, Any]) -> int | None:
    cents = encumbrance.get("amount_cents")
    return cents if isinstance(cents, int) else None
