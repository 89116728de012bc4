"""Acknowledging an alarm: by a judge, once, with time and name; nothing takes it away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.errors import Conflict, NotFound, NotPermitted
from assets.holidays import announced
from assets.measures import MeasureState
from assets.tables import TermAlarm
from assets.term_alarms import TermAlarms
from assets.term_days import alarm_days
from assets.term_watch import TermWatch
from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal
from tests.assets.conftest import TODAY, MovedClock
from tests.support.many_measures import make_measures


class Scene:
    """One court with two alarms, one of them open."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.court = database, MovedClock(), uuid4()
        self.trail = AssetTrail(Audit(self.clock), Journal(self.clock))
        self.changed: list[UUID] = []
        self.judge = Actor(uuid4(), frozenset({self.court}), may_see=True, may_control=True, own_court_id=self.court)
        self.alarms = TermAlarms(database, self.trail, self.clock, self._note)

    async def _note(self, case_id: UUID) -> None:
        self.changed.append(case_id)

    async def _nobody(self, _cases: object) -> None:
        return None

    async def raised(self, ends_on: date) -> list[TermAlarm]:
        """Have the alarms of one measure raised; the nearest first."""
        await make_measures(self.database, [self.court], [ends_on], states=[MeasureState.IN_FORCE])
        await TermWatch(self.database, self.trail, self.clock, alarm_days(announced()), self._nobody).run_through()
        async with self.database.read() as session:
            return list(await session.scalars(select(TermAlarm).order_by(TermAlarm.days_before)))


@pytest.fixture
def scene(database: Database) -> Scene:
    """A court on each kind of database."""
    return Scene(database)


async def test_it_holds_who_and_when_and_a_second_press_changes_nothing(scene: Scene) -> None:
    alarm, skipped = (await scene.raised(date(2026, 12, 15)))[:2]
    key = uuid4()
    first = await scene.alarms.acknowledge(scene.judge, alarm.id, key)
    at = scene.clock.instant
    assert (first.acknowledged_by, first.acknowledged_at, first.closed_at) == (scene.judge.user_id, at, None)
    scene.clock.move(60)
    again = await scene.alarms.acknowledge(scene.judge, alarm.id, key)
    assert again.acknowledged_at == at
    for alarm_id, used, code in (
        (alarm.id, uuid4(), "alarm-acknowledged"),
        (skipped.id, uuid4(), "alarm-closed"),
        (skipped.id, key, "idempotency-key-used"),
    ):
        with pytest.raises(Conflict) as refused:
            await scene.alarms.acknowledge(scene.judge, alarm_id, used)
        assert refused.value.code == code
    async with scene.database.read() as session:
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    assert [(one.action, one.actor_id) for one in entries] == [
        ("asset.term.raised", None),
        ("asset.term.acknowledged", scene.judge.user_id),
    ]
    assert scene.changed == [alarm.case_id]


async def test_another_courts_alarm_does_not_exist_and_who_only_looks_may_not(scene: Scene) -> None:
    (alarm, *_) = await scene.raised(TODAY)
    stranger = replace(scene.judge, court_ids=frozenset({uuid4()}))
    of_another_case = replace(scene.judge, case_ids=frozenset({uuid4()}))
    for actor, alarm_id in ((stranger, alarm.id), (of_another_case, alarm.id), (scene.judge, uuid4())):
        with pytest.raises(NotFound) as refused:
            await scene.alarms.acknowledge(actor, alarm_id, uuid4())
        assert refused.value.code == "no-such-alarm"
    with pytest.raises(NotPermitted):
        await scene.alarms.acknowledge(replace(scene.judge, may_control=False), alarm.id, uuid4())
