"""What no article says and courts settle by practice: each a setting, with its usual value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CreditOrder(StrEnum):
    """Which part of a debt a payment is credited to first."""

    ORDINARY_FIRST = "ordinary-first"
    """Interest and costs of the document, then its principal, then doubled interest."""
    PRINCIPAL_FIRST = "principal-first"
    """The principal, then interest and costs of the document, then doubled interest."""
    DOUBLED_FIRST = "doubled-first"
    """Doubled interest, then interest and costs of the document, then the principal."""


class FeeBase(StrEnum):
    """What the enforcement fee is reckoned on."""

    RECEIVED = "received"
    """The money that enforcement has brought in so far, at most what is claimed."""
    CLAIMED = "claimed"
    """All that the creditors claim."""


class InterestUntil(StrEnum):
    """The day up to which doubled interest runs."""

    ARRIVAL = "arrival"
    """The day on which the latest money to be distributed arrived: the debtor has paid by then."""
    COMPUTATION = "computation"
    """The day of the computation."""


@dataclass(frozen=True, slots=True)
class Practice:
    """The settings of one installation."""

    payout_days: int = 30
    """From the notice of an arrival to paying out."""
    days_after_ground: int = 10
    """To pay out after the ground of a deferral has ended."""
    credit_order: CreditOrder = CreditOrder.ORDINARY_FIRST
    fee_base: FeeBase = FeeBase.RECEIVED
    interest_until: InterestUntil = InterestUntil.ARRIVAL
    counts_day_of_payment: bool = False
    """Whether doubled interest runs on the day of payment too."""
    doubled_interest_last: bool = True
    """In a distribution, doubled interest comes after every debt of the documents; else it shares with its claim."""
    court_fee_words: tuple[str, ...] = ("诉讼费", "受理费")
    """A remark with one of these is a court fee paid in advance, no money of the enforcement."""
    chase_seconds: float = 60.0
    """How long after an unanswered payment order the next asking comes; doubled each time, up to an hour."""


FEE_REFUND_DAYS = 15
"""A court fee that was paid in advance goes back within so many days of effectiveness."""
