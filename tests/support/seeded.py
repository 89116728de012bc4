"""The demonstration's records, made once by each process of the tests and copied into every installation."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher

from command_center import demonstration, schema
from command_center.accounts.passwords import Passwords
from command_center.config import Settings
from command_center.database import Database
from command_center.demonstration import Demonstration

QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Real argon2id, made cheap: tests sign in hundreds of times."""
_FOLDER = tempfile.TemporaryDirectory(prefix="seeded-")
"""Goes when the process ends."""
atexit.register(_FOLDER.cleanup)


def bring_demonstration(data: Path) -> Demonstration:
    """Copy records, accounts and agents into a data folder that has none, as seeding would leave them there."""
    made = _template()
    shutil.copytree(_FOLDER.name, data, dirs_exist_ok=True)
    return replace(made, passwords=dict(made.passwords))


@cache
def _template() -> Demonstration:
    with ThreadPoolExecutor(1) as aside:  # whoever asks has an event loop that runs
        return aside.submit(asyncio.run, _make()).result()


async def seed_records(settings: Settings) -> Demonstration:
    """Make the tables in this installation's database and the demonstration's records in them."""
    await schema.prepare(settings)
    database = Database(settings.records_url)
    made = await demonstration.seed(database, settings, Passwords(QUICK_HASHER))
    await database.close()
    return made


async def _make() -> Demonstration:
    # Nothing is told to anybody while seeding, so no hub has to be there.
    return await seed_records(Settings(data=Path(_FOLDER.name), redis_url="redis://127.0.0.1:9", demonstration=True))
