"""The watch over terms: every alarm once, none lost, whoever runs, stops or is killed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from assets.holidays import WorkingDays, announced
from assets.measures import MeasureState
from assets.tables import ControlMeasure, MeasureEvent, TermAlarm
from assets.term_days import LAPSED, AlarmDays, alarm_days
from assets.term_watch import Closing, TermWatch
from assets.terms import SHANGHAI
from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import MovedClock
from tests.support.many_measures import Many, make_measures
from tests.support.term_watching import assert_each_once, killed_again_and_again

ENDS = date(2026, 9, 30)
EVERY_DAY = WorkingDays(working_weekends=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800)))


class Scene:
    """Measures, a clock, and watches over them."""

    def __init__(self, database: Database, days: AlarmDays) -> None:
        self.database = database
        self.days = days
        self.clock = MovedClock()
        self.told: list[UUID] = []

    def at(self, day: date) -> None:
        """Just after midnight in China."""
        self.clock.instant = datetime.combine(day, time(0, 5), SHANGHAI).astimezone(UTC)

    def watch(self, database: Database | None = None, *, batch: int = 1000) -> TermWatch:
        """A watch, as after a start of its process."""

        async def told(cases: object) -> None:
            assert isinstance(cases, set)
            self.told += cases

        trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        return TermWatch(database or self.database, trail, self.clock, self.days, told, batch=batch)

    async def make(self, *ends: date | None, states: tuple[MeasureState, ...] = (MeasureState.IN_FORCE,)) -> Many:
        """Measures that end so."""
        return await make_measures(self.database, [uuid4(), uuid4()], ends, states=states)

    async def alarms(self) -> list[TermAlarm]:
        """All of them, in the order in which they were raised, the farthest first."""
        query = select(TermAlarm).order_by(TermAlarm.raised_at, TermAlarm.ends_on, TermAlarm.days_before.desc())
        async with self.database.read() as session:
            return list(await session.scalars(query))

    async def audited(self) -> list[tuple[str, dict[str, object]]]:
        """What the audit holds."""
        async with self.database.read() as session:
            entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence))
            return [(entry.action, json.loads(entry.details)) for entry in entries]

    async def measure(self, measure_id: UUID) -> ControlMeasure:
        """One as it is now."""
        async with self.database.read() as session:
            return await session.get_one(ControlMeasure, measure_id)

    async def change(self, measure_id: UUID, **values: object) -> None:
        """What a renewal or release does to a row."""
        async with self.database.write() as session:
            await session.execute(update(ControlMeasure).where(ControlMeasure.id == measure_id).values(**values))


@pytest.fixture
def scene(database: Database) -> Scene:
    """Nothing yet, on each kind of database, with the calendar of 2026."""
    return Scene(database, alarm_days(announced()))


@asynccontextmanager
async def _another(database: Database) -> AsyncIterator[Database]:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    yield other
    await other.close()


async def test_practice_alarms_come_at_60_30_15_7_days_and_on_the_day_and_then_it_lapses(scene: Scene) -> None:
    await scene.make(ENDS)
    seen = {}
    day = ENDS - timedelta(days=62)
    while day <= ENDS + timedelta(days=2):
        scene.at(day)
        before = len(await scene.alarms())
        await scene.watch().run_through()
        await scene.watch().run_through()
        for alarm in (await scene.alarms())[before:]:
            seen[alarm.days_before] = day
        day += timedelta(days=1)
    assert seen == {
        60: date(2026, 7, 31),  # 1 August is a Saturday
        30: date(2026, 8, 31),
        15: date(2026, 9, 15),
        7: date(2026, 9, 23),
        0: ENDS,
        LAPSED: ENDS + timedelta(days=1),
    }
    assert [(one.days_before, one.closed_why) for one in await scene.alarms()] == [
        *((days, Closing.OVERTAKEN) for days in (60, 30, 15, 7, 0)),
        (LAPSED, ""),
    ]
    raised = [details["days"] for action, details in await scene.audited() if action == "asset.term.raised"]
    assert raised == [60, 30, 15, 7, 0, LAPSED]


async def test_what_is_not_renewed_by_its_last_day_lapses_for_good(scene: Scene) -> None:
    """查扣冻 §27."""
    made = await scene.make(ENDS, ENDS + timedelta(days=1))
    scene.at(ENDS + timedelta(days=1))
    await scene.watch().run_through()
    over, other = [await scene.measure(one) for one in made.measures]
    assert (over.state, other.state) == (MeasureState.LAPSED, MeasureState.IN_FORCE)
    assert over.ended_at == over.changed_at == scene.clock.instant
    async with scene.database.read() as session:
        (event,) = await session.scalars(select(MeasureEvent))
    assert (event.measure_id, event.what, event.actor_id) == (over.id, "lapsed", None)
    (told,) = [details for action, details in await scene.audited() if action == "asset.measure.lapsed"]
    assert told["ends_on"] == "2026-09-30"
    assert scene.told
    scene.told.clear()
    assert await scene.watch().run_through() == 0
    assert scene.told == []


async def test_a_watch_that_was_away_raises_the_nearest_and_notes_the_skipped(scene: Scene) -> None:
    made = await scene.make(ENDS, ENDS + timedelta(days=40))
    scene.at(ENDS - timedelta(days=10))
    await scene.watch().run_through()
    alarms = await scene.alarms()
    assert [(one.measure_id, one.days_before, one.closed_why) for one in alarms] == [
        (made.measures[0], 60, Closing.SKIPPED),
        (made.measures[0], 30, Closing.SKIPPED),
        (made.measures[0], 15, ""),
        (made.measures[1], 60, ""),
    ]
    assert alarms[0].due_on < alarms[1].due_on < alarms[2].due_on < scene.clock.instant.date()
    assert await scene.audited() == [
        ("asset.term.raised", {"days": 15, "ends_on": "2026-09-30", "skipped": "30,60"}),
        ("asset.term.raised", {"days": 60, "ends_on": "2026-11-09"}),
    ]


async def test_a_renewal_closes_the_alarms_and_new_ones_arise(scene: Scene) -> None:
    made = await scene.make(ENDS)
    scene.at(ENDS - timedelta(days=7))
    await scene.watch().run_through()
    await scene.change(made.measures[0], ends_on=date(2027, 9, 30), renewals=1)
    assert await scene.watch().run_through() == 1
    assert [one.closed_why for one in await scene.alarms() if one.days_before == 7] == [Closing.RENEWED]
    scene.at(date(2027, 9, 30) - timedelta(days=60))
    await scene.watch().run_through()
    (open_one,) = [one for one in await scene.alarms() if one.closed_at is None]
    assert (open_one.ends_on, open_one.days_before) == (date(2027, 9, 30), 60)
    assert ("asset.term.closed", {"days": 7, "ends_on": "2026-09-30", "why": "renewed"}) in await scene.audited()


async def test_a_release_closes_the_alarms_and_what_waits_raises_none(scene: Scene) -> None:
    states = (MeasureState.IN_FORCE, MeasureState.WAITING, MeasureState.PRE_REGISTERED, MeasureState.RELEASED)
    made = await scene.make(ENDS, ENDS, ENDS, ENDS, states=states)
    scene.at(ENDS)
    await scene.watch().run_through()
    assert {one.measure_id for one in await scene.alarms()} == {made.measures[0], made.measures[2]}
    await scene.change(made.measures[0], state=MeasureState.RELEASED.value)
    await scene.watch().run_through()
    assert [one.measure_id for one in await scene.alarms() if one.closed_at is None] == [made.measures[2]]


async def test_a_distance_that_is_added_later_counts_from_then_on(database: Database) -> None:
    scene = Scene(database, alarm_days(EVERY_DAY, (30,)))
    await scene.make(ENDS, ENDS + timedelta(days=10))
    scene.at(ENDS - timedelta(days=20))
    await scene.watch().run_through()
    scene.days = alarm_days(EVERY_DAY, (30, 20))
    await scene.watch().run_through()
    assert [(one.ends_on, one.days_before, one.closed_why) for one in await scene.alarms()] == [
        (ENDS, 30, Closing.OVERTAKEN),
        (ENDS, 20, ""),
        (ENDS + timedelta(days=10), 30, ""),
    ]


async def test_two_watches_at_once_raise_every_alarm_once(scene: Scene) -> None:
    ends = [ENDS + timedelta(days=place % 90) for place in range(300)]
    await scene.make(*ends)
    scene.at(ENDS + timedelta(days=5))
    async with _another(scene.database) as other:
        watches = [scene.watch(database, batch=40) for database in (scene.database, other) for _ in range(2)]
        await asyncio.gather(*(watch.run_through() for watch in watches))
    await scene.watch().run_through()  # what one left because another had it
    await assert_each_once(scene.database, scene.days, ENDS + timedelta(days=5))


async def test_a_watch_that_is_killed_again_and_again_loses_and_doubles_none(scene: Scene) -> None:
    ends = [ENDS + timedelta(days=place % 90) for place in range(400)]
    await scene.make(*ends)
    today = ENDS + timedelta(days=5)
    scene.at(today)
    kills = await killed_again_and_again(scene.database, scene.clock.instant, seed=5, kills=3, batch=40)
    assert kills >= 1
    await assert_each_once(scene.database, scene.days, today)


async def test_every_batch_stands_with_its_audit_or_not_at_all(scene: Scene) -> None:
    """An audit that fails takes the alarms with it."""

    class Broken(AssetTrail):
        async def record_all(self, *_given: object, **_named: object) -> None:
            raise OSError("the disk is full")

    await scene.make(ENDS)
    scene.at(ENDS)
    broken = TermWatch(scene.database, Broken(Audit(), Journal()), scene.clock, scene.days, _nobody)
    with pytest.raises(OSError, match="full"):
        await broken.run_through()
    assert await scene.alarms() == []
    await scene.watch().run_through()
    assert Counter(action for action, _ in await scene.audited()) == {"asset.term.raised": 1}


async def _nobody(_cases: object) -> None:
    return None
