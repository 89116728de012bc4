"""Queries and controls of assets as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from assets.service import Assets
from assets.views import Standing
from command_center.accounts.identity import signed_in
from command_center.api.paging import cursor_to, place_in
from command_center.asset_access import actor_of, refusals
from streams.protocol import PLAIN_TEXT

PAGE = 100
LARGEST_PAGE = 500
LARGEST_CENTS = 10**15


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseLine(_Answer):
    """A case in a list."""

    id: UUID
    court_id: UUID
    number: str
    claim_cents: int
    is_demonstration: bool
    acting_court: str
    """The court that acts in it, where the reader may only look; else empty."""


class PersonLine(_Answer):
    """A person or firm of the case, masked."""

    id: UUID
    name: str
    id_number: str
    is_firm: bool
    is_under_enforcement: bool


class RequestLine(_Answer):
    """One request to one gateway. `no_answer`, `failed` and `nothing_found` are three different things."""

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
    measure_id: UUID | None
    approval: str
    override_reason: str
    decided_at: datetime | None
    decision_reason: str
    sealed_at: datetime | None
    accepted_at: datetime | None
    chased_at: datetime | None
    chases: int
    is_overdue: bool
    checked_at: datetime | None


class AssetLine(_Answer):
    """One asset with its latest measure. Only `controlled` and `partly` hold money."""

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
    heard_at: datetime | None
    standing: Standing
    rank: int
    controlled_cents: int
    asked_cents: int | None
    over_cents: int
    starts_on: date | None
    ends_on: date | None
    answer_by: date | None
    reason: str
    receipt_number: str


class StandingsLine(_Answer):
    """How many assets of one kind stand so, and what is really held of them."""

    kind: str
    standing: Standing
    assets: int
    controlled_cents: int


class AnswerCountLine(_Answer):
    """How many of a person's latest queries stand so."""

    person_id: UUID
    state: str
    count: int


class LastAnswerLine(_Answer):
    """The newest answer of anybody in a case, and to what."""

    at: datetime
    gateway: str
    action: str


class CaseOverview(_Answer):
    """One case: `controlled_cents` is money really held, what waits counts nothing; `transferred_cents` was taken.

    `standings` and `answer_counts` are over all; of very many assets and answers the first are listed, those that
    somebody has to look at before the others.
    """

    head: CaseLine
    controlled_cents: int
    transferred_cents: int
    persons: list[PersonLine]
    assets: list[AssetLine]
    assets_total: int
    standings: list[StandingsLine]
    answers: list[RequestLine]
    answer_counts: list[AnswerCountLine]
    last_answer: LastAnswerLine | None


class Cases(BaseModel):
    """The cases of one's courts by their numbers; `next` is the cursor of the page after."""

    items: list[CaseLine]
    next: str | None


class Requests(BaseModel):
    """Requests, newest first; `next` is the cursor of the page after."""

    items: list[RequestLine]
    next: str | None


class QueryBody(_Body):
    """Query one person, or everybody under enforcement if nobody is named; at all gateways if none is named."""

    case_id: UUID
    person_id: UUID | None = None
    gateways: list[Annotated[str, Field(max_length=32)]] = Field(default_factory=list, max_length=300)
    idempotency_key: UUID


def router(assets: Assets) -> APIRouter:
    """The routes of the asset domain."""
    routes = APIRouter(prefix="/api/assets", tags=["assets"])
    _add_reading(routes, assets)
    _add_asking(routes, assets)
    return routes


def _add_reading(routes: APIRouter, assets: Assets) -> None:
    @routes.get("/cases", summary="The cases of one's courts")
    async def cases(
        cursor: Annotated[str | None, Parameter(max_length=120, pattern=PLAIN_TEXT)] = None,
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
    ) -> Cases:
        with refusals():
            found = await assets.cases(actor_of(signed_in()), after=place_in(cursor), limit=limit)
        items = [CaseLine.model_validate(head) for head in found.items]
        return Cases(items=items, next=cursor_to(found.after))

    @routes.get("/cases/{id}", summary="One case: persons, assets with their measures, the latest answers")
    async def case(id: UUID) -> CaseOverview:  # noqa: A002 - the path's own name
        with refusals():
            return CaseOverview.model_validate(await assets.overview(actor_of(signed_in()), id))

    @routes.get("/requests", summary="A case's requests, newest first")
    async def requests(
        case_id: UUID,
        cursor: UUID | None = None,
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
    ) -> Requests:
        with refusals():
            found = await assets.requests(actor_of(signed_in()), case_id, after=cursor, limit=limit)
        items = [RequestLine.model_validate(one) for one in found]
        return Requests(items=items, next=str(items[-1].id) if len(items) == limit else None)

    @routes.get("/requests/{id}", summary="One request")
    async def request(id: UUID) -> RequestLine:  # noqa: A002 - the path's own name
        with refusals():
            return RequestLine.model_validate(await assets.request(actor_of(signed_in()), id))


def _add_asking(routes: APIRouter, assets: Assets) -> None:
    @routes.post("/queries", status_code=202, summary="Query a person under enforcement; answers come later")
    async def query(body: QueryBody) -> Requests:
        with refusals():
            sent = await assets.query(
                actor_of(signed_in()),
                case_id=body.case_id,
                person_id=body.person_id,
                gateways=body.gateways,
                idempotency_key=body.idempotency_key,
            )
        return Requests(items=[RequestLine.model_validate(one) for one in sent], next=None)

    @routes.post("/requests/{id}/retry", status_code=202, summary="Ask again, with the same number")
    async def retry(id: UUID) -> RequestLine:  # noqa: A002 - the path's own name
        with refusals():
            return RequestLine.model_validate(await assets.retry(actor_of(signed_in()), id))
