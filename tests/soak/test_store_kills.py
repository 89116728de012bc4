"""The storage's job killed again and again while it brings, proves and frees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from command_center.database import Database
from tests.command_center.evidence.conftest import make_world
from tests.support import killable_uploads
from tests.support.records import sqlite_records
from tests.support.s3 import S3Server, bad_line

KILLS = 60
RECORDINGS = 60


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Empty records."""
    database = Database(sqlite_records(tmp_path))
    yield database
    await database.close()


async def test_sixty_kills_lose_nothing(database: Database, tmp_path: Path, s3: S3Server) -> None:
    world = await make_world(database, tmp_path)
    for number in range(RECORDINGS):
        await world.record(begins=10.0 * number)
    async with bad_line(s3) as line:
        await killable_uploads.run(tmp_path, database, line, kills=KILLS, seed=4)
    print(f"{KILLS} kills, {RECORDINGS * 2} segments: all in the storage, whole, none lost on the way")
