"""What a court's money needs of its bank: paying once by number, and the statement of the main account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from assets.case_accounts.states import PaymentPurpose


@dataclass(frozen=True, slots=True)
class PayOrder:
    """Pay an amount out of the main account; repeated with the same number it is one payment."""

    number: str
    main_number: str
    sub_number: str
    case_number: str
    payee_name: str
    payee_account: str
    payee_bank_code: str
    cents: int
    purpose: PaymentPurpose


@dataclass(frozen=True, slots=True)
class PayReceipt:
    """The bank's definite answer to one number."""

    number: str
    is_paid: bool
    bank_serial: str = ""
    receipt_number: str = ""
    paid_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the bank's statement; `cents` is negative for what went out."""

    serial: str
    at: datetime
    cents: int
    counterparty_name: str
    counterparty_account: str
    remark: str
    sub_number: str
    order_number: str
    """The number of our payment order; empty for what came in."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The main account at the bank over some days, both with."""

    since: date
    until: date
    opening_cents: int
    closing_cents: int
    movements: tuple[Movement, ...]


class PayingBank(Protocol):
    """The bank that keeps the main account."""

    @property
    def name(self) -> str:
        """How errors and logs call it."""

    async def pay(self, order: PayOrder) -> PayReceipt:
        """Pay, or say what became of this number before.

        Raises:
            GatewayRefused, GatewayObjected: it doesn't take the order; `reason` holds its words.
            GatewayAccepted: it has the order and works on it.
            GatewayBusy: nothing was sent.
            GatewayUnreachable, GatewayBroke, GatewayAnsweredGarbage: the outcome is unknown.
        """

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        """What came in and went out on these days.

        Raises:
            GatewayTrouble: there is no statement to be had now.
        """

    async def close(self) -> None:
        """Give back every connection."""
