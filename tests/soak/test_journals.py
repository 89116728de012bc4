"""Two hundred kills of the journals' writer, on either kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_center.database import Database
from tests.command_center.evidence.journal_kills import survive
from tests.support.postgresql import start_or_skip
from tests.support.records import postgresql_records, sqlite_records

KILLS = 200


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Records with all tables and no row."""
    if request.param == "sqlite":
        yield sqlite_records(tmp_path)
        return
    server = start_or_skip()
    yield postgresql_records(server)
    server.stop()


async def test_two_hundred_kills_cost_no_entry(url: str, tmp_path: Path) -> None:
    database = Database(url)
    lines = await survive(database, url, tmp_path, KILLS)
    await database.close()
    print(f"{KILLS} kills, {lines} lines, all of them there once")
