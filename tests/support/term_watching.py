"""A watch over terms as a process of its own that can be killed, and what must hold however often it was."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from datetime import date, datetime

from sqlalchemy import select

from assets.holidays import announced
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import ControlMeasure, TermAlarm
from assets.term_days import LAPSED, AlarmDays, alarm_days
from assets.term_watch import TermWatch
from command_center.asset_access import AssetTrail
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.journal import Journal
from tests.support.killable import Killable, Tell

ENDS_WITHIN_SECONDS = 40.0
MOST_BATCHES, LONGEST_REST_SECONDS = 3, 0.03
"""After so many batches and a moment, so that the kill comes anywhere in the next one."""


def url_of(database: Database) -> str:
    """What another process opens the same records by."""
    return database.engine.url.render_as_string(hide_password=False)


async def killed_again_and_again(database: Database, instant: datetime, *, seed: int, kills: int, batch: int) -> int:
    """Let processes run the watch, kill them with -9 at moments that the seed says, and let the last one finish.

    Gives how many were killed in the middle.
    """
    rng, killed = random.Random(seed), 0
    for _ in range(kills):
        process = Killable(watch, url_of(database), instant, batch)
        for _ in range(rng.randint(1, MOST_BATCHES)):
            await process.line()
        await process.ended_within(rng.uniform(0, LONGEST_REST_SECONDS))
        killed += await process.kill() == -signal.SIGKILL
    process = Killable(watch, url_of(database), instant, batch)
    while await process.line():
        pass
    assert await process.ended_within(ENDS_WITHIN_SECONDS)
    assert await process.kill() == 0
    return killed


async def assert_each_once(database: Database, days: AlarmDays, today: date) -> None:
    """Every alarm that is due is there once, with its entry in the audit once, and one a measure is open."""
    async with database.read() as session:
        measures = list(await session.scalars(select(ControlMeasure)))
        alarms = list(await session.scalars(select(TermAlarm)))
        entries = list(await session.scalars(select(AuditEntry)))
    due = {
        (one.id, distance)
        for one in measures
        if one.ends_on is not None and (MeasureState(one.state) in EFFECTIVE or one.state == MeasureState.LAPSED)
        for distance, latest in days.bounds(today)
        if one.ends_on <= latest
    }
    assert Counter((one.measure_id, one.days_before) for one in alarms) == Counter(due)
    assert not [one for one in measures if one.state == "in_force" and one.ends_on and one.ends_on < today]
    told: Counter[tuple[str, int]] = Counter()
    for entry in entries:
        if entry.action == "asset.term.raised":
            details = json.loads(entry.details)
            skipped = [int(part) for part in details.get("skipped", "").split(",") if part]
            told.update((entry.subject_id, distance) for distance in (details["days"], *skipped))
    assert told == Counter((str(measure_id), distance) for measure_id, distance in due)
    lapsed = Counter(entry.subject_id for entry in entries if entry.action == "asset.measure.lapsed")
    assert lapsed == Counter(str(one.measure_id) for one in alarms if one.days_before == LAPSED)
    still_open = Counter(one.measure_id for one in alarms if one.closed_at is None)
    assert still_open == Counter({measure_id for measure_id, _ in due})


def watch(tell: Tell, url: str, at: datetime, batch: int) -> None:
    """Run the watch once through, and tell of each batch."""
    asyncio.run(_watch(tell, url, at, batch))


async def _watch(tell: Tell, url: str, at: datetime, batch: int) -> None:
    database = Database(url)

    async def told(_cases: object) -> None:
        tell("begun")

    trail = AssetTrail(Audit(lambda: at), Journal(lambda: at))
    await TermWatch(database, trail, lambda: at, alarm_days(announced()), told, batch=batch).run_through()
    await database.close()
