"""The states of what happens on a case's account, and which step follows which."""

from __future__ import annotations

from enum import StrEnum


class AccountKind(StrEnum):
    """Where money is. Every posting moves it between these, so that they always add up to nothing."""

    RECEIVED = "received"
    """All that ever came in; the source, so its balance is negative or nothing."""
    UNCLAIMED = "unclaimed"
    """Waiting to be claimed (待认领): it belongs to no case yet."""
    UNDISTRIBUTED = "undistributed"
    PREPAID = "prepaid"
    """Court fees paid in advance (预交诉讼费)."""
    HELD = "held"
    """Kept back, with a reason."""
    PAYING = "paying"
    """Ordered to be paid; until the bank says so it may still be there."""
    PAID = "paid"
    """To creditors."""
    REFUNDED = "refunded"
    FEES = "fees"


AT_BANK = frozenset(
    {
        AccountKind.UNCLAIMED,
        AccountKind.UNDISTRIBUTED,
        AccountKind.PREPAID,
        AccountKind.HELD,
        AccountKind.PAYING,
    }
)
"""What lies in the main account: their sum is its balance."""


class PostingKind(StrEnum):
    """Why money was moved."""

    ARRIVAL = "arrival"
    CLAIM = "claim"
    UNMATCH = "unmatch"
    """It was another's: the case has it no more, and it waits to be claimed again."""
    ORDER = "order"
    """A distribution was approved: what is to be paid is set apart, what is held too."""
    PAYMENT = "payment"
    """The bank has paid."""
    RETURN = "return"
    """The bank has refused to pay: the money is where it was before."""
    RELEASE = "release"
    """What was held isn't any more."""


class ArrivalState(StrEnum):
    """Whether it is known which case an arrival is for."""

    WAITING = "waiting"
    MATCHED = "matched"
    """By the number of the sub-account or of the case."""
    CLAIMED = "claimed"
    """By a judge."""
    RETURNED = "returned"
    """It was nobody's, and goes back to its payer."""


class ArrivalPurpose(StrEnum):
    """What an arrival is."""

    ENFORCEMENT = "enforcement"
    COURT_FEE = "court_fee"


class ProposalKind(StrEnum):
    """What one person proposes and another decides."""

    DISTRIBUTION = "distribution"
    DEFERRAL = "deferral"
    FEE_REFUND = "fee_refund"
    RETURN = "return"
    """Of an arrival that is for no case, to its payer."""
    SETTLEMENT = "settlement"
    """What became of a payment that the bank's own answers don't tell, by its papers."""


class ProposalState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    """Of a deferral: its ground has ended."""


NEXT_PROPOSAL: dict[ProposalState, frozenset[ProposalState]] = {
    ProposalState.PROPOSED: frozenset({ProposalState.APPROVED, ProposalState.REJECTED, ProposalState.WITHDRAWN}),
    ProposalState.APPROVED: frozenset({ProposalState.ENDED}),
    ProposalState.REJECTED: frozenset(),
    ProposalState.WITHDRAWN: frozenset(),
    ProposalState.ENDED: frozenset(),
}


class PaymentPurpose(StrEnum):
    """What a payment is for; it decides in which account it ends."""

    CLAIM = "claim"
    FEE = "fee"
    REST = "rest"
    COURT_FEE = "court_fee"
    RETURN = "return"

    @property
    def ends_in(self) -> AccountKind:
        """Where the money is once it is paid."""
        if self is PaymentPurpose.CLAIM:
            return AccountKind.PAID
        return AccountKind.FEES if self is PaymentPurpose.FEE else AccountKind.REFUNDED

    @property
    def comes_from(self) -> AccountKind:
        """Where the money was before it was ordered."""
        if self is PaymentPurpose.COURT_FEE:
            return AccountKind.PREPAID
        return AccountKind.UNCLAIMED if self is PaymentPurpose.RETURN else AccountKind.UNDISTRIBUTED


class PaymentState(StrEnum):
    """Where a payment order stands. An unanswered one is unknown, not failed: the bank may have paid."""

    ORDERED = "ordered"
    """Approved; nothing has left yet."""
    SENT = "sent"
    UNKNOWN = "unknown"
    PAID = "paid"
    REFUSED = "refused"


NEXT_PAYMENT: dict[PaymentState, frozenset[PaymentState]] = {
    PaymentState.ORDERED: frozenset({PaymentState.SENT}),
    # Back to ordered where nothing could be sent: the bank was asked too often, or rests after failures.
    PaymentState.SENT: frozenset({PaymentState.ORDERED, PaymentState.UNKNOWN, PaymentState.PAID, PaymentState.REFUSED}),
    PaymentState.UNKNOWN: frozenset({PaymentState.PAID, PaymentState.REFUSED}),
    PaymentState.PAID: frozenset(),
    # Only where the bank's statement shows that it had paid what it then said it refused.
    PaymentState.REFUSED: frozenset({PaymentState.PAID}),
}
PAID_AFTER_REFUSAL = "paid-after-refusal"
"""The trouble of a payment that was refused, and is on the statement as paid when its money is ordered elsewhere."""

OPEN_PAYMENTS = frozenset({PaymentState.ORDERED, PaymentState.SENT, PaymentState.UNKNOWN})
"""What the payer goes on asking for, with the same number."""
IN_DOUBT = frozenset({PaymentState.SENT, PaymentState.UNKNOWN})
"""What has left and has no definite answer: the bank's papers may settle it."""


class Outcome(StrEnum):
    """What the bank's papers say of a payment in doubt."""

    PAID = "paid"
    NOT_EXECUTED = "not-executed"


class DiscrepancyCode(StrEnum):
    """What is wrong with money that left the main account by the bank's statement."""

    ORDER_AMOUNT = "order-amount-differs"
    """Under an order's number, and not the amount that was ordered."""
    PAID_TWICE = "paid-twice"
    """Under the number of an order that another movement has paid already."""
    SERIAL = "serial-differs"
    """The payment of its order, which is booked with a serial that no movement has: a slip in the papers."""
    NOT_ORDERED = "not-ordered"
    """Under no number of ours."""
