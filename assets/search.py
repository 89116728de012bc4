"""Finding assets of one's courts: filtered, sorted, page by page, masked.

What is masked is found only by who knows the whole of it: a part of a hidden name or number finds nothing, so that
nobody can feel their way along it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.conditions import apart
from assets.errors import BadFormat
from assets.masks import masked_description, masked_name, masked_reference
from assets.measures import EFFECTIVE
from assets.names import names_by_case
from assets.orders import case_of, require
from assets.requests import RequestState
from assets.search_words import Found, Place, holds, normal, words_of
from assets.standings import UNMEASURED, is_latest_measure, standing_column, states_of
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, Moment, Person
from assets.terms import AssetKind, china_day
from assets.views import AssetView, Standing, asset_view

_NEVER = date(9999, 12, 31)
"""Stands in a sorting for a term that has no end: after all that have one."""
_EFFECTIVE = [state.value for state in EFFECTIVE]
_LARGEST = 2**63 - 1
"""What a column of cents holds."""
_LOOKED_AT_ONCE = 500
_MOST_LOOKED_AT = 5_000
"""How many rows that hold the words are looked at for one page, whether they may be shown or not."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Order(StrEnum):
    """By what assets are sorted."""

    FOUND = "found"
    """In the order in which they became known."""
    LAPSES = "lapses"
    """What lapses next comes first."""
    VALUE = "value"
    CONTROLLED = "controlled"
    ANSWERED = "answered"


_OF_MEASURES = frozenset({Order.LAPSES, Order.CONTROLLED, Order.ANSWERED})
"""What is sorted by the latest measure."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which assets, and in which order."""

    case_id: UUID | None = None
    asset_id: UUID | None = None
    measure_id: UUID | None = None
    text: str = ""
    person_id: UUID | None = None
    kind: AssetKind | None = None
    gateway: str = ""
    standings: frozenset[Standing] = frozenset()
    lapses_by: date | None = None
    order: Order = Order.FOUND
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One asset in a list, with whose case and person it is."""

    case_id: UUID
    case_number: str
    person: str
    """Masked."""
    asset: AssetView
    measure_id: UUID | None
    measure_action: str
    request_id: UUID | None
    request_number: str
    """Of the order that began its latest measure."""
    request_state: str
    contradiction: str
    """How the other side's word and the records disagree; empty where they don't."""


class AssetSearch:
    """Reads only; every call is made for an `Actor`."""

    def __init__(self, records: Records, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._clock = clock

    async def assets(
        self, actor: Actor, wanted: Wanted, *, after: Place | None = None, limit: int = 100
    ) -> Found[FoundRow]:
        """The assets of the actor's courts that are `wanted`.

        Raises:
            NotPermitted, NotFound: no such case in the actor's courts.
            BadFormat: `after` is no place of this order.
        """
        require(actor.may_see)
        today = china_day(self._clock())
        query = _filtered(_places(actor, wanted), wanted, today)
        async with self._records.read() as session:
            if wanted.case_id is not None:
                await case_of(session, actor, wanted.case_id)
            places, further = await _next_places(session, query, wanted, after, limit)
            rows = await _rows(session, [place.id for place in places], today)
        return Found(rows, further)


async def _next_places(
    session: AsyncSession, query: Select[Any], wanted: Wanted, after: Place | None, limit: int
) -> tuple[list[Place], Place | None]:
    """Where the rows of the next page stand, and behind which place there are more.

    That more rows hold the words in what is hidden mustn't show either, so that a page ends with a place only where
    more may be seen.
    """
    shown: list[Place] = []
    looked_at, at_once = 0, limit + 1
    while True:
        found = list(await session.execute(_from_place(query, wanted, after).limit(at_once)))
        shown += await _shown(session, [_place_of(row) for row in found], wanted.text)
        if len(shown) > limit:
            return shown[:limit], shown[limit - 1]
        looked_at += len(found)
        after = _place_of(found[-1]) if len(found) == at_once else None
        if after is None or looked_at >= _MOST_LOOKED_AT:
            return shown, after
        at_once = max(at_once, _LOOKED_AT_ONCE)


async def _shown(session: AsyncSession, places: Sequence[Place], text: str) -> Sequence[Place]:
    """Those of them that hold the words in what may be seen."""
    if not words_of(text):
        return places
    query = (
        select(
            Asset.id, Asset.case_id, Asset.kind, Asset.reference, Asset.description,
            Case.number, Person.name, Person.is_firm, Person.id_number,
        )
        .join(Case, Case.id == Asset.case_id)
        .join(Person, Person.id == Asset.person_id)
        .where(Asset.id.in_([place.id for place in places]))
    )  # fmt: skip
    told = {row.id: row for row in await session.execute(query)}
    names = await names_by_case(session, {row.case_id for row in told.values()})
    return [place for place in places if _shows(told[place.id], text, names[told[place.id].case_id])]


async def _rows(session: AsyncSession, asset_ids: Sequence[UUID], today: date) -> list[FoundRow]:
    """What is told of these assets, in their order."""
    if not asset_ids:
        return []
    query = (
        select(Asset, ControlMeasure, AssetRequest, Case, Person)
        .join(Case, Case.id == Asset.case_id)
        .join(Person, Person.id == Asset.person_id)
        .outerjoin(ControlMeasure, is_latest_measure())
        .outerjoin(AssetRequest, AssetRequest.id == ControlMeasure.request_id)
        .where(Asset.id.in_(asset_ids))
    )
    found = {row[0].id: row for row in await session.execute(query)}
    names = await names_by_case(session, {row[3].id for row in found.values()})
    rows = [found[one] for one in asset_ids]
    return [
        _row(asset, measure, request, owning, person, today, names[owning.id])
        for asset, measure, request, owning, person in rows
    ]


def _key(order: Order) -> Any:
    """What the rows are sorted by before their id; nothing that could be null."""
    ends_on = case((ControlMeasure.state.in_(_EFFECTIVE), ControlMeasure.ends_on))
    keys: dict[Order, Any] = {
        Order.FOUND: Asset.id,
        Order.LAPSES: func.coalesce(ends_on, literal(_NEVER)),
        Order.VALUE: func.coalesce(Asset.value_cents, Asset.valuation_cents, -1),
        Order.CONTROLLED: func.coalesce(ControlMeasure.controlled_cents, -1),
        Order.ANSWERED: _heard_at(),
    }
    return keys[order]


def _heard_at() -> ColumnElement[datetime]:
    """When a gateway last said anything of the asset, as `asset_view` tells it."""
    long_ago = literal(_LONG_AGO, Moment())
    answered = case((AssetRequest.state != RequestState.FAILED.value, AssetRequest.answered_at))
    described, confirmed, ordered = (
        func.coalesce(one, long_ago) for one in (Asset.answered_at, ControlMeasure.confirmed_at, answered)
    )
    newest = case((confirmed > described, confirmed), else_=described)
    return case((ordered > newest, ordered), else_=newest)


def _place_of(row: Any) -> Place:
    return Place(_text_of(row[1]), row[0])


def _text_of(value: date | datetime | int | UUID) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _value_of(order: Order, text: str) -> date | datetime | int | UUID:
    try:
        if order is Order.FOUND:
            return UUID(text)
        if order is Order.LAPSES:
            return date.fromisoformat(text)
        if order is Order.ANSWERED:
            return datetime.fromisoformat(text).astimezone(UTC)
        cents = int(text)
    except (ValueError, OverflowError) as exc:
        raise BadFormat("cursor", "shape") from exc
    if abs(cents) > _LARGEST:
        raise BadFormat("cursor", "shape")
    return cents


def _places(actor: Actor, wanted: Wanted) -> Select[Any]:
    """By its key and its id, each asset of the actor's cases; joined to it only what the rest is going to ask for."""
    query = select(Asset.id, _key(wanted.order)).select_from(Asset)
    if wanted.case_id is None:
        query = query.where(_is_of_courts(actor, wanted.order))
    if actor.case_ids is not None:
        query = query.where(Asset.case_id.in_(actor.case_ids))
    if wanted.measure_id or wanted.standings or wanted.lapses_by or wanted.order in _OF_MEASURES:
        query = query.outerjoin(ControlMeasure, is_latest_measure())
    if wanted.standings or wanted.order is Order.ANSWERED:
        query = query.outerjoin(AssetRequest, AssetRequest.id == ControlMeasure.request_id)
    return query


def _is_of_courts(actor: Actor, order: Order) -> ColumnElement[bool]:
    if order is Order.FOUND:
        # Looked up for each row that is read: most are of these courts, and few are read until a page is full.
        court = select(Case.court_id).where(Case.id == Asset.case_id).scalar_subquery()
        return apart(court.in_(actor.court_ids))
    # All rows have to be put in order: the cases are gathered once.
    return apart(Asset.case_id.in_(select(Case.id).where(apart(Case.court_id.in_(actor.court_ids)))))


def _filtered(query: Select[Any], wanted: Wanted, today: date) -> Select[Any]:
    exact = {
        Asset.case_id: wanted.case_id,
        Asset.id: wanted.asset_id,
        ControlMeasure.id: wanted.measure_id,
        Asset.person_id: wanted.person_id,
        Asset.kind: wanted.kind and wanted.kind.value,
    }
    query = query.where(*[column == value for column, value in exact.items() if value is not None])
    if wanted.gateway:
        # A gateway has so many that it would be slower to gather all and put them in order.
        query = query.where(apart(Asset.gateway == wanted.gateway))
    if wanted.standings:
        query = query.where(standing_column(today).in_([standing.value for standing in wanted.standings]))
        if not wanted.standings & UNMEASURED:
            # It follows from the standing; told, few measures lead to few assets.
            query = query.where(ControlMeasure.state.in_(states_of(wanted.standings)))
    if wanted.lapses_by is not None:
        is_standing = ControlMeasure.state.in_(_EFFECTIVE)
        query = query.where(is_standing, ControlMeasure.ends_on.between(today, wanted.lapses_by))
    return query.where(*[_holds(word, wanted) for word in words_of(wanted.text)])


def _holds(word: str, wanted: Wanted) -> ColumnElement[bool]:
    """Whether an asset, its case or its person has a word somewhere, seen or hidden."""
    numbered = select(Case.id).where(holds(Case.number, word))
    called = select(Person.id).where(or_(holds(Person.name, word.removesuffix("*")), Person.id_number == word))
    if wanted.case_id is not None:
        numbered = numbered.where(Case.id == wanted.case_id)
        called = called.where(Person.case_id == wanted.case_id)
    return or_(
        holds(Asset.reference, word),
        holds(Asset.description, word),
        Asset.case_id.in_(numbered),
        Asset.person_id.in_(called),
    )


def _from_place(query: Select[Any], wanted: Wanted, after: Place | None) -> Select[Any]:
    key, is_down = _key(wanted.order), wanted.is_descending
    # Told once where they are the same: SQLite finds no index for an order that names a column twice.
    columns = (Asset.id,) if wanted.order is Order.FOUND else (key, Asset.id)
    if after is not None:
        value = literal(_value_of(wanted.order, after.value), key.type)
        is_behind = key < value if is_down else key > value
        is_later = Asset.id < after.id if is_down else Asset.id > after.id
        # The first condition is what an index goes by; the second says the rest.
        query = query.where(key <= value if is_down else key >= value, or_(is_behind, and_(key == value, is_later)))
    return query.order_by(*[one.desc() if is_down else one.asc() for one in columns])


def _row(
    asset: Asset,
    measure: ControlMeasure | None,
    request: AssetRequest | None,
    owning: Case,
    person: Person,
    today: date,
    names: Collection[str],
) -> FoundRow:
    return FoundRow(
        case_id=owning.id,
        case_number=owning.number,
        person=masked_name(person.name, is_firm=person.is_firm),
        asset=asset_view(asset, measure, request, today, names),
        measure_id=measure.id if measure else None,
        measure_action=measure.action if measure else "",
        request_id=request.id if request else None,
        request_number=request.number if request else "",
        request_state=request.state if request else "",
        contradiction=measure.contradiction if measure else "",
    )


def _shows(told: Any, text: str, names: Collection[str]) -> bool:
    """Whether each word is in what may be seen of a row, or is the whole of something that is hidden."""
    seen = (
        told.number,
        masked_name(told.name, is_firm=told.is_firm),
        masked_reference(told.kind, told.reference),
        masked_description(told.kind, told.description, names),
    )
    hidden = {normal(whole) for whole in (told.name, told.id_number, told.reference, told.description)}
    shown = [normal(one) for one in seen]
    return all(word in hidden or any(word in one for one in shown) for word in words_of(text))
