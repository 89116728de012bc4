"""Many seeded kills of processes that move case money, several at once, on both kinds of database."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from command_center.database import Database
from tests.support.money_kills import move_and_kill, open_books, require_whole
from tests.support.postgresql import start_or_skip
from tests.support.records import postgresql_records, sqlite_records

KILLS = int(os.environ.get("SOAK_MONEY_KILLS", "60"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_books_stay_whole_whoever_is_killed(kind: str, tmp_path: Path) -> None:
    server = start_or_skip() if kind == "postgresql" else None
    database = Database(postgresql_records(server) if server else sqlite_records(tmp_path))
    try:
        main_id = await open_books(database)
        url = database.engine.url.render_as_string(hide_password=False)
        told: list[str] = []
        for number in range(0, KILLS, 2):
            draws = [random.Random(SEED + number + place) for place in range(2)]
            killed = [move_and_kill(url, main_id, SEED + number + place, draws[place]) for place in range(2)]
            for output in await asyncio.gather(*killed):
                told += output
            await require_whole(database, main_id, told)
            print(f"{kind}: {number + 2} of {KILLS} killed, {len(told)} deeds told, the books are whole")
    finally:
        await database.close()
        if server is not None:
            server.stop()
