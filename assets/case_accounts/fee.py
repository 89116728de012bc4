"""The enforcement fee (申请执行费) by tiers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from assets.case_accounts.rounding import nearest_cent

LEAST_CENTS = 50_00
"""For an amount up to the first bound."""
FREE_CENTS = 10_000_00


@dataclass(frozen=True, slots=True)
class Tier:
    """A part of the amount and its rate; `up_to_cents` is None for the last."""

    up_to_cents: int | None
    per_mille: int


TIERS = (
    Tier(500_000_00, 15),
    Tier(5_000_000_00, 10),
    Tier(10_000_000_00, 5),
    Tier(None, 1),
)
"""1.5 %, 1 %, 0.5 %, 0.1 %. Source: 诉讼费用交纳办法 §14(1)."""


@dataclass(frozen=True, slots=True)
class TierPart:
    """What one tier contributes."""

    from_cents: int
    to_cents: int
    per_mille: int
    cents: Fraction
    """Exact: only the sum is rounded."""


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee on an amount, and how it comes about."""

    base_cents: int
    least_cents: int
    parts: tuple[TierPart, ...]
    cents: int


def enforcement_fee(base_cents: int) -> Fee:
    """The fee on `base_cents`: 50 yuan up to 10 000 yuan, then each part of the amount at its tier's rate.

    Nothing is charged on nothing. The sum is rounded to the nearest cent, once.
    """
    if base_cents <= 0:
        return Fee(0, 0, (), 0)
    parts, reached = [], FREE_CENTS
    for tier in TIERS:
        top = base_cents if tier.up_to_cents is None else min(base_cents, tier.up_to_cents)
        if top <= reached:
            break
        parts.append(TierPart(reached, top, tier.per_mille, Fraction((top - reached) * tier.per_mille, 1000)))
        reached = top
    exact = LEAST_CENTS + sum((part.cents for part in parts), Fraction(0))
    return Fee(base_cents, LEAST_CENTS, tuple(parts), nearest_cent(exact))
