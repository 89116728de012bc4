"""How long recordings are kept by class, and what stands in the way of deleting one: rules that read nothing.

No national period is known for recordings of enforcement. The classes are practice: A ordinary, at least six months;
B search, seizure, eviction, as long as the case file; C resistance, complaint, detention, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from command_center.config import Settings


class RetentionClass(StrEnum):
    """How long a recording is kept at least; the periods are settings."""

    A = "A"
    """Ordinary."""
    B = "B"
    """Search, seizure, eviction."""
    C = "C"
    """Resistance, complaint, detention."""


DEFAULT_CLASS = RetentionClass.B


class DeletionState(StrEnum):
    """Where a recording's deletion stands."""

    DUE = "due"
    """Its period is over; nobody has proposed anything yet."""
    PROPOSED = "proposed"
    APPROVED = "approved"
    """A second person agreed; until it takes effect either may withdraw."""
    DELETING = "deleting"
    """It has taken effect and goes through, whatever happens."""
    DONE = "done"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    """By whom it was to be approved, or by a rule meanwhile."""


OPEN_STATES = (DeletionState.DUE, DeletionState.PROPOSED, DeletionState.APPROVED)
"""What can still be stopped."""
GONE_STATES = (DeletionState.DELETING, DeletionState.DONE)

NEXT_STATES: Mapping[DeletionState, frozenset[DeletionState]] = {
    DeletionState.DUE: frozenset({DeletionState.PROPOSED}),
    DeletionState.PROPOSED: frozenset({DeletionState.APPROVED, DeletionState.WITHDRAWN, DeletionState.REFUSED}),
    DeletionState.APPROVED: frozenset({DeletionState.DELETING, DeletionState.WITHDRAWN, DeletionState.REFUSED}),
    DeletionState.DELETING: frozenset({DeletionState.DONE, DeletionState.REFUSED}),
    DeletionState.DONE: frozenset(),
    DeletionState.WITHDRAWN: frozenset(),
    DeletionState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Periods:
    """For how many days each class is kept after a recording's end; 0 is for ever."""

    a: int
    b: int
    c: int

    def days(self, retention_class: RetentionClass) -> int:
        """Those of one class."""
        return {RetentionClass.A: self.a, RetentionClass.B: self.b, RetentionClass.C: self.c}[retention_class]

    def keeps_longer(self, one: RetentionClass, other: RetentionClass) -> bool:
        """Whether `one` is kept longer than `other`."""
        days, others = self.days(one), self.days(other)
        return others != 0 and (days == 0 or days > others)

    def over_at(self, retention_class: RetentionClass, ended_at: datetime) -> datetime | None:
        """When the period of a recording is over that ended then; None for never."""
        days = self.days(retention_class)
        return ended_at + timedelta(days=days) if days else None

    def ended_before(self, retention_class: RetentionClass, at: datetime) -> datetime | None:
        """Before when a recording has ended whose period is over at `at`; None where no period ever is."""
        days = self.days(retention_class)
        return at - timedelta(days=days) if days else None


def periods_of(settings: Settings) -> Periods:
    """The periods that an installation has chosen."""
    return Periods(settings.retention_days_a, settings.retention_days_b, settings.retention_days_c)


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a recording decides whether it may be deleted."""

    ended_at: datetime | None
    retention_class: RetentionClass
    is_held: bool
    is_exported: bool = False
    """An export of it runs."""


PASSING = "export-running"
"""An obstacle to proposing and approving that goes by itself: what two people have decided waits for no export."""


def obstacle(standing: Standing, periods: Periods, at: datetime) -> str | None:
    """Why it may not be deleted at `at`, as an error's code; None where it may."""
    if standing.ended_at is None:
        return "recording-growing"
    if standing.is_held:
        return "legal-hold"
    over_at = periods.over_at(standing.retention_class, standing.ended_at)
    if over_at is None:
        return "kept-for-ever"
    if over_at > at:
        return "period-not-over"
    return PASSING if standing.is_exported else None
