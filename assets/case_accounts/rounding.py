"""Exact amounts brought to whole cents, by stated rules."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def nearest_cent(exact: Fraction) -> int:
    """Round to the nearest cent, a half upwards."""
    return int((exact + Fraction(1, 2)).__floor__())


def share_out(pot_cents: int, weights: Sequence[int]) -> list[int]:
    """Divide `pot_cents` in proportion to `weights`, to the cent.

    Everybody gets the whole cents of their exact share; the cents that remain go, one each, to the largest remainders,
    among equal ones to whoever stands first. So the shares' sum is exact, and nobody gets more than a cent too much.
    """
    total = sum(weights)
    if pot_cents <= 0 or total <= 0:
        return [0] * len(weights)
    shares = [pot_cents * weight // total for weight in weights]
    remainders = [pot_cents * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: pot_cents - sum(shares)]:
        shares[place] += 1
    return shares
