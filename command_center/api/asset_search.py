"""Finding cases and assets, one asset's time line, unmasking, and the list to take away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from assets.reading import AssetReading
from assets.search import Order, Wanted
from assets.terms import AssetKind, china_day
from assets.views import Standing
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountNames
from command_center.api.assets import AssetLine, CaseLine, LastAnswerLine, PersonLine, RequestLine, StandingsLine
from command_center.api.paging import Page, cursor_to, place_in
from command_center.api.reasons import Reason
from command_center.asset_access import actor_of, refusals
from command_center.asset_workbook import workbook
from command_center.workbook_cells import MEDIA_TYPE
from streams.protocol import PLAIN_TEXT

PAGE, LARGEST_PAGE = 100, 500
NOT_KEPT = {"Cache-Control": "no-store"}


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FoundCaseLine(_Answer):
    """A case in a search, with whom it is enforced against (masked) and when its next measure ends."""

    head: CaseLine
    court_name: str
    persons: list[str]
    lapses_on: date | None
    is_own: bool


class FoundAssetLine(_Answer):
    """An asset in a search, with its case, its person (masked) and the order that began its latest measure."""

    case_id: UUID
    case_number: str
    person: str
    asset: AssetLine
    measure_id: UUID | None
    measure_action: str
    request_id: UUID | None
    request_number: str
    request_state: str
    contradiction: str


class LatestAnswerLine(_Answer):
    """What one gateway last said of a person, in short."""

    person_id: UUID
    gateway: str
    number: str
    state: str
    found: int
    attempts: int
    reason: str
    sent_at: datetime | None
    answered_at: datetime | None


class CaseHeadLine(_Answer):
    """A case without its assets; what waits counts nothing."""

    head: CaseLine
    court_name: str
    judge_name: str
    filed_on: date
    is_own: bool
    today: date
    controlled_cents: int
    transferred_cents: int
    standings: list[StandingsLine]
    persons: list[PersonLine]
    answers: list[LatestAnswerLine]
    last_answer: LastAnswerLine | None
    ruling_number: str


class CaseSummaryLine(CaseHeadLine):
    """The same, with whom one may ask."""

    gateways: list[str]
    read_at: datetime


class EntryLine(BaseModel):
    """One thing that happened to an asset; `by` is empty where the law or the other side did it."""

    at: datetime
    kind: str
    what: str
    by: str
    number: str
    action: str
    words: str
    details: dict[str, Any]


class HistoryLine(BaseModel):
    """The time line of an asset, newest first; `left_off` older entries aren't in it."""

    entries: list[EntryLine]
    left_off: int
    orders: list[RequestLine]


class UnmaskBody(BaseModel):
    """Why somebody looks behind the masks, and at which of the case's assets; at all without one."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason
    asset_id: UUID | None = None


class BarePersonLine(_Answer):
    """A person as the records know them."""

    id: UUID
    name: str
    id_number: str


class BareAssetLine(_Answer):
    """An asset as it was described."""

    id: UUID
    reference: str
    description: str
    encumbrances: list[dict[str, Any]]
    details: dict[str, Any]
    """What else was said of it, by the messages' own names: a text, or lines."""


class BareLine(_Answer):
    """A case's persons and assets without masks: for this answer only."""

    persons: list[BarePersonLine]
    assets: list[BareAssetLine]


class Filters(BaseModel):
    """Which assets, and in which order."""

    text: str = Field(default="", max_length=100, pattern=PLAIN_TEXT)
    case_id: UUID | None = None
    person_id: UUID | None = None
    asset_id: UUID | None = None
    measure_id: UUID | None = None
    kind: AssetKind | None = None
    gateway: str = Field(default="", max_length=32, pattern=PLAIN_TEXT)
    standing: list[Standing] = Field(default_factory=list, max_length=20)
    lapses_within_days: int | None = Field(default=None, ge=0, le=3650)
    order: Order = Order.FOUND
    descending: bool = False

    def wanted(self, today: date) -> Wanted:
        """As the asset domain takes it."""
        within = self.lapses_within_days
        return Wanted(
            case_id=self.case_id,
            text=self.text,
            person_id=self.person_id,
            asset_id=self.asset_id,
            measure_id=self.measure_id,
            kind=self.kind,
            gateway=self.gateway,
            standings=frozenset(self.standing),
            lapses_by=None if within is None else today + timedelta(days=within),
            order=self.order,
            is_descending=self.descending,
        )


class Paged(Filters):
    """The same, a page of it."""

    cursor: str | None = Field(default=None, max_length=120, pattern=PLAIN_TEXT)
    limit: int = Field(default=PAGE, ge=1, le=LARGEST_PAGE)


def router(read: AssetReading, names: AccountNames, gateways: Sequence[str]) -> APIRouter:
    """The routes; `gateways` are those that can be asked."""
    routes = APIRouter(prefix="/api/assets", tags=["assets"])
    _add_searching(routes, read)
    _add_reading(routes, read, names, gateways)
    _add_taking(routes, read)
    return routes


def _add_searching(routes: APIRouter, read: AssetReading) -> None:
    @routes.get("/search", summary="Assets of one's courts: filtered, sorted, masked")
    async def search(asked: Annotated[Paged, Parameter()]) -> Page[FoundAssetLine]:
        with refusals():
            found = await read.assets.assets(
                actor_of(signed_in()),
                asked.wanted(china_day(read.clock())),
                after=place_in(asked.cursor),
                limit=asked.limit,
            )
        return Page(items=[FoundAssetLine.model_validate(one) for one in found.items], next=cursor_to(found.after))

    @routes.get("/search/cases", summary="Cases of one's courts by number, or by the whole name of a person in them")
    async def search_cases(
        text: Annotated[str, Parameter(max_length=100, pattern=PLAIN_TEXT)] = "",
        cursor: Annotated[str | None, Parameter(max_length=120, pattern=PLAIN_TEXT)] = None,
        limit: Annotated[int, Parameter(ge=1, le=LARGEST_PAGE)] = PAGE,
    ) -> Page[FoundCaseLine]:
        with refusals():
            found = await read.cases.cases(actor_of(signed_in()), text, after=place_in(cursor), limit=limit)
        return Page(items=[FoundCaseLine.model_validate(one) for one in found.items], next=cursor_to(found.after))


def _add_reading(routes: APIRouter, read: AssetReading, names: AccountNames, gateways: Sequence[str]) -> None:
    @routes.get("/cases/{id}/summary", summary="A case's head: claim, money really held, persons, who answered")
    async def summary(id: UUID) -> CaseSummaryLine:  # noqa: A002 - the path's own name
        with refusals():
            found = await read.summaries.of(actor_of(signed_in()), id)
        head = CaseHeadLine.model_validate(found)
        return CaseSummaryLine(**dict(head), gateways=list(gateways), read_at=read.clock())

    @routes.get("/items/{id}/history", summary="One asset's time line, newest first")
    async def history(id: UUID) -> HistoryLine:  # noqa: A002 - the path's own name
        with refusals():
            found = await read.histories.of(actor_of(signed_in()), id)
        known = await names.of({entry.by for entry in found.entries if entry.by is not None})
        entries = [
            EntryLine(
                at=entry.at,
                kind=entry.kind,
                what=entry.what,
                by=known[entry.by].display_name if entry.by in known else "",
                number=entry.number,
                action=entry.action,
                words=entry.words,
                details=entry.details,
            )
            for entry in found.entries
        ]
        orders = [RequestLine.model_validate(one) for one in found.orders]
        return HistoryLine(entries=entries, left_off=found.left_off, orders=orders)


def _add_taking(routes: APIRouter, read: AssetReading) -> None:
    @routes.post("/cases/{id}/unmask", summary="Names and numbers as they are: the case's own judge, for a reason")
    async def unmask(id: UUID, body: UnmaskBody, response: Response) -> BareLine:  # noqa: A002 - the path's own name
        response.headers.update(NOT_KEPT)
        with refusals():
            bare = await read.unmasking.unmask(actor_of(signed_in()), id, reason=body.reason, asset_id=body.asset_id)
        return BareLine.model_validate(bare)

    @routes.get("/cases/{id}/workbook", summary="A case's assets as XLSX, masked", response_class=Response)
    async def take(id: UUID, asked: Annotated[Filters, Parameter()]) -> Response:  # noqa: A002 - the path's own name
        who = signed_in()
        with refusals():
            wanted = replace(asked.wanted(china_day(read.clock())), case_id=id)
            listing = await read.listings.of(actor_of(who), wanted)
        content = await asyncio.to_thread(workbook, listing, who.language)
        name = quote(f"{listing.summary.head.number}.xlsx")
        headers = NOT_KEPT | {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type=MEDIA_TYPE, headers=headers)
