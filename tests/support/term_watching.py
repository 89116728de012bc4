"""A watch over terms as a process of its own that can be killed, and what must hold however often it was.

`python -m tests.support.term_watching URL INSTANT BATCH` runs one through and says "begun" after its first batch.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from contextlib import suppress
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

LONGEST_LIFE_SECONDS = 0.25
"""After its first batch, so that the kill comes somewhere in the next ones."""


def url_of(database: Database) -> str:
    """What another process opens the same records by."""
    return database.engine.url.render_as_string(hide_password=False)


async def killed_again_and_again(database: Database, instant: datetime, *, seed: int, kills: int, batch: int) -> int:
    """Let processes run the watch, kill them with -9 at moments that the seed says, and let the last one finish.

    Gives how many were killed in the middle.
    """
    rng, killed = random.Random(seed), 0
    for _ in range(kills):
        process = await _start(database, instant, batch)
        assert process.stdout is not None
        await process.stdout.readline()
        with suppress(TimeoutError):
            async with asyncio.timeout(rng.uniform(0, LONGEST_LIFE_SECONDS)):
                await process.wait()
        if process.returncode is None:
            process.kill()
            killed += 1
        await process.wait()
    process = await _start(database, instant, batch)
    assert await process.wait() == 0
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


async def _start(database: Database, instant: datetime, batch: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, url_of(database), instant.isoformat(), str(batch),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _main(url: str, instant: str, batch: str) -> None:
    database, at = Database(url), datetime.fromisoformat(instant)

    async def told(_cases: object) -> None:
        print("begun", flush=True)

    trail = AssetTrail(Audit(lambda: at), Journal(lambda: at))
    watch = TermWatch(database, trail, lambda: at, alarm_days(announced()), told, batch=int(batch))
    await watch.run_through()
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
