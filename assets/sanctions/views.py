"""What may be shown of a sanction; names and numbers are masked but where they were published."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from assets.holidays import WorkingDays
from assets.masks import masked_id, masked_name, masked_words
from assets.sanctions.checks import Check
from assets.sanctions.states import LIVE, STANDING, SanctionState
from assets.sanctions.tables import Sanction, SanctionPublication, SanctionStep
from assets.tables import Case, Person
from assets.terms import china_day

_FREE = frozenset({"facts", "duty", "security_note", "extra_reason", "reason"})
"""What of a step was written freely."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when a sanction has to be deleted, and whether that day has passed."""

    ground: str
    ground_on: date
    due_on: date
    is_overdue: bool
    years_without_holidays: tuple[int, ...]
    """Of these years no holidays are known: only weekends were counted."""


@dataclass(frozen=True, slots=True)
class SanctionLine:
    """A sanction in a list."""

    id: UUID
    case_id: UUID
    case_number: str
    court_name: str
    person_id: UUID
    person_name: str
    person_number: str
    is_firm: bool
    kind: str
    state: str
    ground: str
    proposed_at: datetime
    starts_on: date | None
    ends_on: date | None
    clock: Clock | None
    may_be_performed: bool
    """It is in force, what was paid in reaches the claim, and nobody has noted a ground for its deletion."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of its time line."""

    deed: str
    old: str
    new: str
    at: datetime
    actor_id: UUID | None
    given: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublicationView:
    """What the public could read, from when to when."""

    number: int
    text: str
    at: datetime
    by: UUID
    ended_at: datetime | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class DeedView:
    """A step, and what stands in its way; `why_not` is empty where nothing does."""

    deed: str
    why_not: str


@dataclass(frozen=True, slots=True)
class SanctionView:
    """All of one sanction."""

    line: SanctionLine
    facts: str
    basis_document: str
    duty: str
    performance: str
    security: str
    security_note: str
    extra_years: int
    extra_reason: str
    proposed_by: UUID
    decided_by: UUID | None
    decision_number: str
    decided_on: date | None
    served_on: date | None
    service_manner: str
    checks: list[Check]
    checked_at_decision: bool
    """Whether the checks are those of its decision; else they are of now."""
    deeds: list[DeedView]
    steps: list[StepView]
    publications: list[PublicationView]
    draft_text: str
    """What a publication now would say; empty where none is to come."""


def sanction_line(
    sanction: Sanction, case: Case, person: Person, today: date, days: WorkingDays, received_cents: int | None
) -> SanctionLine:
    """A sanction in a list; `received_cents` came in for its case, None where that isn't known."""
    reaches = received_cents is not None and 0 < case.claim_cents <= received_cents
    return SanctionLine(
        id=sanction.id,
        case_id=case.id,
        case_number=case.number,
        court_name=case.court_name,
        person_id=person.id,
        person_name=masked_name(person.name, is_firm=person.is_firm),
        person_number=person.id_number if person.is_firm else masked_id(person.id_number),
        is_firm=person.is_firm,
        kind=sanction.kind,
        state=sanction.state,
        ground=sanction.ground,
        proposed_at=sanction.proposed_at,
        starts_on=sanction.starts_on,
        ends_on=sanction.ends_on,
        clock=_clock(sanction, today, days),
        may_be_performed=reaches and sanction.deletion_due_on is None and SanctionState(sanction.state) in STANDING,
    )


def step_views(steps: Iterable[SanctionStep], names: Collection[str]) -> list[StepView]:
    """The time line, oldest first; `names` are masked in what was written freely."""
    return [
        StepView(
            one.deed,
            one.old,
            one.new,
            one.at,
            one.actor_id,
            {
                name: masked_words(value, names) if isinstance(value, str) and name in _FREE else value
                for name, value in one.given.items()
            },
        )
        for one in steps
    ]


def publication_views(publications: Iterable[SanctionPublication]) -> list[PublicationView]:
    """What the public could read, oldest first."""
    return [PublicationView(one.number, one.text, one.at, one.by, one.ended_at, one.ended_by) for one in publications]


def _clock(sanction: Sanction, today: date, days: WorkingDays) -> Clock | None:
    if sanction.deletion_due_on is None or sanction.deletion_ground_on is None:
        return None
    is_live = SanctionState(sanction.state) in LIVE
    ended_on = today if is_live or sanction.ended_at is None else china_day(sanction.ended_at)
    return Clock(
        ground=sanction.deletion_ground,
        ground_on=sanction.deletion_ground_on,
        due_on=sanction.deletion_due_on,
        is_overdue=ended_on > sanction.deletion_due_on,
        years_without_holidays=days.unknown_years(sanction.deletion_ground_on, sanction.deletion_due_on),
    )
