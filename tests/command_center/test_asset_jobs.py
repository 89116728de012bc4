"""What the worker does for the asset domain: its settings, and the watch as the worker runs it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from assets.tables import TermAlarm
from command_center.asset_desk import alarm_days_of, holidays_of
from command_center.asset_jobs import Resting, asset_jobs, told_where_live
from command_center.clock import today
from command_center.config import Settings
from command_center.database import Database
from command_center.operations.tables import Operation
from command_center.worker import Worker
from streams.hub.hub import Hub
from tests.command_center.evidence.journalling import new_operation
from tests.support.many_measures import make_measures
from tests.support.waiting import until

HOLIDAYS = (
    '{"source": "a test", "years": {"2031": {"holidays": [["2031-01-01", "2031-01-03"]], "working_weekends": []}}}'
)


def test_practice_distances_and_calendar_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "holidays.json"
    file.write_text(HOLIDAYS)
    settings = Settings(term_alarm_days="45, 5", holidays_file=file)
    assert alarm_days_of(settings).distances == (5, 45)
    assert holidays_of(settings).years == {2031}
    assert 2026 in holidays_of(Settings()).years
    for wrong in ("", "soon", "-3", "9999"):
        with pytest.raises(ValidationError, match="list of days"):
            Settings(term_alarm_days=wrong)
    with pytest.raises(ValidationError, match="can't be read"):
        Settings(holidays_file=tmp_path / "none.json")


async def test_of_two_workers_one_raises_every_alarm_once(records: Database, hub: Hub, tmp_path: Path) -> None:
    await make_measures(records, [uuid4()], [today() + timedelta(days=3)] * 40)
    settings = Settings(data=tmp_path)
    workers = [
        Worker(records, hub, name, idle_minutes=1, jobs=asset_jobs(settings, records, hub)) for name in ("one", "two")
    ]
    running = [asyncio.create_task(worker.run()) for worker in workers]

    async def count() -> int:
        async with records.read() as session:
            return await session.scalar(select(func.count()).where(TermAlarm.closed_at.is_(None))) or 0

    async def all_are_there() -> bool:
        return await count() == 40

    await until(all_are_there)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert await count() == 40


async def test_only_screens_that_show_a_case_are_told(records: Database) -> None:
    live, other = uuid4(), uuid4()
    operation = await new_operation(records)
    async with records.write() as session:
        await session.execute(update(Operation).where(Operation.id == operation).values(case_id=live))
    told: list[UUID] = []

    async def changed(case_id: UUID) -> None:
        told.append(case_id)

    await told_where_live(records, changed)({live, other})
    assert told == [live]


async def test_a_job_without_work_rests_and_one_with_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    done = iter([2, 1, 0])
    resting = Resting(lambda: _given(next(done)), 60.0)
    for _ in range(3):
        await resting.step()
    monkeypatch.setattr("command_center.asset_jobs.STEP_SECONDS", 0)
    await resting.step()  # the next piece of work would be one too many


async def _given(count: int) -> int:
    return count
