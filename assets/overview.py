"""All that the centre's panel shows of one case: summed up by the database, and of the rest what matters first.

A case may have thousands of assets and hundreds of answers. Sums are over all of them; listed are the assets that
somebody has to look at first, and the answers that are missing or failed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from assets.audit import Actor
from assets.documents import Action
from assets.names import private_names
from assets.orders import acting_court, case_of
from assets.requests import AWAITED, RequestState
from assets.standings import HOLDING, is_latest_measure, standing_column
from assets.tables import Asset, AssetRequest, ControlMeasure, Person
from assets.views import (
    AnswerCount,
    AssetView,
    CaseView,
    LastAnswer,
    Progress,
    RequestView,
    Standing,
    Standings,
    asset_view,
    case_head,
    person_view,
    request_view,
)

LISTED_ASSETS = 100
LISTED_ANSWERS = 60
FIRST_STANDINGS = (
    Standing.UNKNOWN,
    Standing.OBJECTED,
    Standing.LAPSED,
    Standing.UNSENT,
    Standing.DRAFTED,
    Standing.INTENDED,
    Standing.NOT_CONTROLLED,
    Standing.PARTLY,
    Standing.EMPTY,
)
"""Where there are too many assets for a list these come first, in this order."""
FIRST_ANSWERS = (
    RequestState.FAILED,
    RequestState.NO_ANSWER,
    RequestState.RETURNED,
    RequestState.OBJECTED,
    RequestState.SENT,
    RequestState.ACCEPTED,
)
"""The same of answers; who has answered comes after all who haven't."""


async def overview_of(session: AsyncSession, actor: Actor, case_id: UUID, today: date) -> CaseView:
    """One case of the actor's courts, masked.

    Raises:
        NotFound: no such case in the actor's courts.
    """
    owning = await case_of(session, actor, case_id)
    names = await private_names(session, [case_id])
    persons = select(Person).where(Person.case_id == case_id).order_by(Person.ordinal, Person.id)
    standings = await standings_of(session, case_id, today)
    described = select(func.max(Asset.answered_at)).where(Asset.case_id == case_id)
    return CaseView(
        head=case_head(owning, acting_court(actor, owning)),
        controlled_cents=sum(one.controlled_cents for one in standings),
        transferred_cents=await transferred_of(session, case_id),
        persons=[person_view(person) for person in await session.scalars(persons)],
        assets=await _assets(session, case_id, today, names),
        assets_total=sum(one.assets for one in standings),
        standings=standings,
        answers=await _answers(session, case_id, names),
        answer_counts=await _answer_counts(session, case_id),
        progress=await _progress(session, case_id),
        last_answer=await last_answer_of(session, case_id),
        described_at=await session.scalar(described),
    )


async def standings_of(session: AsyncSession, case_id: UUID, today: date) -> list[Standings]:
    """How many of a case's assets of each kind stand how, and what is really held of them."""
    standing = standing_column(today)
    holds = standing.in_([one.value for one in HOLDING])
    each = (
        select(
            Asset.kind,
            standing.label("standing"),
            case((holds, ControlMeasure.controlled_cents), else_=0).label("held"),
        )
        .outerjoin(ControlMeasure, is_latest_measure())
        .outerjoin(AssetRequest, _its_order())
        .where(Asset.case_id == case_id)
    ).subquery()
    grouped = (
        select(each.c.kind, each.c.standing, func.count(), func.sum(each.c.held))
        .group_by(each.c.kind, each.c.standing)
        .order_by(each.c.kind, each.c.standing)
    )
    return [
        Standings(kind, Standing(told), count, int(held or 0))
        for kind, told, count, held in await session.execute(grouped)
    ]


async def transferred_of(session: AsyncSession, case_id: UUID) -> int:
    """The money that was taken from the case's accounts, whatever became of the measures since."""
    taken = select(func.coalesce(func.sum(ControlMeasure.transferred_cents), 0))
    return int(await session.scalar(taken.where(ControlMeasure.case_id == case_id)) or 0)


async def last_answer_of(session: AsyncSession, case_id: UUID) -> LastAnswer | None:
    """The newest answer of anybody, to a query or to an order; what couldn't be sent or read is none."""
    newest = (
        select(AssetRequest.answered_at, AssetRequest.gateway, AssetRequest.action)
        .where(
            AssetRequest.case_id == case_id,
            AssetRequest.answered_at.is_not(None),
            AssetRequest.state != RequestState.FAILED.value,
        )
        .order_by(AssetRequest.answered_at.desc(), AssetRequest.id.desc())
        .limit(1)
    )
    found = (await session.execute(newest)).first()
    return None if found is None or found[0] is None else LastAnswer(found[0], found[1], found[2])


def _its_order() -> ColumnElement[bool]:
    """The order that began a measure; with its case told, no other case's requests are read."""
    return (AssetRequest.id == ControlMeasure.request_id) & (AssetRequest.case_id == Asset.case_id)


async def _assets(session: AsyncSession, case_id: UUID, today: date, names: Collection[str]) -> list[AssetView]:
    query = (
        select(Asset, ControlMeasure, AssetRequest)
        .select_from(Asset)
        .outerjoin(ControlMeasure, is_latest_measure())
        .outerjoin(AssetRequest, _its_order())
        .where(Asset.case_id == case_id)
        .order_by(_place_in(standing_column(today), FIRST_STANDINGS), Asset.id)
        .limit(LISTED_ASSETS)
    )
    return [asset_view(*row, today, names) for row in await session.execute(query)]


def is_latest_query(case_id: UUID) -> ColumnElement[bool]:
    """The latest query of each person of a case at each gateway."""
    later = aliased(AssetRequest)
    is_query = (AssetRequest.case_id == case_id) & (AssetRequest.action == Action.QUERY.value)
    overtaking = select(later.id).where(
        later.case_id == case_id,
        later.action == Action.QUERY.value,
        later.person_id == AssetRequest.person_id,
        later.gateway == AssetRequest.gateway,
        later.id > AssetRequest.id,
    )
    return is_query & ~overtaking.exists()


async def _answer_counts(session: AsyncSession, case_id: UUID) -> list[AnswerCount]:
    query = (
        select(AssetRequest.person_id, AssetRequest.state, func.count())
        .where(is_latest_query(case_id))
        .group_by(AssetRequest.person_id, AssetRequest.state)
        .order_by(AssetRequest.person_id, AssetRequest.state)
    )
    return [AnswerCount(person, state, count) for person, state, count in await session.execute(query)]


async def _progress(session: AsyncSession, case_id: UUID) -> Progress | None:
    is_awaited = AssetRequest.state.in_([state.value for state in AWAITED])
    under_way = select(AssetRequest.idempotency_key).where(AssetRequest.case_id == case_id, is_awaited).distinct()
    query = select(func.count(), func.count().filter(is_awaited)).where(
        AssetRequest.case_id == case_id, AssetRequest.idempotency_key.in_(under_way)
    )
    total, awaited = (await session.execute(query)).one()
    return Progress(total - awaited, total) if total else None


async def _answers(session: AsyncSession, case_id: UUID, names: Collection[str]) -> list[RequestView]:
    query: Select[AssetRequest] = (
        select(AssetRequest)
        .where(is_latest_query(case_id))
        .order_by(_place_in(AssetRequest.state, FIRST_ANSWERS), AssetRequest.id)
        .limit(LISTED_ANSWERS)
    )
    return [request_view(one, names) for one in await session.scalars(query)]


def _place_in(column: Any, order: Sequence[StrEnum]) -> ColumnElement[int]:
    return case({one.value: place for place, one in enumerate(order)}, value=column, else_=len(order))
