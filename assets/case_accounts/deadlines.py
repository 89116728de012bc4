"""By when money has to be paid out or given back, and how many days are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from assets.case_accounts.practice import FEE_REFUND_DAYS, Practice


class ClockState(StrEnum):
    """How a deadline stands."""

    NONE = "none"
    """Nothing waits to be paid out."""
    RUNNING = "running"
    OVERDUE = "overdue"
    DEFERRED = "deferred"
    """Put off with a ground that somebody approved and that hasn't ended."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day and how many are left to it; fewer than none where it is past."""

    state: ClockState
    due_on: date | None = None
    days_left: int | None = None


@dataclass(frozen=True, slots=True)
class Deferral:
    """An approved deferral; `ended_on` None while its ground goes on."""

    approved_on: date
    ended_on: date | None


NO_DEADLINE = Deadline(ClockState.NONE)


def payout_deadline(
    arrivals: Sequence[tuple[date, int]],
    open_cents: int,
    deferrals: Sequence[Deferral],
    today: date,
    practice: Practice,
) -> Deadline:
    """When the money of a case that isn't paid out yet has to be.

    `arrivals` are days of notice and amounts; `open_cents` is what of them isn't paid out. What was paid out counts
    for the oldest arrivals, so the clock runs from the oldest of which something is left. While a deferral's ground
    goes on nothing is due; when it has ended, no less than so many days more remain.

    Source: practice, both the 30 days and how the days run after a ground.
    """
    if open_cents <= 0:
        return NO_DEADLINE
    if any(one.ended_on is None for one in deferrals):
        return Deadline(ClockState.DEFERRED)
    due = _oldest_open(arrivals, open_cents, today) + timedelta(days=practice.payout_days)
    for deferral in deferrals:
        if deferral.ended_on is not None and deferral.approved_on <= due:
            due = max(due, deferral.ended_on + timedelta(days=practice.days_after_ground))
    return _until(due, today)


def fee_refund_deadline(prepaid_cents: int, effective_on: date | None, today: date) -> Deadline:
    """When a court fee that was paid in advance has to be back: 15 days after the document became effective."""
    if prepaid_cents <= 0 or effective_on is None:
        return NO_DEADLINE
    return _until(effective_on + timedelta(days=FEE_REFUND_DAYS), today)


def _oldest_open(arrivals: Sequence[tuple[date, int]], open_cents: int, today: date) -> date:
    handled = sum(cents for _, cents in arrivals) - open_cents
    for day, cents in sorted(arrivals):
        handled -= cents
        if handled < 0:
            return day
    return today


def _until(due: date, today: date) -> Deadline:
    left = (due - today).days
    return Deadline(ClockState.OVERDUE if left < 0 else ClockState.RUNNING, due, left)
