"""`/api/assets/mine`: what an officer on site sees of the cases of the own operations, asks and proposes there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assets.audit import Actor
from assets.documents import Action
from assets.errors import NotFound as NoSuchThing
from assets.proposal_drafts import ProposedControl
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalView
from assets.proposals import Proposals
from assets.proposed_things import PROPOSABLE
from assets.service import Assets
from assets.terms import AssetKind
from assets.views import AssetView, CaseView, Standing
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames
from command_center.asset_access import officer_of, refusals
from command_center.clock import Clock, now
from command_center.operations.duties import Duties, Duty, duty_in
from streams.protocol import PLAIN_TEXT

LARGEST_CENTS = 10**15
FREE = frozenset({Standing.NONE, Standing.CLUE, Standing.NOT_CONTROLLED, Standing.LAPSED, Standing.RELEASED})
"""Nothing stands on such an asset: its control may be proposed."""

_Words = Annotated[str, StringConstraints(strip_whitespace=True), Field(pattern=PLAIN_TEXT)]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


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
    proposable: list[Action]


class MyAnswer(_Answer):
    """How the latest query of a person stands at one gateway. Failed, unanswered and nothing found are three things."""

    person_id: UUID
    gateway: str
    state: str
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


class MyAssets(BaseModel):
    """All that an officer sees on site, as it is now."""

    read_at: datetime
    cases: list[MyCase]
    proposals: list[MyProposal]


class MyQueryBody(_Body):
    """Query one person under enforcement, everywhere."""

    case_id: UUID
    person_id: UUID
    idempotency_key: UUID


class MyAnswers(BaseModel):
    """What was asked, gateway by gateway."""

    items: list[MyAnswer]


class ProposalBody(_Body):
    """Propose to control a known asset (`asset_id`), or a thing found on site (`kind`, and its number or words)."""

    operation_id: UUID
    asset_id: UUID | None = None
    kind: AssetKind | None = None
    reference: _Words = Field(default="", max_length=64)
    description: _Words = Field(default="", max_length=300)
    person_id: UUID | None = None
    action: Action
    amount_cents: int | None = Field(default=None, gt=0, le=LARGEST_CENTS)
    words: _Words = Field(default="", max_length=500)
    idempotency_key: UUID


class FieldAssets:
    """What the routes do: reads an officer's duties, and asks the asset domain in their name."""

    def __init__(self, assets: Assets, proposals: Proposals, duties: Duties, names: AccountNames) -> None:
        self._assets = assets
        self._proposals = proposals
        self._duties = duties
        self._names = names

    async def mine(self, read_at: datetime) -> MyAssets:
        """The cases of the officer's operations, each once."""
        duties, actor = await self._actor()
        found = await self._proposals.own(actor)
        proposed = {one.asset_id for one in found if one.state == ProposalState.OPEN}
        cases = []
        for case_id in dict.fromkeys(duty.case_id for duty in duties):
            view = await self._assets.overview(actor, case_id)
            own = [duty for duty in duties if duty.case_id == case_id]
            cases.append(_case(view, own, proposed, len(self._assets.gateway_names)))
        return MyAssets(read_at=read_at, cases=cases, proposals=await self._shown(actor, found))

    async def query(self, body: MyQueryBody) -> MyAnswers:
        """Ask everybody about one person."""
        _, actor = await self._actor()
        if body.case_id not in (actor.case_ids or ()):
            raise NoSuchThing("no-such-case")
        sent = await self._assets.query(
            actor, case_id=body.case_id, person_id=body.person_id, idempotency_key=body.idempotency_key
        )
        return MyAnswers(items=[MyAnswer.model_validate(one) for one in sent])

    async def propose(self, body: ProposalBody) -> MyProposal:
        """Put a control before the judges of the operation's case."""
        duties, actor = await self._actor()
        duty = duty_in(duties, body.operation_id)
        wish = ProposedControl(
            case_id=duty.case_id,
            operation_id=duty.operation_id,
            action=body.action,
            idempotency_key=body.idempotency_key,
            asset_id=body.asset_id,
            kind=body.kind,
            reference=body.reference,
            description=body.description,
            person_id=body.person_id,
            amount_cents=body.amount_cents,
            words=body.words,
        )
        return (await self._shown(actor, [await self._proposals.propose(actor, wish)]))[0]

    async def withdraw(self, proposal_id: UUID) -> MyProposal:
        """Take an own one back."""
        _, actor = await self._actor()
        return (await self._shown(actor, [await self._proposals.withdraw(actor, proposal_id)]))[0]

    async def _actor(self) -> tuple[list[Duty], Actor]:
        identity = signed_in()
        duties = await self._duties.of(identity.user_id)
        return duties, officer_of(identity, duties)

    async def _shown(self, actor: Actor, found: list[ProposalView]) -> list[MyProposal]:
        names = await self._names.of({one.officer_id for one in found})
        return [
            _proposal(one, actor, names[one.officer_id].display_name if one.officer_id in names else "")
            for one in found
        ]


def router(field: FieldAssets, clock: Clock = now) -> APIRouter:
    """The routes of an officer on site."""
    routes = APIRouter(prefix="/api/assets/mine", tags=["assets on site"])

    @routes.get("", summary="The cases of one's own operations, and what was proposed in them")
    async def mine() -> MyAssets:
        with refusals():
            return await field.mine(clock())

    @routes.post("/queries", status_code=202, summary="Query a person under enforcement; answers come later")
    async def query(body: MyQueryBody) -> MyAnswers:
        with refusals():
            return await field.query(body)

    @routes.post("/proposals", status_code=201, summary="Propose a control; repeated with the same key it stays one")
    async def propose(body: ProposalBody) -> MyProposal:
        with refusals():
            return await field.propose(body)

    @routes.post("/proposals/{id}/withdraw", summary="Take an own proposal back; again, it changes nothing")
    async def withdraw(id: UUID) -> MyProposal:  # noqa: A002 - the path's own name
        with refusals():
            return await field.withdraw(id)

    return routes


def _case(view: CaseView, duties: Iterable[Duty], proposed: set[UUID | None], gateways: int) -> MyCase:
    persons = {person.id: person for person in view.persons if person.is_under_enforcement}
    return MyCase(
        id=view.head.id,
        number=view.head.number,
        is_demonstration=view.head.is_demonstration,
        operations=[MyOperation.model_validate(duty) for duty in duties],
        persons=[MyPerson.model_validate(person) for person in persons.values()],
        assets=[_asset(asset, proposed) for asset in view.assets if asset.person_id in persons],
        answers=[MyAnswer.model_validate(answer) for answer in view.answers if answer.person_id in persons],
        gateways=gateways,
    )


def _asset(asset: AssetView, proposed: set[UUID | None]) -> MyAsset:
    is_free = asset.standing in FREE and asset.id not in proposed
    actions = PROPOSABLE[AssetKind(asset.kind)] if is_free else ()
    return MyAsset.model_validate({**_fields(asset, MyAsset), "proposable": list(actions)})


def _proposal(view: ProposalView, actor: Actor, officer: str) -> MyProposal:
    is_mine = view.officer_id == actor.user_id
    return MyProposal.model_validate({**_fields(view, MyProposal), "is_mine": is_mine, "officer": officer})


def _fields(view: AssetView | ProposalView, model: type[BaseModel]) -> dict[str, object]:
    return {name: getattr(view, name) for name in model.model_fields if hasattr(view, name)}
