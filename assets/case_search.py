"""Finding cases of one's courts by their number, by who is under enforcement or by an asset, page by page, masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.conditions import apart
from assets.masks import masked_name
from assets.measures import EFFECTIVE
from assets.orders import acting_court, require, visible
from assets.search_words import Found, Place, holds, normal
from assets.tables import Asset, Case, ControlMeasure, Person
from assets.views import CaseHead, case_head

_UNDER_ENFORCEMENT = "under_enforcement"
_EFFECTIVE = [state.value for state in EFFECTIVE]


@dataclass(frozen=True, slots=True)
class FoundCase:
    """One case in a list."""

    head: CaseHead
    court_name: str
    persons: list[str]
    """Those under enforcement, masked."""
    lapses_on: date | None
    """When the next of its measures ends."""
    is_own: bool
    """Whether the actor is its own judge."""


class CaseSearch:
    """Reads only; every call is made for an `Actor`."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def cases(
        self, actor: Actor, text: str = "", *, after: Place | None = None, limit: int = 50
    ) -> Found[FoundCase]:
        """The cases of the actor's courts whose number holds `text`, or with a person or an asset of that very name."""
        require(actor.may_see)
        # Read in the order of their numbers: few have to be until a page is full.
        query = select(Case).where(apart(visible(actor)))
        wanted = normal(text)
        if wanted:
            with_asset = select(Asset.case_id).where(Asset.reference == wanted)
            query = query.where(
                or_(holds(Case.number, wanted), Case.id.in_(_cases_with(wanted)), Case.id.in_(with_asset))
            )
        if after is not None:
            is_behind = or_(Case.number < after.value, and_(Case.number == after.value, Case.id < after.id))
            query = query.where(Case.number <= after.value, is_behind)
        query = query.order_by(Case.number.desc(), Case.id.desc()).limit(limit + 1)
        async with self._records.read() as session:
            cases = (await session.scalars(query)).all()
            items = await _with_persons(session, actor, cases[:limit])
        last = cases[limit - 1] if len(cases) > limit else None
        return Found(items, Place(last.number, last.id) if last is not None else None)


async def _with_persons(session: AsyncSession, actor: Actor, cases: Sequence[Case]) -> list[FoundCase]:
    ids = [one.id for one in cases]
    persons: dict[UUID, list[str]] = {}
    under = select(Person).where(Person.case_id.in_(ids), Person.role == _UNDER_ENFORCEMENT)
    for person in await session.scalars(under.order_by(Person.ordinal, Person.id)):
        persons.setdefault(person.case_id, []).append(masked_name(person.name, is_firm=person.is_firm))
    ends = (
        select(ControlMeasure.case_id, func.min(ControlMeasure.ends_on))
        .where(ControlMeasure.case_id.in_(ids), ControlMeasure.state.in_(_EFFECTIVE))
        .group_by(ControlMeasure.case_id)
    )
    lapses = {row[0]: row[1] for row in await session.execute(ends)}
    return [
        FoundCase(
            head=case_head(one, acting_court(actor, one)),
            court_name=one.court_name,
            persons=persons.get(one.id, []),
            lapses_on=lapses.get(one.id),
            is_own=one.judge_id == actor.user_id,
        )
        for one in cases
    ]


def _cases_with(name: str) -> Select[Any]:
    """The cases in which one so called is under enforcement: a firm by a part of its name, a person by the whole."""
    bare = name.removesuffix("*")
    is_called = Person.name.in_({bare, name}) | (Person.id_number == name)
    by_surname = Person.name.startswith(bare, autoescape=True) if len(bare) == 1 else false()
    return select(Person.case_id).where(
        or_(is_called, by_surname, and_(Person.is_firm, holds(Person.name, bare))),
        Person.role == _UNDER_ENFORCEMENT,
    )
