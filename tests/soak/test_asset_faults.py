"""Ten thousand seeded faults of banks: nothing frozen twice, no answer lost, no failed query told as nothing found."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from command_center.database import Database
from tests.support.asset_faults import FaultSoak
from tests.support.records import sqlite_records
from tests.support.simulator import Simulator

FAULTS = int(os.environ.get("SOAK_FAULTS", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
BANKS, PERSONS = 40, 3

pytestmark = pytest.mark.timeout(7200)


async def test_ten_thousand_faults_freeze_nothing_twice_and_lose_no_answer(tmp_path: Path) -> None:
    database = Database(sqlite_records(tmp_path))
    bank = Simulator("bank", tmp_path / "bank.sqlite3", seed=SEED)
    await bank.start()
    bank.conduct.most_seconds = 0.02
    bank.behave("mixed")
    soak = FaultSoak(database, bank, random.Random(SEED), banks=BANKS, persons=PERSONS)
    ordinal = 0
    while soak.faults < FAULTS:
        ordinal += 1
        await soak.round(ordinal)
        told = f"{soak.faults} faults in {soak.requests} requests, {soak.kills} kills"
        print(f"round {ordinal}: {told}", flush=True)
    print(dict(soak.asked))
    await bank.stop()
    await database.close()
