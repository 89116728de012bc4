"""`/api/assets/terms`: what lapses next, the alarms about it, and the table to take away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from assets.term_alarms import TermAlarms
from assets.term_keys import Show, TermFilter, TermPlace
from assets.term_table import AlarmView, Severity, TermPage, TermRow, TermTable
from assets.terms import AssetKind
from command_center.accounts.court_names import CourtNames
from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.paging import Page
from command_center.asset_access import actor_of, refusals
from command_center.errors import Invalid
from command_center.term_workbook import term_workbook
from command_center.translations import translate
from command_center.workbook_cells import MEDIA_TYPE
from streams.protocol import PLAIN_TEXT

PAGE, LARGEST_PAGE = 50, 200
LARGEST_WORKBOOK = 10_000
"""Rows of one workbook; whoever needs more filters."""
LONGEST_WORDS = 100
Words = Annotated[str, Field(max_length=LONGEST_WORDS, pattern=PLAIN_TEXT)]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TermAlarmLine(_Answer):
    """The alarm that was raised last about a term; `days_before` is -1 where it lapsed."""

    id: UUID
    days_before: int
    due_on: date
    raised_at: datetime
    acknowledged_by: UUID | None
    acknowledged_by_name: str = ""
    acknowledged_at: datetime | None


class TermLine(_Answer):
    """One measure with its last day, which the law sets; `renew_by` is the last working day up to it."""

    measure_id: UUID
    case_id: UUID
    case_number: str
    court_id: UUID
    court_name: str
    judge_name: str
    person: str
    asset_id: UUID
    kind: str
    reference: str
    description: str
    action: str
    state: str
    controlled_cents: int
    starts_on: date | None
    ends_on: date
    renew_by: date
    days_left: int
    working_days_left: int
    severity: Severity
    alarm: TermAlarmLine | None


class TermsPage(Page[TermLine]):
    """What ends first comes first. In `unknown_years` only weekends count as days off: nothing is announced."""

    today: date
    unknown_years: list[int]


class CourtLine(_Answer):
    """A court of one's own."""

    id: UUID
    code: str
    name_zh: str
    name_en: str


class TermCountsLine(_Answer):
    """How many measures hold something, how many end within so many days, and how many alarms nobody answered."""

    today: date
    effective: int
    within: dict[int, int]
    alarms: int
    lapsed: int
    courts: list[CourtLine] = []


class AcknowledgeBody(BaseModel):
    """One press of the button."""

    model_config = ConfigDict(extra="forbid")
    idempotency_key: UUID


class TermFilters(BaseModel):
    """Which measures."""

    show: Show = Show.TERMS
    court_id: UUID | None = None
    case_id: UUID | None = None
    kind: AssetKind | None = None
    judge: Words = ""
    case: Words = ""
    within_days: int | None = Field(default=None, ge=0, le=3650)

    @property
    def wanted(self) -> TermFilter:
        """As the asset domain takes it."""
        return TermFilter(
            show=self.show,
            court_id=self.court_id,
            case_id=self.case_id,
            kind=self.kind,
            judge=self.judge,
            case=self.case,
            within_days=self.within_days,
        )


class PagedTerms(TermFilters):
    """The same, a page of it."""

    cursor: str | None = Field(default=None, max_length=60)
    limit: int = Field(default=PAGE, ge=1, le=LARGEST_PAGE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the routes work by."""

    table: TermTable
    alarms: TermAlarms
    names: AccountNames
    courts: CourtNames


def router(terms: Terms) -> APIRouter:
    """The routes of terms."""
    routes = APIRouter(prefix="/api/assets/terms", tags=["assets"])

    @routes.get("", summary="What lapses next, page by page")
    async def listed(asked: Annotated[PagedTerms, Parameter()]) -> TermsPage:
        with refusals():
            found = await terms.table.page(
                actor_of(signed_in()), asked.wanted, after=_place_of(asked.cursor), limit=asked.limit
            )
        known = await terms.names.of({by for row in found.rows if (by := _answered_by(row.alarm))})
        return _page(found, known)

    @routes.get("/counts", summary="How many terms end soon, and how many alarms are open; one's courts")
    async def counted(court_id: UUID | None = None) -> TermCountsLine:
        identity = signed_in()
        with refusals():
            counts = await terms.table.counts(actor_of(identity), court_id)
        line = TermCountsLine.model_validate(counts)
        line.courts = [CourtLine.model_validate(one) for one in await terms.courts.of(identity.court_ids)]
        return line

    @routes.post("/alarms/{id}/acknowledge", summary="Acknowledge an alarm; repeated with the same key it stays one")
    async def acknowledge(id: UUID, body: AcknowledgeBody) -> TermAlarmLine:  # noqa: A002 - the path's own name
        with refusals():
            alarm = await terms.alarms.acknowledge(actor_of(signed_in()), id, body.idempotency_key)
        line = TermAlarmLine.model_validate(alarm)
        known = await terms.names.of({alarm.acknowledged_by} if alarm.acknowledged_by else set())
        return _named(line, known)

    @routes.get("/workbook", summary="The table as XLSX, masked", response_class=Response)
    async def take(asked: Annotated[TermFilters, Parameter()]) -> Response:
        who = signed_in()
        with refusals():
            found = await terms.table.page(actor_of(who), asked.wanted, limit=LARGEST_WORKBOOK)
        content = await asyncio.to_thread(
            term_workbook, found.rows, found.today, who.language, is_cut=found.after is not None
        )
        name = quote(f"{translate('term.workbook.sheet', who.language)} {found.today}.xlsx")
        headers = {"Cache-Control": "no-store", "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    return routes


def _page(found: TermPage, known: dict[UUID, AccountName]) -> TermsPage:
    return TermsPage(
        items=[_line(row, known) for row in found.rows],
        next=f"{found.after.ends_on}~{found.after.measure_id}" if found.after else None,
        today=found.today,
        unknown_years=list(found.unknown_years),
    )


def _line(row: TermRow, known: dict[UUID, AccountName]) -> TermLine:
    line = TermLine.model_validate(row)
    if line.alarm is not None:
        line.alarm = _named(line.alarm, known)
    return line


def _named(line: TermAlarmLine, known: dict[UUID, AccountName]) -> TermAlarmLine:
    who = known.get(line.acknowledged_by) if line.acknowledged_by else None
    return line.model_copy(update={"acknowledged_by_name": who.display_name}) if who else line


def _answered_by(alarm: AlarmView | None) -> UUID | None:
    return None if alarm is None else alarm.acknowledged_by


def _place_of(cursor: str | None) -> TermPlace | None:
    if cursor is None:
        return None
    day, _, measure_id = cursor.partition("~")
    try:
        return TermPlace(date.fromisoformat(day), UUID(measure_id))
    except ValueError as error:
        raise Invalid("cursor-not-valid") from error
