"""A process that is killed in the middle of a batch: another goes on where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from assets.claims import CLAIM_SECONDS
from assets.requests import RequestState
from assets.tables import AssetRequest
from tests.assets.conftest import Desk
from tests.support.court_seal import FOLDER_VARIABLE, court_seal, seal_folder
from tests.support.sender_process import numbered_banks
from tests.support.simulator import Simulator
from tests.support.waiting import until

BANKS = 30
OWNER = "150105199001010018"
ENDED = (RequestState.ANSWERED.value, RequestState.NOTHING_FOUND.value)


async def test_after_a_kill_in_the_middle_of_a_batch_it_goes_on_where_it_was(
    each_quiet_desk: Desk, tmp_path: Path
) -> None:
    desk = each_quiet_desk
    bank = Simulator("bank", tmp_path / "banks.sqlite3")
    await bank.start()
    bank.conduct.most_seconds = 4.0
    court_seal()
    url = desk.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.support.sender_process", url, bank.url, str(BANKS)]
    environment = os.environ | {FOLDER_VARIABLE: str(seal_folder())}
    process = subprocess.Popen([*command, desk.clock().isoformat()], env=environment)
    try:
        desk.assets = desk.build(*numbered_banks(bank.url, BANKS))
        await desk.query(OWNER)

        async def some_answered() -> bool:
            return len(await rows(desk, *ENDED)) >= 5

        await until(some_answered, 60)
    finally:
        process.kill()
        process.wait()
    answered = await rows(desk, *ENDED)
    in_hand = [one for one in await rows(desk, "sent") if one.claimed_until is not None]
    assert 5 <= len(answered) < BANKS
    assert in_hand
    asked = {one.number: bank.ledger.count_of(one.number) for one in answered}
    desk.clock.move(CLAIM_SECONDS + 1)
    bank.conduct.most_seconds = 0.05
    async with desk.at_work(*numbered_banks(bank.url, BANKS)):

        async def all_answered() -> bool:
            return len(await rows(desk, *ENDED)) == BANKS

        await until(all_answered, 60)
    assert {number: bank.ledger.count_of(number) for number in asked} == asked
    await bank.stop()


async def rows(desk: Desk, *states: str) -> list[AssetRequest]:
    async with desk.database.read() as session:
        return list(await session.scalars(select(AssetRequest).where(AssetRequest.state.in_(states))))
