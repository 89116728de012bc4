"""Who gets how much of a sum: the fee, then priority claims, then ordinary ones in proportion.

Source: 解释 §508.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from assets.case_accounts.rounding import share_out


class Tier(StrEnum):
    """Who comes first."""

    FEE = "fee"
    PRIORITY = "priority"
    ORDINARY = "ordinary"
    DOUBLED = "doubled"
    """Doubled interest, where practice has it come after every debt of the documents."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One creditor's claim as it stands; `claim_id` names it."""

    claim_id: UUID
    document_cents: int
    doubled_cents: int = 0
    is_priority: bool = False
    rank: int = 0
    """Among priority claims: a lower rank is satisfied first, equal ranks share in proportion."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim gets in one tier, of how much it has to get there."""

    claim_id: UUID
    tier: Tier
    rank: int
    owed_cents: int
    cents: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """A sum divided: fee + shares + rest = pot, to the cent."""

    pot_cents: int
    fee_cents: int
    shares: tuple[Share, ...]
    rest_cents: int
    """What remains when everybody has theirs; it goes back."""

    def of(self, claim_id: UUID) -> int:
        """All that one claim gets."""
        return sum(share.cents for share in self.shares if share.claim_id == claim_id)


def distribute(
    pot_cents: int, fee_cents: int, claims: Sequence[Owed], *, doubled_interest_last: bool = True
) -> Distribution:
    """Divide `pot_cents`: what is due of the fee first, then the tiers one after the other.

    Within a tier and rank everybody gets in proportion to what they have to get there; cents that don't divide go to
    the largest remainders (`share_out`).

    Source: 解释 §508.
    """
    fee = min(max(pot_cents, 0), fee_cents)
    left, shares = pot_cents - fee, list[Share]()
    for tier, rank, members in _tiers(claims, doubled_interest_last=doubled_interest_last):
        owed = [cents for _, cents in members]
        paid = owed if sum(owed) <= left else share_out(left, owed)
        left -= sum(paid)
        shares.extend(
            Share(claim.claim_id, tier, rank, due, got) for (claim, due), got in zip(members, paid, strict=True)
        )
    return Distribution(pot_cents, fee, tuple(shares), left)


_Group = tuple[Tier, int, list[tuple[Owed, int]]]


def _tiers(claims: Sequence[Owed], *, doubled_interest_last: bool) -> list[_Group]:
    groups: list[_Group] = []
    for rank in sorted({claim.rank for claim in claims if claim.is_priority}):
        same = [claim for claim in claims if claim.is_priority and claim.rank == rank]
        groups.append((Tier.PRIORITY, rank, [(one, _first(one, doubled_interest_last)) for one in same]))
    ordinary = [claim for claim in claims if not claim.is_priority]
    groups.append((Tier.ORDINARY, 0, [(one, _first(one, doubled_interest_last)) for one in ordinary]))
    if doubled_interest_last:
        groups.append((Tier.DOUBLED, 0, [(one, one.doubled_cents) for one in claims if one.doubled_cents > 0]))
    return [group for group in groups if group[2]]


def _first(claim: Owed, doubled_interest_last: bool) -> int:
    return claim.document_cents + (0 if doubled_interest_last else claim.doubled_cents)
