"""What may be shown of a case's assets: names and numbers are masked here, so that no screen can forget to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from assets.masks import masked_description, masked_holder, masked_id, masked_name, masked_reference, masked_words
from assets.measures import MeasureState
from assets.requests import AWAITED, RequestState, outcome
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Person
from assets.terms import objection_due


class Standing(StrEnum):
    """How far an asset is under control, in one word."""

    CONTROLLED = "controlled"
    PARTLY = "partly"
    """In force, for less than was asked."""
    EMPTY = "empty"
    """In force, and nothing is there: the money that comes in will be held."""
    UNCONFIRMED = "unconfirmed"
    """It took effect by itself, and the other side hasn't said so yet: how much it holds nobody knows."""
    WAITING = "waiting"
    """In line behind another court: controls nothing."""
    DRAFTED = "drafted"
    """Ordered, and waiting for a second person: nothing was sent."""
    INTENDED = "intended"
    """Asked for, no answer yet."""
    OBJECTED = "objected"
    """The other side objects, and the court hasn't answered: nothing was carried out."""
    UNSENT = "unsent"
    """It couldn't be sent: its papers aren't as they were sealed."""
    UNKNOWN = "unknown"
    """No answer in time: it may have been carried out."""
    NOT_CONTROLLED = "not_controlled"
    PRE_REGISTERED = "pre_registered"
    LAPSED = "lapsed"
    RELEASED = "released"
    TRANSFERRED = "transferred"
    VOID = "void"
    """It waited, and the one before disposed of everything."""
    CLUE = "clue"
    """The application names it, nobody has confirmed it."""
    NONE = "none"


OF_ORDER = {
    RequestState.DRAFT: Standing.DRAFTED,
    RequestState.NO_ANSWER: Standing.UNKNOWN,
    RequestState.OBJECTED: Standing.OBJECTED,
    RequestState.FAILED: Standing.UNSENT,
}
"""How an intended measure stands by the state of its order; by any other it is asked for."""


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person or firm of the case."""

    id: UUID
    name: str
    id_number: str
    is_firm: bool
    is_under_enforcement: bool


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request and where it stands."""

    id: UUID
    number: str
    case_id: UUID
    person_id: UUID
    asset_id: UUID | None
    action: str
    gateway: str
    state: str
    documents: list[str]
    ruling_number: str
    amount_cents: int | None
    found: int
    attempts: int
    trouble: str
    reason: str
    created_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    next_ask_at: datetime | None
    outcome: str
    """As `state`; of one that was checked, what came back before."""
    measure_id: UUID | None
    approval: str
    """Why a second person has to say yes; empty where none has to."""
    override_reason: str
    decided_at: datetime | None
    decision_reason: str
    sealed_at: datetime | None
    accepted_at: datetime | None
    chased_at: datetime | None
    chases: int
    is_overdue: bool
    """It was chased, and nothing has come."""
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssetView:
    """One asset with its latest measure."""

    id: UUID
    person_id: UUID
    kind: str
    gateway: str
    reference: str
    description: str
    value_cents: int | None
    available_cents: int | None
    encumbrances: list[dict[str, Any]]
    answered_at: datetime | None
    """When its gateway last described it: of then are value and encumbrances."""
    heard_at: datetime | None
    """When its gateway last said anything of it, be it to an order."""
    standing: Standing
    rank: int
    controlled_cents: int
    asked_cents: int | None
    over_cents: int
    starts_on: date | None
    ends_on: date | None
    answer_by: date | None
    """By when the court answers the objection to its order; None where there is none."""
    reason: str
    receipt_number: str


@dataclass(frozen=True, slots=True)
class CaseHead:
    """A case in a list."""

    id: UUID
    court_id: UUID
    number: str
    claim_cents: int
    is_demonstration: bool
    acting_court: str
    """The court that acts in it, where the reader may only look; else empty."""


@dataclass(frozen=True, slots=True)
class Standings:
    """How many assets of one kind stand so, and the money that is really held of them."""

    kind: str
    standing: Standing
    assets: int
    controlled_cents: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many of a person's latest queries stand so."""

    person_id: UUID
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """The newest answer of anybody in a case, and to what."""

    at: datetime
    gateway: str
    action: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far everything has come that was asked together with something which isn't answered yet."""

    answered: int
    total: int


@dataclass(frozen=True, slots=True)
class CaseView:
    """All that the panel shows of one case."""

    head: CaseHead
    controlled_cents: int
    """Money really held; what waits counts nothing."""
    transferred_cents: int
    """Money that was taken already; it is held no more."""
    persons: list[PersonView]
    assets: list[AssetView]
    """All of them, or the first of very many: what somebody has to look at comes before the rest."""
    assets_total: int
    standings: list[Standings]
    """Over all assets."""
    answers: list[RequestView]
    """The latest query of each person at each gateway; of very many those that failed or are missing come first."""
    answer_counts: list[AnswerCount]
    """Over all of them."""
    last_answer: LastAnswer | None
    progress: Progress | None
    """None where everybody has answered."""
    described_at: datetime | None
    """When a gateway last described an asset of the case."""


def case_head(case: Case, acting_court: str) -> CaseHead:
    """A case in a list."""
    return CaseHead(case.id, case.court_id, case.number, case.claim_cents, case.is_demonstration, acting_court)


def request_view(request: AssetRequest, names: Collection[str] = ()) -> RequestView:
    """One request and where it stands; `names` are those that the other side's words must not tell."""
    state = RequestState(request.state)
    return RequestView(
        id=request.id,
        number=request.number,
        case_id=request.case_id,
        person_id=request.person_id,
        asset_id=request.asset_id,
        action=request.action,
        gateway=request.gateway,
        state=request.state,
        documents=list(request.documents),
        ruling_number=request.ruling_number,
        amount_cents=request.amount_cents,
        found=request.found,
        attempts=request.attempts,
        trouble=request.trouble,
        reason=masked_words(request.reason, names),
        created_at=request.created_at,
        sent_at=request.sent_at,
        answered_at=request.answered_at,
        next_ask_at=request.next_ask_at,
        outcome=outcome(state, is_control=request.is_control, found=request.found, trouble=request.trouble).value,
        measure_id=request.measure_id,
        approval=request.approval,
        override_reason=masked_words(request.override_reason, names),
        decided_at=request.decided_at,
        decision_reason=masked_words(request.decision_reason, names),
        sealed_at=request.sealed_at,
        accepted_at=request.accepted_at,
        chased_at=request.chased_at,
        chases=request.chases,
        is_overdue=request.chases > 0 and state in AWAITED,
        checked_at=request.checked_at,
    )


MAY_HIDE_AN_OUTCOME = (RequestState.SENT, RequestState.OBJECTED, RequestState.RETURNED)
"""What a first order may have come to after an asking that got no answer: none of it says what came of that asking."""


def standing_of(asset: Asset, measure: ControlMeasure | None, request: AssetRequest | None, today: date) -> Standing:
    """How far the asset is under control."""
    if measure is None:
        return Standing.CLUE if asset.origin == "clue" else Standing.NONE
    state = MeasureState(measure.state)
    if state is MeasureState.INTENDED:
        if request is None:
            return Standing.INTENDED
        order = RequestState(request.state)
        if request.attempts > 0 and order in MAY_HIDE_AN_OUTCOME:
            return Standing.UNKNOWN
        return OF_ORDER.get(order, Standing.INTENDED)
    if state is not MeasureState.IN_FORCE:
        return Standing(state.value)
    if measure.ends_on is not None and measure.ends_on < today:
        return Standing.LAPSED
    if measure.promoted_at is not None and measure.confirmed_at is None:
        return Standing.UNCONFIRMED
    if measure.asked_cents is None or measure.controlled_cents >= measure.asked_cents:
        return Standing.CONTROLLED
    return Standing.PARTLY if measure.controlled_cents else Standing.EMPTY


def person_view(person: Person) -> PersonView:
    """A person or firm of the case, masked."""
    return PersonView(
        id=person.id,
        name=masked_name(person.name, is_firm=person.is_firm),
        id_number=person.id_number if person.is_firm else masked_id(person.id_number),
        is_firm=person.is_firm,
        is_under_enforcement=person.role == "under_enforcement",
    )


def asset_view(
    asset: Asset,
    measure: ControlMeasure | None,
    request: AssetRequest | None,
    today: date,
    names: Collection[str] = (),
) -> AssetView:
    """One asset with its latest measure, masked; `request` is the order that began that."""
    standing = standing_of(asset, measure, request, today)
    counts = standing in (Standing.CONTROLLED, Standing.PARTLY)
    return AssetView(
        id=asset.id,
        person_id=asset.person_id,
        kind=asset.kind,
        gateway=asset.gateway,
        reference=masked_reference(asset.kind, asset.reference),
        description=masked_description(asset.kind, asset.description, names),
        value_cents=asset.value_cents,
        available_cents=asset.available_cents,
        encumbrances=[{**one, "holder": masked_holder(one["holder"])} for one in asset.encumbrances],
        answered_at=asset.answered_at,
        heard_at=_heard_at(asset, measure, request),
        standing=standing,
        rank=measure.rank if measure and standing is Standing.WAITING else 0,
        controlled_cents=measure.controlled_cents if measure and counts else 0,
        asked_cents=measure.asked_cents if measure else None,
        over_cents=measure.over_cents if measure else 0,
        starts_on=measure.starts_on if measure else None,
        ends_on=measure.ends_on if measure else None,
        answer_by=_answer_by(standing, request),
        reason=masked_words(measure.reason, names) if measure else "",
        receipt_number=measure.receipt_number if measure else "",
    )


def _heard_at(asset: Asset, measure: ControlMeasure | None, request: AssetRequest | None) -> datetime | None:
    ordered = None if request is None or request.state == RequestState.FAILED else request.answered_at
    told = [asset.answered_at, measure.confirmed_at if measure else None, ordered]
    return max((at for at in told if at is not None), default=None)


def _answer_by(standing: Standing, request: AssetRequest | None) -> date | None:
    # An objection after an asking that got no answer is due as well: what came of that one stays unknown meanwhile.
    is_open = standing in (Standing.OBJECTED, Standing.UNKNOWN)
    if not is_open or request is None or request.state != RequestState.OBJECTED or request.answered_at is None:
        return None
    return objection_due(request.answered_at)
