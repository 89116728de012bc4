"""`/api/assets/proposals`: what officers on site propose to control, and what a judge makes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from assets.orders import acting_court
from assets.proposal_records import PAGE
from assets.proposal_states import ProposalState
from assets.proposal_views import ProposalView
from assets.proposals import Proposals
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.reasons import Reason
from command_center.asset_access import actor_of, refusals
from command_center.operations.duties import Duties, OperationName


class ProposalLine(BaseModel):
    """A proposal with its officer, operation and thing; `gateways` are those that keep such things.

    `standing_request_id` is the order of a control that stands on its asset already: it may be what was proposed.
    """

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    case_id: UUID
    case_number: str
    acting_court: str
    """The court that decides, where the reader may only look; else empty."""
    operation_id: UUID | None
    operation_zh: str
    operation_en: str
    officer: str
    proposed_at: datetime
    asset_id: UUID | None
    person_id: UUID | None
    person_name: str
    kind: str
    reference: str
    description: str
    action: str
    amount_cents: int | None
    words: str
    state: ProposalState
    decided_by_name: str
    decided_at: datetime | None
    decision_reason: str
    request_id: UUID | None
    request_number: str
    request_state: str
    standing_request_id: UUID | None
    gateways: list[str]


class ProposalLines(BaseModel):
    """Proposals, the newest first; `next` is the cursor of the page after."""

    items: list[ProposalLine]
    next: str | None = None


class DeclineBody(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class TakeUpBody(BaseModel):
    """The order that followed."""

    model_config = ConfigDict(extra="forbid")
    request_id: UUID


class RecordBody(BaseModel):
    """Whose the found thing is, and who keeps it (empty: nobody that can be asked)."""

    model_config = ConfigDict(extra="forbid")
    person_id: UUID
    gateway: str = Field(default="", max_length=32)


class _Shown:
    """Proposals with the names of their people and operations."""

    def __init__(self, proposals: Proposals, duties: Duties, names: AccountNames) -> None:
        self._proposals = proposals
        self._duties = duties
        self._names = names

    async def one(self, view: ProposalView) -> ProposalLine:
        return (await self.all([view])).items[0]

    async def all(self, views: list[ProposalView]) -> ProposalLines:
        people = {one.officer_id for one in views} | {one.decided_by for one in views if one.decided_by}
        names = await self._names.of(people)
        operations = await self._duties.names({one.operation_id for one in views if one.operation_id})
        return ProposalLines(items=[self._line(view, names, operations) for view in views])

    def _line(
        self, view: ProposalView, names: dict[UUID, AccountName], operations: dict[UUID, OperationName]
    ) -> ProposalLine:
        operation = operations.get(view.operation_id) if view.operation_id else None
        beside = {
            "operation_zh": operation.name_zh if operation else "",
            "operation_en": operation.name_en if operation else "",
            "officer": _name(names, view.officer_id),
            "decided_by_name": _name(names, view.decided_by),
            "gateways": self._proposals.gateways_for(view.kind),
            "acting_court": acting_court(actor_of(signed_in()), view),
        }
        own = {name: getattr(view, name) for name in ProposalLine.model_fields if name not in beside}
        return ProposalLine.model_validate(own | beside)


def router(proposals: Proposals, duties: Duties, names: AccountNames) -> APIRouter:
    """The routes of proposals, for those at the centre."""
    routes = APIRouter(prefix="/api/assets/proposals", tags=["assets"])
    shown = _Shown(proposals, duties, names)

    @routes.get("", summary="Proposals of one's courts: those that wait, or those that were decided")
    async def listed(
        show: Annotated[Literal["open", "ended"], Query()] = "open",
        case_id: UUID | None = None,
        cursor: UUID | None = None,
    ) -> ProposalLines:
        read = proposals.open if show == "open" else proposals.ended
        with refusals():
            found = await read(actor_of(signed_in()), case_id, after=cursor)
        lines = await shown.all(found)
        lines.next = str(found[-1].id) if len(found) == PAGE else None
        return lines

    @routes.post("/{id}/decline", summary="Say no, with the reason")
    async def decline(id: UUID, body: DeclineBody) -> ProposalLine:  # noqa: A002 - the path's own name
        with refusals():
            return await shown.one(await proposals.decline(actor_of(signed_in()), id, body.reason))

    @routes.post("/{id}/take-up", summary="Note which order followed")
    async def take_up(id: UUID, body: TakeUpBody) -> ProposalLine:  # noqa: A002 - the path's own name
        with refusals():
            return await shown.one(await proposals.take_up(actor_of(signed_in()), id, body.request_id))

    @routes.post("/{id}/asset", summary="Take what was found on site among the assets of the case, as a clue")
    async def record(id: UUID, body: RecordBody) -> ProposalLine:  # noqa: A002 - the path's own name
        with refusals():
            return await shown.one(await proposals.record(actor_of(signed_in()), id, body.person_id, body.gateway))

    return routes


def _name(names: dict[UUID, AccountName], user_id: UUID | None) -> str:
    return names[user_id].display_name if user_id in names else ""
