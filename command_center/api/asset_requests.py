"""`/api/assets`: what becomes of requests to banks and registries: approvals, papers, batches, objections, checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from assets.audit import Actor
from assets.service import Assets
from assets.views import RequestView
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.assets import RequestLine
from command_center.api.reasons import Reason
from command_center.asset_access import actor_of, refusals
from command_center.court_seal import CourtSeal

PAGE = 100


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PressBody(BaseModel):
    """One press of a button; repeated with the same key it does nothing more."""

    model_config = ConfigDict(extra="forbid")
    idempotency_key: UUID


class ReasonBody(PressBody):
    """One press, and why."""

    reason: Reason


class AnswerBody(PressBody):
    """The court's answer to an objection."""

    answer: Reason


class ThingLine(_Answer):
    """The asset in question, masked."""

    kind: str
    reference: str
    description: str
    value_cents: int | None
    available_cents: int | None


class WaitingLine(_Answer):
    """A request that waits for a second person; `is_outstanding`: it was sent in an emergency already.

    `said_special` and `said_at` tell what its gateway said of the account, where it is that which is to be set aside.
    """

    request: RequestLine
    case_number: str
    court_id: UUID
    person_name: str
    thing: ThingLine | None
    claim_cents: int
    controlled_cents: int
    ordered_by: UUID
    ordered_by_name: str = ""
    is_outstanding: bool
    may_decide: bool
    may_withdraw: bool
    said_special: str
    said_at: datetime | None
    acting_court: str


class WaitingLines(BaseModel):
    """What waits, the oldest first; `next` is the cursor of the page after."""

    items: list[WaitingLine]
    next: str | None


class PaperLine(_Answer):
    """A sealed paper; `trouble` is empty where text, hash and seal agree."""

    id: UUID
    request_id: UUID
    document: str
    number: str
    sha256: str
    seal: str
    seal_key_id: str
    sealed_at: datetime
    sealed_by: UUID | None
    trouble: str


class PaperLines(BaseModel):
    """The papers of a request."""

    items: list[PaperLine]


class PaperText(_Answer):
    """A paper, whole; one of a draft has no seal yet, and the other side's `receipt` none of ours."""

    document: str
    number: str
    content: str
    head: PaperLine | None
    is_masked: bool
    """Names and numbers are left out for this reader."""


class PaperTexts(BaseModel):
    """The papers of a request, whole."""

    items: list[PaperText]


class BatchLine(_Answer):
    """How far a batch has come."""

    key: UUID
    case_id: UUID
    person_id: UUID
    action: str
    total: int
    by_state: dict[str, int]
    answered: int
    started_at: datetime
    last_answer_at: datetime | None
    is_done: bool


class BatchLines(BaseModel):
    """A case's batches, the newest first."""

    items: list[BatchLine]


class OutstandingLine(_Answer):
    """One who hasn't answered yet."""

    request_id: UUID
    gateway: str
    state: str
    attempts: int
    trouble: str
    sent_at: datetime | None
    next_ask_at: datetime | None
    chases: int


class BatchProgressLine(_Answer):
    """A batch, and who hasn't answered."""

    head: BatchLine
    outstanding: list[OutstandingLine]


class ObjectionLine(_Answer):
    """An objection, which the court answers until `due_on`. Source: 法释〔2013〕20号 §6."""

    id: UUID
    request: RequestLine
    case_number: str
    raised_at: datetime
    due_on: date
    is_overdue: bool
    words: str
    state: str
    answer: str
    answered_at: datetime | None
    acting_court: str


class ObjectionLines(BaseModel):
    """Objections, what is due first first; `next` is the cursor of the page after."""

    items: list[ObjectionLine]
    next: str | None


class OverdueLine(_Answer):
    """A request that was chased, and nothing has come."""

    request: RequestLine
    case_number: str
    acting_court: str


class OverdueLines(BaseModel):
    """What is overdue, the longest first; `next` is the cursor of the page after."""

    items: list[OverdueLine]
    next: str | None


class SealLine(BaseModel):
    """The public half of a key that seals papers, or once did: Ed25519, 32 bytes in hex."""

    id: str
    public: str
    is_in_force: bool


class SealLines(BaseModel):
    """The court's seals."""

    items: list[SealLine]


def router(assets: Assets, names: AccountNames, seal: CourtSeal) -> APIRouter:
    """The routes of requests."""
    routes = APIRouter(prefix="/api/assets", tags=["assets"])
    _add_lists(routes, assets, names)
    _add_papers(routes, assets, seal)
    _add_decisions(routes, assets)
    _add_objections(routes, assets)
    return routes


def _add_lists(routes: APIRouter, assets: Assets, names: AccountNames) -> None:
    @routes.get("/approvals", summary="What waits for a second person in one's courts")
    async def approvals(cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE) -> WaitingLines:
        with refusals():
            found = await assets.approvals.waiting(actor_of(signed_in()), after=cursor, limit=limit)
        called = await names.of({one.ordered_by for one in found})
        lines = [WaitingLine.model_validate(one) for one in found]
        for line in lines:
            line.ordered_by_name = called.get(line.ordered_by, AccountName("", "")).display_name
        return WaitingLines(items=lines, next=str(lines[-1].request.id) if len(lines) == limit else None)

    @routes.get("/batches", summary="A case's batches: what one press of a button asked, and how far it has come")
    async def batches(case_id: UUID) -> BatchLines:
        with refusals():
            found = await assets.batches.of_case(actor_of(signed_in()), case_id)
        return BatchLines(items=[BatchLine.model_validate(one) for one in found])

    @routes.get("/batches/{key}", summary="One batch, and who hasn't answered")
    async def batch(key: UUID) -> BatchProgressLine:
        with refusals():
            return BatchProgressLine.model_validate(await assets.batches.progress(actor_of(signed_in()), key))

    @routes.get("/overdue", summary="What was chased and isn't answered")
    async def overdue(cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE) -> OverdueLines:
        with refusals():
            found = await assets.chasing.overdue(actor_of(signed_in()), after=cursor, limit=limit)
        lines = [OverdueLine.model_validate(one) for one in found]
        return OverdueLines(items=lines, next=str(lines[-1].request.id) if len(lines) == limit else None)


def _add_papers(routes: APIRouter, assets: Assets, seal: CourtSeal) -> None:
    @routes.get("/requests/{id}/papers", summary="The sealed papers of a request, without their text")
    async def papers(id: UUID) -> PaperLines:  # noqa: A002 - the path's own name
        with refusals():
            found = await assets.papers.of_request(actor_of(signed_in()), id)
        return PaperLines(items=[PaperLine.model_validate(one) for one in found])

    @routes.get(
        "/requests/{id}/papers/text",
        summary="The papers of a request, as far as the reader may see them; that is noted",
    )
    async def texts(id: UUID) -> PaperTexts:  # noqa: A002 - the path's own name
        with refusals():
            found = await assets.papers.read(actor_of(signed_in()), id)
        return PaperTexts(items=[PaperText.model_validate(one) for one in found])

    @routes.get("/seals", summary="The public halves of the court's electronic seals")
    async def seals() -> SealLines:
        return SealLines(
            items=[SealLine(id=one.id, public=one.public.hex(), is_in_force=one.is_in_force) for one in seal.listed()]
        )


def _add_decisions(routes: APIRouter, assets: Assets) -> None:
    @routes.post("/requests/{id}/approve", summary="Approve as the second person; then it is sealed and sent")
    async def approve(id: UUID, body: PressBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.approvals.approve(actor, id, body.idempotency_key))

    @routes.post("/requests/{id}/decline", summary="Decline as the second person, and say why")
    async def decline(id: UUID, body: ReasonBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.approvals.decline(actor, id, body.reason, body.idempotency_key))

    @routes.post("/requests/{id}/withdraw", summary="Take back what one ordered, before it is decided on")
    async def withdraw(id: UUID, body: PressBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.approvals.withdraw(actor, id, body.idempotency_key))

    @routes.post("/requests/{id}/check", summary="Note that an answer was read and found in order")
    async def check(id: UUID, body: PressBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.checking.check(actor, id, body.idempotency_key))


def _add_objections(routes: APIRouter, assets: Assets) -> None:
    @routes.get("/objections", summary="Objections of banks and registries")
    async def objections(
        case_id: UUID | None = None,
        only_open: bool = True,
        cursor: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> ObjectionLines:
        with refusals():
            found = await assets.objections.listed(
                actor_of(signed_in()), case_id=case_id, only_open=only_open, after=cursor, limit=limit
            )
        lines = [ObjectionLine.model_validate(one) for one in found]
        return ObjectionLines(items=lines, next=str(lines[-1].id) if len(lines) == limit else None)

    @routes.post("/objections/{id}/maintain", summary="Insist: the request is asked again, with its own number")
    async def maintain(id: UUID, body: AnswerBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.objections.maintain(actor, id, body.answer, body.idempotency_key))

    @routes.post("/objections/{id}/yield", summary="Yield: the request counts as returned")
    async def yield_to(id: UUID, body: AnswerBody) -> RequestLine:  # noqa: A002 - the path's own name
        return await _done(lambda actor: assets.objections.yield_to(actor, id, body.answer, body.idempotency_key))


async def _done(deed: Callable[[Actor], Awaitable[RequestView]]) -> RequestLine:
    with refusals():
        return RequestLine.model_validate(await deed(actor_of(signed_in())))
