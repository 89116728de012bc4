"""The life of one delivery: which step may follow which, and the times that each step sets."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from command_center.errors import Invalid
from command_center.operations.tables import Delivery
from streams.protocol import ReceiptState


class DeliveryState(StrEnum):
    """Where an instruction stands at one officer; the centre and the phone show these words."""

    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"


_S = DeliveryState
_NEXT: dict[DeliveryState, frozenset[DeliveryState]] = {
    # A receipt may be lost or overtaken on the way, so a later step may come first and stands for those before it.
    _S.SENT: frozenset({_S.DELIVERED, _S.SEEN, _S.ACCEPTED, _S.REFUSED, _S.DONE}),
    _S.DELIVERED: frozenset({_S.SEEN, _S.ACCEPTED, _S.REFUSED, _S.DONE}),
    _S.SEEN: frozenset({_S.ACCEPTED, _S.REFUSED, _S.DONE}),
    _S.ACCEPTED: frozenset({_S.DONE}),
    _S.REFUSED: frozenset(),
    _S.DONE: frozenset(),
}
UNANSWERED = (_S.SENT, _S.DELIVERED, _S.SEEN)
"""The states in which the deadline still runs."""

_REACHED: dict[DeliveryState, tuple[str, ...]] = {
    _S.SENT: (),
    _S.DELIVERED: ("delivered_at",),
    _S.SEEN: ("delivered_at", "seen_at"),
    _S.ACCEPTED: ("delivered_at", "seen_at", "answered_at"),
    _S.REFUSED: ("delivered_at", "seen_at", "answered_at"),
    _S.DONE: ("delivered_at", "seen_at", "answered_at", "done_at"),
}


def move(delivery: Delivery, step: ReceiptState, at: datetime, reason: str = "") -> bool:
    """The only place that changes a delivery's state; False where the step is out of date and changes nothing.

    Raises:
        Invalid: a refusal without a reason.
    """
    new = DeliveryState(step.value)
    if new is DeliveryState.REFUSED and not reason.strip():
        raise Invalid("reason-required")
    if new not in _NEXT[DeliveryState(delivery.state)]:
        return False
    delivery.state = new.value
    for column in _REACHED[new]:
        if getattr(delivery, column) is None:
            setattr(delivery, column, at)
    if new is DeliveryState.REFUSED:
        delivery.reason = reason.strip()
    return True
