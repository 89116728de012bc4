"""Doubled interest (加倍部分债务利息), with payments that change the principal over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from assets.case_accounts.practice import CreditOrder
from assets.case_accounts.rounding import nearest_cent

DAILY_RATE = Fraction(175, 1_000_000)
"""0.0175 % a day of the unpaid principal. Source: 法释〔2014〕8号 §1."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What one creditor is owed by the document that is enforced."""

    principal_cents: int
    ordinary_cents: int = 0
    """Interest, costs and whatever else the document names beside the principal; doubled interest runs not on it."""
    interest_from: date | None = None
    """The first day of doubled interest; None where there is none."""


@dataclass(frozen=True, slots=True)
class Paid:
    """An amount that the debtor paid on a day."""

    on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which the unpaid principal was the same: `since` is the first, `days` how many."""

    since: date
    days: int
    principal_cents: int
    interest: Fraction
    """Exact, in cents."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a debt is open on a day, and how doubled interest came about."""

    on: date
    principal_cents: int
    ordinary_cents: int
    doubled_cents: int
    earned_cents: int
    """All doubled interest up to the day, paid or not."""
    stretches: tuple[Stretch, ...]
    overpaid_cents: int

    @property
    def document_cents(self) -> int:
        """What is open of the document itself."""
        return self.principal_cents + self.ordinary_cents

    @property
    def total_cents(self) -> int:
        """All that is open."""
        return self.document_cents + self.doubled_cents


class _Account:
    """A debt while payments are credited to it; parts are kept in cents, earned interest exactly."""

    def __init__(self, debt: Debt, order: CreditOrder) -> None:
        self.parts = {"principal": debt.principal_cents, "ordinary": debt.ordinary_cents}
        self.earned = Fraction(0)
        self.credited = 0
        self.overpaid = 0
        self._order = _ORDERS[order]

    @property
    def doubled(self) -> int:
        """Doubled interest that was earned and not paid yet, to the nearest cent."""
        return max(0, nearest_cent(self.earned) - self.credited)

    def credit(self, cents: int) -> None:
        for part in self._order:
            taken = min(cents, self.doubled if part == "doubled" else self.parts[part])
            cents -= taken
            if part == "doubled":
                self.credited += taken
            else:
                self.parts[part] -= taken
        self.overpaid += cents


_ORDERS = {
    CreditOrder.ORDINARY_FIRST: ("ordinary", "principal", "doubled"),
    CreditOrder.PRINCIPAL_FIRST: ("principal", "ordinary", "doubled"),
    CreditOrder.DOUBLED_FIRST: ("doubled", "ordinary", "principal"),
}


def standing(
    debt: Debt,
    payments: Sequence[Paid],
    on: date,
    *,
    order: CreditOrder = CreditOrder.ORDINARY_FIRST,
    counts_day_of_payment: bool = False,
) -> Standing:
    """What is open of `debt` on a day, after `payments` up to and with that day.

    Doubled interest = unpaid principal × 0.0175 % × days, added up exactly over the stretches between payments and
    rounded to the nearest cent once. A day belongs to the stretch that it begins; the day of a payment, and the last
    one, counts for the principal before it only where practice says so.
    """
    account, stretches = _Account(debt, order), list[Stretch]()
    begins = debt.interest_from
    shift = timedelta(days=1 if counts_day_of_payment else 0)
    for payment in sorted((one for one in payments if one.on <= on), key=lambda one: one.on):
        begins = _run(account, stretches, begins, payment.on + shift)
        account.credit(payment.cents)
    _run(account, stretches, begins, on + shift)
    return Standing(
        on=on,
        principal_cents=account.parts["principal"],
        ordinary_cents=account.parts["ordinary"],
        doubled_cents=account.doubled,
        earned_cents=nearest_cent(account.earned),
        stretches=tuple(stretches),
        overpaid_cents=account.overpaid,
    )


def _run(account: _Account, stretches: list[Stretch], begins: date | None, ends: date) -> date | None:
    """Let interest run from `begins` up to, and not with, `ends`; give the day from which it runs on."""
    if begins is None or ends <= begins:
        return begins
    principal, days = account.parts["principal"], (ends - begins).days
    if principal > 0:
        interest = principal * days * DAILY_RATE
        account.earned += interest
        stretches.append(Stretch(begins, days, principal, interest))
    return ends
