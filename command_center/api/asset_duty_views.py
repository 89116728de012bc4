"""What an officer on site is shown of the cases of the own operations, masked, and no more than that needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from assets.audit import Actor
from assets.documents import Action
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalView
from assets.proposed_things import PROPOSABLE
from assets.requests import RequestState
from assets.terms import AssetKind
from assets.views import AssetView, CaseView, RequestView, Standing
from command_center.asset_looks import REQUESTS, STANDINGS, Look
from command_center.operations.duties import Duty

FREE = frozenset(
    {Standing.NONE, Standing.CLUE, Standing.NOT_CONTROLLED, Standing.LAPSED, Standing.RELEASED, Standing.VOID}
)
"""Nothing stands on such an asset: its control may be proposed."""

_UNDER_WAY = frozenset(
    {RequestState.DRAFT, RequestState.APPROVED, RequestState.SEALED, RequestState.SENT, RequestState.ACCEPTED}
)
_ANSWERED = frozenset({RequestState.ANSWERED, RequestState.NOTHING_FOUND})


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class MyOperation(_Answer):
    """An operation in which the officer has a place."""

    operation_id: UUID
    name_zh: str
    name_en: str


class MyPerson(_Answer):
    """A person or firm under enforcement, masked."""

    id: UUID
    name: str
    id_number: str
    is_firm: bool


class MyAsset(_Answer):
    """An asset with how far it is under control, masked; `proposable` are the controls that may be proposed now."""

    id: UUID
    person_id: UUID
    kind: str
    gateway: str
    reference: str
    description: str
    value_cents: int | None
    answered_at: datetime | None
    standing: Standing
    rank: int
    controlled_cents: int
    asked_cents: int | None
    starts_on: date | None
    ends_on: date | None
    answer_by: date | None
    proposable: list[Action]


class Outcome(StrEnum):
    """What came of a query, for somebody who has a second to look. Only an answer that says so is "nothing found"."""

    ASKING = "asking"
    FOUND = "found"
    NOTHING_FOUND = "nothing_found"
    FAILED = "failed"
    NO_ANSWER = "no_answer"


OUTCOMES = {
    Outcome.ASKING: REQUESTS[RequestState.SENT],
    Outcome.FOUND: REQUESTS[RequestState.ANSWERED],
    Outcome.NOTHING_FOUND: REQUESTS[RequestState.NOTHING_FOUND],
    Outcome.FAILED: REQUESTS[RequestState.FAILED],
    Outcome.NO_ANSWER: REQUESTS[RequestState.NO_ANSWER],
}


class MyAnswer(BaseModel):
    """How the latest query of a person stands at one gateway."""

    person_id: UUID
    gateway: str
    outcome: Outcome
    found: int
    sent_at: datetime | None
    answered_at: datetime | None


class MyCase(BaseModel):
    """A case with its persons under enforcement, what is known of their assets, and who answered."""

    id: UUID
    number: str
    is_demonstration: bool
    operations: list[MyOperation]
    persons: list[MyPerson]
    assets: list[MyAsset]
    """Those that matter first, where there are too many for a phone."""
    assets_total: int
    answers: list[MyAnswer]
    gateways: int
    """How many are asked by one query."""


class MyProposal(_Answer):
    """A proposal of the operation, and what became of it; `idempotency_key` is the phone's own name for it."""

    id: UUID
    idempotency_key: UUID
    case_id: UUID
    operation_id: UUID | None
    is_mine: bool
    officer: str
    proposed_at: datetime
    asset_id: UUID | None
    person_name: str
    kind: str
    reference: str
    description: str
    action: str
    amount_cents: int | None
    words: str
    state: ProposalState
    decided_at: datetime | None
    decision_reason: str
    request_state: str


class MyLooks(BaseModel):
    """How each state looks, as everywhere else."""

    standings: dict[Standing, Look] = STANDINGS
    outcomes: dict[Outcome, Look] = OUTCOMES


class MyAssets(BaseModel):
    """All that an officer sees on site, as it is now."""

    read_at: datetime
    looks: MyLooks = Field(default_factory=MyLooks)
    cases: list[MyCase]
    proposals: list[MyProposal]


class MyAnswers(BaseModel):
    """What was asked, gateway by gateway."""

    items: list[MyAnswer]


def my_case(view: CaseView, duties: Iterable[Duty], proposed: set[UUID | None], gateways: int) -> MyCase:
    persons = {person.id: person for person in view.persons if person.is_under_enforcement}
    assets = [_asset(asset, proposed) for asset in view.assets if asset.person_id in persons]
    return MyCase(
        id=view.head.id,
        number=view.head.number,
        is_demonstration=view.head.is_demonstration,
        operations=[MyOperation.model_validate(duty) for duty in duties],
        persons=[MyPerson.model_validate(person) for person in persons.values()],
        assets=assets,
        assets_total=view.assets_total - (len(view.assets) - len(assets)),
        answers=[my_answer(answer) for answer in view.answers if answer.person_id in persons],
        gateways=gateways,
    )


def outcome_of(came_back: RequestState, found: int) -> Outcome:
    """What came of a query, by what came back; whatever no answer says is a failure."""
    if came_back in _UNDER_WAY:
        return Outcome.ASKING
    if came_back is RequestState.NO_ANSWER:
        return Outcome.NO_ANSWER
    if came_back is RequestState.ANSWERED and found:
        return Outcome.FOUND
    return Outcome.NOTHING_FOUND if came_back in _ANSWERED else Outcome.FAILED


def my_answer(request: RequestView) -> MyAnswer:
    return MyAnswer(
        person_id=request.person_id,
        gateway=request.gateway,
        outcome=outcome_of(RequestState(request.outcome), request.found),
        found=request.found,
        sent_at=request.sent_at,
        answered_at=request.answered_at,
    )


def _asset(asset: AssetView, proposed: set[UUID | None]) -> MyAsset:
    is_free = asset.standing in FREE and asset.id not in proposed
    actions = PROPOSABLE[AssetKind(asset.kind)] if is_free else ()
    return MyAsset.model_validate({**_fields(asset, MyAsset), "proposable": list(actions)})


def my_proposal(view: ProposalView, actor: Actor, officer: str) -> MyProposal:
    is_mine = view.officer_id == actor.user_id
    return MyProposal.model_validate({**_fields(view, MyProposal), "is_mine": is_mine, "officer": officer})


def _fields(view: AssetView | ProposalView, model: type[BaseModel]) -> dict[str, object]:
    return {name: getattr(view, name) for name in model.model_fields if hasattr(view, name)}
