"""The watch over terms killed again and again, by itself and beside another that is killed as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from assets.holidays import announced
from assets.term_days import alarm_days
from assets.terms import SHANGHAI
from command_center.database import Database
from tests.support.many_measures import make_measures
from tests.support.postgresql import is_installed
from tests.support.records import postgresql_records, sqlite_records
from tests.support.term_watching import assert_each_once, killed_again_and_again

TODAY = date(2026, 10, 9)
KILLS = 25
MEASURES = 20_000
BATCH = 100


@pytest.fixture(params=["sqlite", *(["postgresql"] if is_installed() else [])])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Empty records of each kind."""
    if request.param == "sqlite":
        url = sqlite_records(tmp_path)
    else:
        url = postgresql_records(request.getfixturevalue("postgresql"))
    database = Database(url)
    yield database
    await database.close()


@pytest.mark.parametrize("watches", [1, 2])
async def test_kills_lose_and_double_no_alarm(database: Database, watches: int) -> None:
    ends = [TODAY + timedelta(days=place % 100 - 10) for place in range(MEASURES)]
    await make_measures(database, [uuid4() for _ in range(10)], ends)
    at = datetime.combine(TODAY, time(8), SHANGHAI).astimezone(UTC)
    killed = await asyncio.gather(
        *(killed_again_and_again(database, at, seed=seed, kills=KILLS, batch=BATCH) for seed in range(watches))
    )
    await killed_again_and_again(database, at, seed=0, kills=0, batch=1000)  # what one left because another had it
    await assert_each_once(database, alarm_days(announced()), TODAY)
    print(f"{sum(killed)} kills of {watches} watches over {MEASURES} measures: every alarm once")
