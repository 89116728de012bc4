"""What may be shown of one measure, with the rule by which its last day was counted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from assets.masks import masked_holder, masked_words
from assets.measures import MeasureState
from assets.tables import ControlMeasure


class TermRule(StrEnum):
    """How a last day was counted, to be told beside it; practice, not law."""

    NONE = ""
    FIRST = "first"
    """From the first day: the same day of the month in the end year, less one day."""
    RENEWED = "renewed"
    """The same, from the day after the last day of the term before."""
    PROMOTED = "promoted"
    """The same, from the day on which it took effect by itself."""


@dataclass(frozen=True, slots=True)
class MeasureView:
    """One measure."""

    id: UUID
    action: str
    state: str
    rank: int
    asked_cents: int | None
    controlled_cents: int
    over_cents: int
    released_cents: int
    transferred_cents: int
    starts_on: date | None
    ends_on: date | None
    term_rule: TermRule
    renewals: int
    reason: str
    receipt_number: str
    promoted_at: datetime | None
    confirmed_at: datetime | None
    """When the other side last said so; without it the money is not known."""
    ended_at: datetime | None
    follows_id: UUID | None
    keeping: str
    keeper: str
    contradiction: str


def rule_of(measure: ControlMeasure) -> TermRule:
    """By which rule its last day was counted."""
    if measure.ends_on is None:
        return TermRule.NONE
    if measure.renewals:
        return TermRule.RENEWED
    return TermRule.PROMOTED if measure.promoted_at is not None else TermRule.FIRST


def measure_view(measure: ControlMeasure, names: Collection[str] = ()) -> MeasureView:
    """One measure, masked; `names` are those that the other side's words must not tell."""
    return MeasureView(
        id=measure.id,
        action=measure.action,
        state=measure.state,
        rank=measure.rank if measure.state == MeasureState.WAITING else 0,
        asked_cents=measure.asked_cents,
        controlled_cents=measure.controlled_cents,
        over_cents=measure.over_cents,
        released_cents=measure.released_cents,
        transferred_cents=measure.transferred_cents,
        starts_on=measure.starts_on,
        ends_on=measure.ends_on,
        term_rule=rule_of(measure),
        renewals=measure.renewals,
        reason=masked_words(measure.reason, names),
        receipt_number=measure.receipt_number,
        promoted_at=measure.promoted_at,
        confirmed_at=measure.confirmed_at,
        ended_at=measure.ended_at,
        follows_id=measure.follows_id,
        keeping=measure.keeping,
        keeper=masked_holder(measure.keeper) if measure.keeper else "",
        contradiction=measure.contradiction,
    )
