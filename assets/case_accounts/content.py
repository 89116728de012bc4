"""A computation as it is kept and shown: each figure with the rule that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from assets.case_accounts.computing import ClaimFigures, Computation
from assets.case_accounts.distribution import Tier
from assets.case_accounts.practice import Practice
from assets.case_accounts.rounding import nearest_cent

FEE_RULE = "fee-tiers"
INTEREST_RULE = "doubled-interest"
DISTRIBUTION_RULE = "jieshi-508"
DOUBLED_LAST_RULE = "practice-doubled-last"


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where the shares go: an account for each person, a reason for each claim that is held."""

    payees: Mapping[UUID, UUID]
    """A person's id to the row of the account that they named."""
    holds: Mapping[UUID, str]
    """A claim's id to why its share is held."""
    rest_person_id: UUID | None = None


def content_of(computation: Computation, practice: Practice, where: Destinations) -> dict[str, Any]:
    """Everything of a computation in plain values."""
    return {
        "as_of": computation.as_of.isoformat(),
        "pot_cents": computation.pot_cents,
        "fee": _fee(computation),
        "claims": [_claim(claim, computation, where) for claim in computation.claims],
        "rest_cents": computation.distribution.rest_cents,
        "rest_person_id": str(where.rest_person_id) if where.rest_person_id else None,
        "rest_payee_id": _text(where.payees.get(where.rest_person_id)) if where.rest_person_id else None,
        "practice": {
            "credit_order": practice.credit_order.value,
            "fee_base": practice.fee_base.value,
            "interest_until": practice.interest_until.value,
            "counts_day_of_payment": practice.counts_day_of_payment,
            "doubled_interest_last": practice.doubled_interest_last,
        },
    }


def _fee(computation: Computation) -> dict[str, Any]:
    fee = computation.fee
    return {
        "rule": FEE_RULE,
        "base_cents": fee.base_cents,
        "least_cents": fee.least_cents,
        "parts": [
            {
                "from_cents": part.from_cents,
                "to_cents": part.to_cents,
                "per_mille": part.per_mille,
                "cents": nearest_cent(part.cents),
            }
            for part in fee.parts
        ],
        "total_cents": fee.cents,
        "taken_cents": computation.fee_taken_cents,
        "cents": computation.distribution.fee_cents,
    }


def _claim(claim: ClaimFigures, computation: Computation, where: Destinations) -> dict[str, Any]:
    found = claim.standing
    shares = [share for share in computation.distribution.shares if share.claim_id == claim.claim_id]
    return {
        "claim_id": str(claim.claim_id),
        "person_id": str(claim.creditor_id),
        "is_priority": claim.is_priority,
        "rank": claim.rank,
        "amount_cents": claim.amount_cents,
        "principal_cents": claim.principal_cents,
        "interest_from": claim.interest_from.isoformat() if claim.interest_from else None,
        "credited_cents": claim.credited_cents,
        "open_principal_cents": found.principal_cents,
        "open_ordinary_cents": found.ordinary_cents,
        "doubled_cents": found.doubled_cents,
        "interest_rule": INTEREST_RULE,
        "stretches": [
            {
                "since": one.since.isoformat(),
                "days": one.days,
                "principal_cents": one.principal_cents,
                "cents": nearest_cent(one.interest),
            }
            for one in found.stretches
        ],
        "shares": [
            {
                "tier": share.tier.value,
                "owed_cents": share.owed_cents,
                "cents": share.cents,
                "rule": DOUBLED_LAST_RULE if share.tier is Tier.DOUBLED else DISTRIBUTION_RULE,
            }
            for share in shares
        ],
        "cents": claim.cents,
        "hold_reason": where.holds.get(claim.claim_id, ""),
        "payee_id": _text(where.payees.get(claim.creditor_id)),
    }


def _text(row_id: UUID | None) -> str | None:
    return str(row_id) if row_id else None
