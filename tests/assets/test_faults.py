"""The soak's short form: banks that fail in every way, processes that die, and the banks' own book as the truth."""

from __future__ import annotations

import random
from pathlib import Path

from tests.assets.conftest import Desk
from tests.support.asset_faults import FaultSoak
from tests.support.simulator import Simulator

SEED = 5
ROUNDS, FAULTS = 2, 30


async def test_whatever_banks_do_and_whoever_dies_nothing_is_frozen_twice_and_no_answer_lost(
    each_quiet_desk: Desk, tmp_path: Path
) -> None:
    bank = Simulator("bank", tmp_path / "faulty.sqlite3", seed=SEED)
    await bank.start()
    bank.conduct.most_seconds = 0.02
    bank.behave("mixed")
    soak = FaultSoak(each_quiet_desk.database, bank, random.Random(SEED), banks=12, persons=2)
    for ordinal in range(1, ROUNDS + 1):
        await soak.round(ordinal)
    # What is drawn for each number is settled by the seed; how often anybody is killed, by the time that all takes.
    assert soak.faults >= FAULTS
    assert soak.kills > 0
    await bank.stop()
