"""What lapses next: the measures that hold something, in the order of their last days, page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, Records
from assets.masks import masked_description, masked_name, masked_reference
from assets.measures import EFFECTIVE
from assets.names import names_by_case
from assets.orders import require
from assets.tables import Asset, Case, ControlMeasure, Person, TermAlarm
from assets.term_days import LAPSED, AlarmDays
from assets.term_keys import TermFilter, TermPlace, courts_of, keys_of
from assets.terms import china_day

_EFFECTIVE = sorted(EFFECTIVE)
SOON_DAYS = (7, 30, 60)


class Severity(StrEnum):
    """How near the last day is, by the alarms that are due."""

    LAPSED = "lapsed"
    LAST_DAY = "last_day"
    NEAR = "near"
    SOON = "soon"
    AHEAD = "ahead"
    FAR = "far"
    """No alarm is due yet."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """The nearest alarm of a term that was raised."""

    id: UUID
    days_before: int
    due_on: date
    raised_at: datetime
    acknowledged_by: UUID | None
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class TermRow:
    """One measure with its last day; names and numbers are masked."""

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
    """The last working day on which it can be renewed."""
    days_left: int
    working_days_left: int
    severity: Severity
    alarm: AlarmView | None


@dataclass(frozen=True, slots=True)
class TermPage:
    """One page; `after` asks for the next one."""

    today: date
    rows: list[TermRow]
    after: TermPlace | None
    unknown_years: tuple[int, ...]
    """Years of these rows whose holidays aren't announced: only weekends count there."""


@dataclass(frozen=True, slots=True)
class TermCounts:
    """How many measures hold something, how many of them end within so many days, and how many alarms are open."""

    today: date
    effective: int
    within: dict[int, int]
    alarms: int
    lapsed: int
    """Of the open alarms those that tell of a lapse."""


class TermTable:
    """Reads only; every call is made for an `Actor`."""

    def __init__(self, records: Records, clock: Callable[[], datetime], days: AlarmDays) -> None:
        self._records = records
        self._clock = clock
        self._days = days

    async def page(
        self, actor: Actor, wanted: TermFilter, *, after: TermPlace | None = None, limit: int = 50
    ) -> TermPage:
        """The measures of the actor's courts that are `wanted`, what ends first comes first.

        Raises:
            NotPermitted: the actor may not see assets.
        """
        require(actor.may_see)
        today = china_day(self._clock())
        async with self._records.read() as session:
            keys = await keys_of(session, actor, wanted, today, after=after, limit=limit + 1)
            shown = keys[:limit]
            rows = await self._rows(session, [measure_id for _, measure_id in shown], today)
        place = TermPlace(*shown[-1]) if len(keys) > limit else None
        unknown = self._days.calendar.unknown_years(today, max(day for day, _ in shown)) if shown else ()
        return TermPage(today, rows, place, unknown)

    async def counts(self, actor: Actor, court_id: UUID | None = None, *, case_id: UUID | None = None) -> TermCounts:
        """How things stand in the actor's courts, in one of them, or in one case."""
        require(actor.may_see)
        today = china_day(self._clock())
        courts = courts_of(actor, court_id)
        of_courts: list[ColumnElement[bool]] = [
            ControlMeasure.court_id.in_(courts),
            ControlMeasure.state.in_(_EFFECTIVE),
        ]
        near = ControlMeasure.ends_on <= today + timedelta(days=SOON_DAYS[-1])
        sums = [
            func.count().filter(ControlMeasure.ends_on <= today + timedelta(days=days)).label(f"d{days}")
            for days in SOON_DAYS
        ]
        is_open: list[ColumnElement[bool]] = [
            TermAlarm.court_id.in_(courts),
            TermAlarm.closed_at.is_(None),
            TermAlarm.acknowledged_at.is_(None),
        ]
        if actor.case_ids is not None:
            of_courts.append(ControlMeasure.case_id.in_(actor.case_ids))
            is_open.append(TermAlarm.case_id.in_(actor.case_ids))
        if case_id is not None:
            of_courts.append(ControlMeasure.case_id == case_id)
            is_open.append(TermAlarm.case_id == case_id)
        alarms = select(func.count(), func.count().filter(TermAlarm.days_before == LAPSED)).where(*is_open)
        async with self._records.read() as session:
            effective = await session.scalar(select(func.count()).select_from(ControlMeasure).where(*of_courts)) or 0
            soon = (await session.execute(select(*sums).select_from(ControlMeasure).where(*of_courts, near))).one()
            unanswered, lapsed = (await session.execute(alarms)).one()
        return TermCounts(today, effective, dict(zip(SOON_DAYS, soon, strict=True)), unanswered, lapsed)

    async def _rows(self, session: AsyncSession, measure_ids: Sequence[UUID], today: date) -> list[TermRow]:
        query = (
            select(ControlMeasure, Case, Asset, Person)
            .join(Case, Case.id == ControlMeasure.case_id)
            .join(Asset, Asset.id == ControlMeasure.asset_id)
            .join(Person, Person.id == Asset.person_id)
            .where(ControlMeasure.id.in_(measure_ids))
        )
        found = {row[0].id: row for row in await session.execute(query)}
        alarms = select(TermAlarm).where(TermAlarm.measure_id.in_(measure_ids), TermAlarm.closed_at.is_(None))
        nearest = {one.measure_id: one for one in await session.scalars(alarms.order_by(TermAlarm.days_before.desc()))}
        names = await names_by_case(session, {row[1].id for row in found.values()})
        bounds = self._days.bounds(today)
        # A measure that vanished between the two readings can't be: none is ever deleted.
        rows = [found[one] for one in measure_ids]
        return [
            self._row(*row, nearest.get(row[0].id), today=today, bounds=bounds, names=names[row[1].id]) for row in rows
        ]

    def _row(
        self,
        measure: ControlMeasure,
        case: Case,
        asset: Asset,
        person: Person,
        alarm: TermAlarm | None,
        *,
        today: date,
        bounds: Sequence[tuple[int, date]],
        names: Collection[str],
    ) -> TermRow:
        ends_on = measure.ends_on or today
        return TermRow(
            measure_id=measure.id,
            case_id=case.id,
            case_number=case.number,
            court_id=case.court_id,
            court_name=case.court_name,
            judge_name=case.judge_name,
            person=masked_name(person.name, is_firm=person.is_firm),
            asset_id=asset.id,
            kind=asset.kind,
            reference=masked_reference(asset.kind, asset.reference),
            description=masked_description(asset.kind, asset.description, names),
            action=measure.action,
            state=measure.state,
            controlled_cents=measure.controlled_cents,
            starts_on=measure.starts_on,
            ends_on=ends_on,
            renew_by=self._days.due_on(ends_on, 0),
            days_left=(ends_on - today).days,
            working_days_left=self._days.calendar.count(today, ends_on),
            severity=_severity(ends_on, today, bounds),
            alarm=_alarm(alarm),
        )


def _severity(ends_on: date, today: date, bounds: Sequence[tuple[int, date]]) -> Severity:
    if ends_on < today:
        return Severity.LAPSED
    if ends_on == today:
        return Severity.LAST_DAY
    due = [place for place, (days, latest) in enumerate(one for one in bounds if one[0] > 0) if ends_on <= latest]
    order = (Severity.NEAR, Severity.SOON, Severity.AHEAD)
    return order[min(due[0], len(order) - 1)] if due else Severity.FAR


def _alarm(alarm: TermAlarm | None) -> AlarmView | None:
    if alarm is None:
        return None
    return AlarmView(
        id=alarm.id,
        days_before=alarm.days_before,
        due_on=alarm.due_on,
        raised_at=alarm.raised_at,
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_at=alarm.acknowledged_at,
    )
