"""The head of one case: its claim, the money that is really held by kind of asset, its persons, and who answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.masks import masked_words
from assets.names import private_names
from assets.orders import acting_court, case_of, require
from assets.overview import is_latest_query, last_answer_of, standings_of, transferred_of
from assets.tables import AssetRequest, Case, Person
from assets.terms import china_day
from assets.views import CaseHead, LastAnswer, PersonView, Standings, case_head, person_view


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What one gateway last said of a person: a case may have hundreds, so that no more is told than a list shows."""

    person_id: UUID
    gateway: str
    number: str
    state: str
    found: int
    attempts: int
    reason: str
    """The other side's own words, masked."""
    sent_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """All of a case but its assets one by one."""

    head: CaseHead
    court_name: str
    judge_name: str
    filed_on: date
    is_own: bool
    """Whether the actor is the case's own judge."""
    today: date
    controlled_cents: int
    """Money really held; what waits counts nothing."""
    transferred_cents: int
    """Money that was taken already; it is held no more."""
    standings: list[Standings]
    persons: list[PersonView]
    answers: list[AnswerView]
    """The latest query of each person at each gateway."""
    last_answer: LastAnswer | None
    ruling_number: str
    """Of the latest control, which the next one mostly goes by; empty where there was none."""


class CaseSummaries:
    """Reads only; every call is made for an `Actor`."""

    def __init__(self, records: Records, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._clock = clock

    async def of(self, actor: Actor, case_id: UUID) -> CaseSummary:
        """One case.

        Raises:
            NotPermitted, NotFound: no such case in the actor's courts.
        """
        require(actor.may_see)
        today = china_day(self._clock())
        async with self._records.read() as session:
            case = await case_of(session, actor, case_id)
            standings = await standings_of(session, case_id, today)
            return CaseSummary(
                head=case_head(case, acting_court(actor, case)),
                court_name=case.court_name,
                judge_name=case.judge_name,
                filed_on=case.filed_on,
                is_own=case.judge_id == actor.user_id,
                today=today,
                controlled_cents=sum(one.controlled_cents for one in standings),
                transferred_cents=await transferred_of(session, case_id),
                standings=standings,
                persons=[person_view(person) for person in await _persons(session, case)],
                answers=await _answers(session, case_id),
                last_answer=await last_answer_of(session, case_id),
                ruling_number=await _ruling(session, case_id),
            )


async def _persons(session: AsyncSession, case: Case) -> list[Person]:
    query = select(Person).where(Person.case_id == case.id).order_by(Person.ordinal, Person.id)
    return list(await session.scalars(query))


async def _answers(session: AsyncSession, case_id: UUID) -> list[AnswerView]:
    latest = (
        select(
            AssetRequest.person_id, AssetRequest.gateway, AssetRequest.number, AssetRequest.state, AssetRequest.found,
            AssetRequest.attempts, AssetRequest.reason, AssetRequest.sent_at, AssetRequest.answered_at,
        )
        .where(is_latest_query(case_id))
        .order_by(AssetRequest.gateway, AssetRequest.id)
    )  # fmt: skip
    names = await private_names(session, [case_id])
    found = await session.execute(latest)
    return [AnswerView(*row[:6], masked_words(row.reason, names), row.sent_at, row.answered_at) for row in found]


async def _ruling(session: AsyncSession, case_id: UUID) -> str:
    query = (
        select(AssetRequest.ruling_number)
        .where(AssetRequest.case_id == case_id, AssetRequest.ruling_number != "")
        .order_by(AssetRequest.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).first() or ""
