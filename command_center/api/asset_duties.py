"""`/api/assets/mine`: what an officer on site sees of the cases of the own operations, asks and proposes there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assets.audit import Actor
from assets.documents import Action
from assets.proposal_drafts import ProposedControl
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalView
from assets.proposals import Proposals
from assets.service import Assets
from assets.terms import AssetKind
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames
from command_center.api.asset_duty_views import MyAnswers, MyAssets, MyProposal, my_answer, my_case, my_proposal
from command_center.asset_access import officer_of, refusals
from command_center.clock import Clock, now
from command_center.operations.duties import Duties, Duty, duty_in
from streams.protocol import PLAIN_TEXT

LARGEST_CENTS = 10**15

_Words = Annotated[str, StringConstraints(strip_whitespace=True), Field(pattern=PLAIN_TEXT)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MyQueryBody(_Body):
    """Query one person under enforcement, everywhere."""

    case_id: UUID
    person_id: UUID
    idempotency_key: UUID


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
            cases.append(my_case(view, own, proposed, len(self._assets.gateway_names)))
        return MyAssets(read_at=read_at, cases=cases, proposals=await self._shown(actor, found))

    async def query(self, body: MyQueryBody) -> MyAnswers:
        """Ask everybody about one person."""
        _, actor = await self._actor()
        sent = await self._assets.query(
            actor, case_id=body.case_id, person_id=body.person_id, idempotency_key=body.idempotency_key
        )
        return MyAnswers(items=[my_answer(one) for one in sent])

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
            my_proposal(one, actor, names[one.officer_id].display_name if one.officer_id in names else "")
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
