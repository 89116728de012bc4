"""The table of terms: every page of every filter holds exactly what a plain reading of the rows gives."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from assets.audit import Actor
from assets.errors import NotPermitted
from assets.holidays import announced
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import Asset, Case, ControlMeasure, TermAlarm
from assets.term_days import alarm_days
from assets.term_keys import Show, TermFilter, TermPlace
from assets.term_table import Severity, TermRow, TermTable
from assets.term_watch import TermWatch
from assets.terms import AssetKind
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import TODAY, MovedClock
from tests.support.many_measures import make_measures

STATES = (MeasureState.IN_FORCE, MeasureState.PRE_REGISTERED, MeasureState.WAITING, MeasureState.RELEASED)
SEED = 11


class Scene:
    """Three courts, of which the actor sees two."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, MovedClock()
        self.days = alarm_days(announced())
        self.courts = [uuid4() for _ in range(3)]
        self.table = TermTable(database, self.clock, self.days)
        self.judge = Actor(uuid4(), frozenset(self.courts[:2]), may_see=True)

    async def fill(self, count: int) -> None:
        """Measures with alarms where they are due."""
        rng = random.Random(SEED)
        ends = [TODAY + timedelta(days=rng.randrange(120) - 3) for _ in range(count)]
        await make_measures(self.database, self.courts, ends, states=STATES, per_case=3, judges=4)

        async def told(_cases: object) -> None:
            return None

        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        await TermWatch(self.database, trail, self.clock, self.days, told).run_through()

    async def all_pages(self, wanted: TermFilter, limit: int, actor: Actor | None = None) -> list[TermRow]:
        """Page after page to the end."""
        rows: list[TermRow] = []
        after: TermPlace | None = None
        while True:
            page = await self.table.page(actor or self.judge, wanted, after=after, limit=limit)
            assert len(page.rows) <= limit
            rows += page.rows
            if page.after is None:
                return rows
            after = page.after

    async def expected(self, wanted: TermFilter, actor: Actor | None = None) -> list[UUID]:
        """The same by a plain reading."""
        query = (
            select(ControlMeasure, Case, Asset)
            .join_from(ControlMeasure, Case, Case.id == ControlMeasure.case_id)
            .join(Asset, Asset.id == ControlMeasure.asset_id)
        )
        async with self.database.read() as session:
            rows = (await session.execute(query)).all()
            alarms = await session.scalars(
                select(TermAlarm.measure_id).where(TermAlarm.closed_at.is_(None), TermAlarm.acknowledged_at.is_(None))
            )
            open_ones = set(alarms)
        actor = actor or self.judge
        found = [
            (measure.ends_on, measure.id)
            for measure, case, asset in rows
            if case.court_id in actor.court_ids
            and (actor.case_ids is None or case.id in actor.case_ids)
            and wanted.court_id in (None, case.court_id)
            and wanted.case_id in (None, case.id)
            and wanted.kind in (None, asset.kind)
            and wanted.judge in case.judge_name
            and wanted.case in case.number
            and (measure.id in open_ones if wanted.show is Show.ALARMS else MeasureState(measure.state) in EFFECTIVE)
            and (
                wanted.within_days is None
                or (measure.ends_on is not None and measure.ends_on <= TODAY + timedelta(days=wanted.within_days))
            )
        ]
        return [measure_id for _, measure_id in sorted(found)]


@pytest.fixture
async def scene(database: Database) -> Scene:
    """On each kind of database."""
    scene = Scene(database)
    await scene.fill(200)
    return scene


async def test_every_page_of_every_filter_is_what_a_plain_reading_gives(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene.database.read() as session:
        case_id = (await session.scalars(select(Case.id).where(Case.court_id == scene.courts[0]))).first()
    filters = [
        TermFilter(),
        TermFilter(show=Show.ALARMS),
        TermFilter(court_id=scene.courts[1]),
        TermFilter(court_id=scene.courts[2]),
        TermFilter(case_id=case_id),
        TermFilter(kind=AssetKind.MOVABLE),
        TermFilter(kind=AssetKind.OTHER_RIGHT),
        TermFilter(judge="法官2", within_days=30),
        TermFilter(case="执1", kind=AssetKind.BANK_ACCOUNT),
        TermFilter(case="nowhere"),
        TermFilter(within_days=0),
        TermFilter(show=Show.ALARMS, judge="法官1", kind=AssetKind.BANK_ACCOUNT),
    ]
    of_cases = replace(scene.judge, case_ids=frozenset({case_id} if case_id else ()))
    counts = set()
    for few in (300, 2):  # looked up first, or held against each row in order
        monkeypatch.setattr("assets.term_keys._FEW", few)
        for wanted in filters:
            for actor in (scene.judge, of_cases):
                rows = await scene.all_pages(wanted, 25, actor)
                assert [row.measure_id for row in rows] == await scene.expected(wanted, actor), wanted
                counts.add(len(rows))
    assert max(counts) > 50


async def test_a_row_says_what_is_left_and_how_near_it_is(scene: Scene) -> None:
    rows = await scene.all_pages(TermFilter(), 100)
    for row in rows:
        assert row.days_left == (row.ends_on - TODAY).days
        assert row.renew_by <= row.ends_on
        assert announced().is_working_day(row.renew_by)
        wanted = {row.days_left <= 0: Severity.LAST_DAY, row.days_left > 65: Severity.FAR}
        if True in wanted:
            assert row.severity is wanted[True]
        assert (row.alarm is None) == (row.severity is Severity.FAR)
    order = [list(Severity).index(row.severity) for row in rows]
    assert order == sorted(order)
    assert {Severity.NEAR, Severity.SOON, Severity.AHEAD, Severity.FAR} <= {row.severity for row in rows}
    assert all(row.person.endswith("*") and row.reference.startswith(("****", "6217")) for row in rows)
    assert not [row for row in rows if row.kind == "bank_account" and not row.reference.startswith("****")]


async def test_lapsed_ones_stay_among_the_alarms_until_somebody_answers(scene: Scene) -> None:
    rows = await scene.all_pages(TermFilter(show=Show.ALARMS), 100)
    lapsed = [row for row in rows if row.severity is Severity.LAPSED]
    assert lapsed
    assert {row.state for row in lapsed} == {MeasureState.LAPSED}
    assert all(row.alarm is not None and row.alarm.days_before == -1 for row in lapsed)
    async with scene.database.write() as session:
        await session.execute(update(TermAlarm).values(acknowledged_at=scene.clock.instant, acknowledged_by=uuid4()))
    assert await scene.all_pages(TermFilter(show=Show.ALARMS), 100) == []


async def test_counts_are_those_of_the_rows(scene: Scene) -> None:
    counts = await scene.table.counts(scene.judge)
    rows = await scene.all_pages(TermFilter(), 200)
    alarms = await scene.all_pages(TermFilter(show=Show.ALARMS), 200)
    assert counts.effective == len(rows)
    assert counts.within == {days: sum(row.days_left <= days for row in rows) for days in (7, 30, 60)}
    assert counts.alarms == len(alarms)
    assert counts.lapsed == sum(row.severity is Severity.LAPSED for row in alarms)


async def test_years_without_an_announcement_are_named(database: Database) -> None:
    scene = Scene(database)
    await make_measures(database, scene.courts[:1], [date(2026, 12, 1)])
    assert (await scene.table.page(scene.judge, TermFilter())).unknown_years == ()
    await make_measures(database, [uuid4()], [date(2028, 3, 1)], seed=2, first=2)
    wide = replace(scene.judge, court_ids=frozenset({*scene.courts, *await _courts(database)}))
    assert (await scene.table.page(wide, TermFilter())).unknown_years == (2027, 2028)
    with pytest.raises(NotPermitted):
        await scene.table.page(replace(scene.judge, may_see=False), TermFilter())


async def _courts(database: Database) -> set[UUID]:
    async with database.read() as session:
        return set(await session.scalars(select(Case.court_id)))
