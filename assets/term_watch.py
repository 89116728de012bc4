"""Watches the terms of measures: what is over lapses, what nears its end raises alarms, what is moot closes them.

Everything is found from the rows alone, so that a watch which was killed or away goes on where the records stand; and
an alarm is a row that can be there only once, so that two watches at a time raise it once. One that was away raises
for each measure the nearest alarm only; those that were passed meanwhile have their rows too, closed as skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, case, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from assets.audit import AuditNote, AuditTrail, Records
from assets.confirmations import ask_how_it_stands
from assets.history import History
from assets.identifiers import new_id
from assets.lapses import Lapses
from assets.lines import Lines
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import Case, ControlMeasure, TermAlarm
from assets.term_days import LAPSED, AlarmDays
from assets.terms import china_day

logger = logging.getLogger(__name__)

BATCH = 1000
"""How many measures one transaction takes: others want to write as well."""
LAPSE_BATCH = 200
Told = Callable[[Collection[UUID]], Awaitable[None]]
"""Called after a batch, with the cases that changed."""
Bounds = Sequence[tuple[int, date]]
"""As `AlarmDays.bounds` gives them."""

Taken = TypeVar("Taken", bound=Select[*tuple[Any, ...]])
_EFFECTIVE = sorted(EFFECTIVE)


class Closing(StrEnum):
    """Why nobody needs to answer an alarm any more."""

    RENEWED = "renewed"
    """The term ends on another day now."""
    ENDED = "ended"
    """The measure was released or carried out, or lapsed."""
    OVERTAKEN = "overtaken"
    """A nearer one was raised."""
    SKIPPED = "skipped"
    """It was due while nobody watched, and a nearer one as well."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A measure with the distances that are due, nearest first."""

    measure_id: UUID
    case_id: UUID
    court_id: UUID
    ends_on: date
    days: tuple[int, ...]


class TermWatch:
    """One watch; several may run at once, and any may be killed at any time."""

    def __init__(
        self,
        records: Records,
        audit: AuditTrail,
        clock: Callable[[], datetime],
        days: AlarmDays,
        told: Told,
        *,
        batch: int = BATCH,
    ) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._days = days
        self._told = told
        self._batch = batch
        self._lapses = Lapses(Lines(ask_how_it_stands), History(audit, clock))
        self._from: dict[MeasureState, date] = {}
        """Up to which last day this run has raised what there is: what is behind needn't be looked through again."""

    async def run_through(self) -> int:
        """Do all that is due; give how many measures moved."""
        total = 0
        while done := await self.step():
            total += done
        return total

    async def step(self) -> int:
        """Do one batch of what is due, in one transaction; 0 means that nothing is."""
        today = china_day(self._clock())
        for work in (self._lapse, self._raise, self._close_moot):
            cases = await work(today)
            if cases:
                await self._told(set(cases))
                return len(cases)
        self._from.clear()
        return 0

    async def _lapse(self, today: date) -> list[UUID]:
        """What wasn't renewed by its last day is over. Source: 查扣冻 §27."""
        async with self._records.write() as session:
            return await self._lapses.lapse_due(session, today, LAPSE_BATCH)

    async def _close_moot(self, _today: date) -> list[UUID]:
        """Close the alarms of terms that end on another day now, and of measures that are over."""
        is_effective = ControlMeasure.state.in_(_EFFECTIVE)
        moot = (
            select(TermAlarm, is_effective)
            .join(ControlMeasure, ControlMeasure.id == TermAlarm.measure_id)
            .where(
                TermAlarm.closed_at.is_(None),
                TermAlarm.days_before > LAPSED,
                ~and_(is_effective, ControlMeasure.ends_on == TermAlarm.ends_on),
            )
            .order_by(TermAlarm.measure_id, TermAlarm.days_before)
            .limit(self._batch)
        )
        async with self._records.write() as session:
            found = (await session.execute(moot.with_for_update(of=TermAlarm, skip_locked=True))).all()
            notes = []
            for alarm, goes_on in found:
                why = Closing.RENEWED if goes_on else Closing.ENDED
                alarm.closed_at, alarm.closed_why = self._clock(), why.value
                notes.append(
                    _note(
                        "asset.term.closed",
                        alarm.measure_id,
                        alarm.case_id,
                        alarm.court_id,
                        days=alarm.days_before,
                        ends_on=str(alarm.ends_on),
                        why=why.value,
                    )
                )
            await self._audit.record_all(session, notes)
        return [alarm.case_id for alarm, _ in found]

    async def _raise(self, today: date) -> list[UUID]:
        bounds = self._days.bounds(today)
        for state in (MeasureState.LAPSED, *_EFFECTIVE):
            async with self._records.write() as session:
                found = await session.execute(_taken(self._unraised(state, today, bounds)))
                due = [_due(*row, bounds) for row in found]
                raised = await self._write(session, due, bounds)
            if due:
                self._from[state] = due[-1].ends_on
                logger.info("term alarms raised for %d measures", raised)
                return [one.case_id for one in due]
        return []

    def _unraised(self, state: MeasureState, today: date, bounds: Bounds) -> Select[UUID, UUID, UUID, date | None]:
        """The measures of one state of which the nearest alarm that is due isn't there."""
        nearest = _nearest(ControlMeasure.ends_on, bounds)
        is_there = select(TermAlarm.id).where(
            TermAlarm.measure_id == ControlMeasure.id,
            TermAlarm.ends_on == ControlMeasure.ends_on,
            TermAlarm.days_before == nearest,
        )
        is_over = state is MeasureState.LAPSED
        # A measure that lapsed before anybody watched (`ended_at` is empty) has nobody to be told any more.
        span = ControlMeasure.ended_at.is_not(None) if is_over else ControlMeasure.ends_on >= today
        return (
            select(ControlMeasure.id, ControlMeasure.case_id, ControlMeasure.court_id, ControlMeasure.ends_on)
            .join(Case)
            .where(
                ControlMeasure.state == state.value,
                ControlMeasure.ends_on >= self._from.get(state, date.min),
                ControlMeasure.ends_on <= (bounds[0] if is_over else bounds[-1])[1],
                span,
                ~is_there.exists(),
            )
            .order_by(ControlMeasure.ends_on, ControlMeasure.id)
            .limit(self._batch)
        )

    async def _write(self, session: AsyncSession, due: Sequence[_Due], bounds: Bounds) -> int:
        """Write the alarms of each, and into the audit which was raised; give of how many it was by us."""
        rows = [row for one in due for row in self._rows(one)]
        written = await _insert(session, rows) if rows else set()
        raised = [one for one in due if (one.measure_id, one.days[0]) in written]
        if raised:
            await self._overtake(session, [one.measure_id for one in raised], bounds)
        notes = []
        for one in raised:
            skipped = ",".join(str(days) for days in one.days[1:] if (one.measure_id, days) in written)
            about: dict[str, str | int] = {"days": one.days[0], "ends_on": str(one.ends_on)}
            about |= {"skipped": skipped} if skipped else {}
            notes.append(_note("asset.term.raised", one.measure_id, one.case_id, one.court_id, **about))
        await self._audit.record_all(session, notes)
        return len(raised)

    def _rows(self, due: _Due) -> list[dict[str, Any]]:
        at = self._clock()
        return [
            {
                "id": new_id(),
                "measure_id": due.measure_id,
                "case_id": due.case_id,
                "court_id": due.court_id,
                "ends_on": due.ends_on,
                "days_before": days,
                "due_on": self._days.due_on(due.ends_on, days),
                "raised_at": at,
                "closed_at": at if place else None,
                "closed_why": Closing.SKIPPED.value if place else "",
            }
            for place, days in enumerate(due.days)
        ]

    async def _overtake(self, session: AsyncSession, measure_ids: Sequence[UUID], bounds: Bounds) -> None:
        """Close what stands open of these measures behind the nearest."""
        nearest = _nearest(TermAlarm.ends_on, bounds)
        await session.execute(
            update(TermAlarm)
            .where(
                TermAlarm.measure_id.in_(measure_ids),
                TermAlarm.closed_at.is_(None),
                TermAlarm.days_before > nearest,
            )
            .values(closed_at=self._clock(), closed_why=Closing.OVERTAKEN.value)
            .execution_options(synchronize_session=False)
        )


def _due(measure_id: UUID, case_id: UUID, court_id: UUID, ends_on: date | None, bounds: Bounds) -> _Due:
    last = ends_on or date.max
    return _Due(measure_id, case_id, court_id, last, tuple(days for days, latest in bounds if last <= latest))


def _nearest(
    ends_on: InstrumentedAttribute[date | None] | InstrumentedAttribute[date], bounds: Bounds
) -> ColumnElement[int]:
    """In SQL, the nearest distance that is due for a term that ends so."""
    return case(*((ends_on <= latest, days) for days, latest in bounds), else_=bounds[-1][0])


def _taken(measures: Taken) -> Taken:
    """Take these rows for this transaction; what another has is left for the next look, so that nobody waits."""
    return measures.with_for_update(of=(ControlMeasure, Case), key_share=True, skip_locked=True)


async def _insert(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> set[tuple[UUID, int]]:
    """Write rows that aren't there yet; which ones those were, by measure and distance."""
    table = cast(Table, TermAlarm.__table__)
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    adding = (
        insert(table)
        .on_conflict_do_nothing(index_elements=["measure_id", "ends_on", "days_before"])
        .returning(table.c.measure_id, table.c.days_before)
    )
    return {(row[0], row[1]) for row in await session.execute(adding, list(rows))}


def _note(action: str, measure_id: UUID, case_id: UUID, court_id: UUID, **details: str | int) -> AuditNote:
    return AuditNote(
        actor=None,
        court_id=court_id,
        action=action,
        subject_type="control_measure",
        subject_id=str(measure_id),
        case_id=case_id,
        details=details,
    )
