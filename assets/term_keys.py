"""Which measures stand on a page of the table of terms, and in which order.

Pages are read by a key (last day, measure), a short piece of an index for each court and state, so that the hundredth
page of a hundred thousand measures costs what the first does. A filter that few rows pass is turned around: what it
names is looked up first, and its measures are put in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.conditions import apart
from assets.measures import EFFECTIVE, MeasureState
from assets.search_words import holds, words_of
from assets.tables import Asset, Case, ControlMeasure, TermAlarm
from assets.terms import AssetKind

_EFFECTIVE = sorted(EFFECTIVE)
_COURTS_APART = 40
"""Up to so many courts each is read by itself."""
_FEW = 1000
"""Up to so many cases or assets their measures are looked up; beyond that the measures are read in order."""
_LONG_AGO = date(1970, 1, 1)


class Show(StrEnum):
    """Which measures."""

    TERMS = "terms"
    """All that hold something."""
    ALARMS = "alarms"
    """Those with an alarm that nobody has acknowledged, and those that lapsed unacknowledged."""


@dataclass(frozen=True, slots=True)
class TermFilter:
    """Which measures; what is empty filters nothing."""

    show: Show = Show.TERMS
    court_id: UUID | None = None
    case_id: UUID | None = None
    kind: AssetKind | None = None
    judge: str = ""
    case: str = ""
    within_days: int | None = None


@dataclass(frozen=True, slots=True)
class TermPlace:
    """Behind which row a page begins."""

    ends_on: date
    measure_id: UUID


@dataclass(frozen=True, slots=True)
class _Few:
    """The few cases, or the few assets, that pass a filter."""

    ids: Sequence[UUID]
    are_cases: bool

    def holds(self, table: type[ControlMeasure | TermAlarm]) -> ColumnElement[bool]:
        """Whether a row is of one of these."""
        if self.are_cases:
            return table.case_id.in_(self.ids)
        if issubclass(table, ControlMeasure):
            return table.asset_id.in_(self.ids)
        return table.measure_id.in_(select(ControlMeasure.id).where(ControlMeasure.asset_id.in_(self.ids)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one reading is about."""

    wanted: TermFilter
    courts: Sequence[UUID]
    few: _Few | None
    """Those that pass a filter, where they are few."""
    today: date
    after: TermPlace | None
    limit: int

    @property
    def passes_over(self) -> bool:
        """Whether many rows have to be read to find those that are wanted."""
        return self.wanted.kind is not None or bool(self.wanted.case or self.wanted.judge)


def courts_of(actor: Actor, court_id: UUID | None) -> list[UUID]:
    """The actor's courts, or the one that is asked for, if it is one of them."""
    if court_id is None:
        return sorted(actor.court_ids)
    return [court_id] if court_id in actor.court_ids else []


async def keys_of(
    session: AsyncSession,
    actor: Actor,
    wanted: TermFilter,
    today: date,
    *,
    after: TermPlace | None,
    limit: int,
) -> list[tuple[date, UUID]]:
    """The last days and ids of the next `limit` measures behind `after`."""
    courts = courts_of(actor, wanted.court_id)
    if not courts:
        return []
    few = await _few(session, actor, wanted, courts)
    if few is not None and not few.ids:
        return []
    asked = _Asked(wanted, courts, few, today, after, limit)
    together = union_all(*(select(piece.subquery()) for piece in _pieces(asked))).subquery()
    ends_on, measure_id = together.c[0], together.c[1]
    query = select(ends_on, measure_id).order_by(ends_on, measure_id).limit(limit)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def _few(session: AsyncSession, actor: Actor, wanted: TermFilter, courts: Sequence[UUID]) -> _Few | None:
    """The few that are wanted; None where they aren't few."""
    if wanted.case_id is not None or actor.case_ids is not None or wanted.case or wanted.judge:
        of_words = [apart(Case.court_id.in_(courts)), *_of_words(wanted)]
        of_words += [Case.id == wanted.case_id] if wanted.case_id is not None else []
        of_words += [Case.id.in_(actor.case_ids)] if actor.case_ids is not None else []
        cases = list(await session.scalars(select(Case.id).where(*of_words).limit(_FEW + 1)))
        # Whoever may know of some cases only has few, however many these are.
        if len(cases) <= _FEW or actor.case_ids is not None:
            return _Few(cases, are_cases=True)
    if wanted.kind is not None:
        of_kind = select(Asset.id).where(Asset.kind == wanted.kind.value).limit(_FEW + 1)
        owned = list(await session.scalars(of_kind))
        if len(owned) <= _FEW:
            return _Few(owned, are_cases=False)
    return None


def _of_words(wanted: TermFilter) -> list[ColumnElement[bool]]:
    return [
        *(holds(Case.number, word) for word in words_of(wanted.case)),
        *(holds(Case.judge_name, word) for word in words_of(wanted.judge)),
    ]


def _pieces(asked: _Asked) -> list[Select[Any, Any]]:
    """One for each court and state; all courts in one order where most rows are passed over anyway."""
    together = asked.passes_over or asked.few is not None or len(asked.courts) > _COURTS_APART
    groups = [asked.courts] if together else [[court] for court in asked.courts]
    if asked.wanted.show is Show.ALARMS:
        return [_of_alarms(asked, group) for group in groups]
    # Of few, both states are read at once: no index has them in order, so none is gone through in search of the few.
    states = [_EFFECTIVE] if asked.few is not None else [[state] for state in _EFFECTIVE]
    return [_of_measures(asked, group, each) for group in groups for each in states]


def _of_measures(asked: _Asked, courts: Sequence[UUID], states: Sequence[MeasureState]) -> Select[Any, Any]:
    is_in_state = _told_to(asked, ControlMeasure.state.in_(states))
    kind = select(Asset.kind).where(Asset.id == ControlMeasure.asset_id)
    return _read(asked, courts, ControlMeasure, ControlMeasure.id, kind).where(is_in_state)


def _of_alarms(asked: _Asked, courts: Sequence[UUID]) -> Select[Any, Any]:
    is_open = _told_to(asked, and_(TermAlarm.closed_at.is_(None), TermAlarm.acknowledged_at.is_(None)))
    kind = select(Asset.kind).join(ControlMeasure).where(ControlMeasure.id == TermAlarm.measure_id)
    return _read(asked, courts, TermAlarm, TermAlarm.measure_id, kind).where(is_open)


def _read(
    asked: _Asked, courts: Sequence[UUID], table: type[ControlMeasure | TermAlarm], measure_id: Any, kind: Select[str]
) -> Select[Any, Any]:
    """The first rows of this table in the order of last days, of these courts and as they are wanted.

    What a filter needs of another table is looked up for each row that is read, since a join would have a database
    go through all of them first; few are read until a page is full.
    """
    wanted, few, day = asked.wanted, asked.few, table.ends_on
    days = [*_behind(day, measure_id, asked.after), *_by(day, asked)]
    query = select(day, measure_id).where(*(_told_to(asked, one) for one in days))
    if few is not None:
        query = query.where(few.holds(table))
    if few is None or not few.are_cases:  # few cases are of the right courts and hold the words already
        query = query.where(_one_of(table.court_id, courts))
    if (few is None or not few.are_cases) and (wanted.case or wanted.judge):
        of_words = select(Case.id).where(*_of_words(wanted))
        query = query.where(apart(table.case_id.in_(of_words)))
    if wanted.kind is not None:
        query = query.where(apart(kind.scalar_subquery() == wanted.kind.value))
    return query.order_by(day, measure_id).limit(asked.limit)


def _by(day: Any, asked: _Asked) -> Iterable[ColumnElement[bool]]:
    within = asked.wanted.within_days
    return () if within is None else (day <= asked.today + timedelta(days=within),)


def _told_to(asked: _Asked, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same condition; of few it leads to nothing, or a database goes through all days in search of the few."""
    return condition if asked.few is None else apart(condition)


def _one_of(column: Any, courts: Sequence[UUID]) -> ColumnElement[bool]:
    if len(courts) == 1:
        return column == courts[0]  # type: ignore[no-any-return]
    # An index of courts would have all rows sorted before the first is read.
    return apart(column.in_(courts))


def _behind(day: Any, measure_id: Any, after: TermPlace | None) -> Iterable[ColumnElement[bool]]:
    if after is None:
        return (day >= _LONG_AGO,)
    # The first condition is what an index goes by; the second says the rest.
    return (day >= after.ends_on, or_(day > after.ends_on, and_(day == after.ends_on, measure_id > after.measure_id)))
