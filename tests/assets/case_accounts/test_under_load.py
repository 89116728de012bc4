"""A hundred at once, several processes, and kills in the middle: the books agree and nothing is there half or twice."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest

from assets.case_accounts.states import ArrivalPurpose
from assets.errors import AssetsError
from command_center.database import Database
from tests.assets.case_accounts.conftest import Treasury, claim
from tests.support.money_kills import move_and_kill, open_books, require_whole, start_mover

SEED = 20261129
KILLS = 2
"""Of each kind of database; the soak does many more."""


async def test_a_hundred_at_once_keep_the_books(treasury: Treasury) -> None:
    cases = [await treasury.case(claim(1_000_00), claim(500_00)) for _ in range(5)]
    for case_id in cases:
        await treasury.name_payees(case_id)
    for _ in range(20):
        await treasury.arrive(7_01)
    waiting = (await treasury.accounts.of_no_case(treasury.judge)).arrivals
    movements = [await treasury.movement(100_00 + place, case_id=cases[place % 5]) for place in range(30)]

    async def distributed(place: int) -> None:
        proposal = await treasury.propose(cases[place % 5])
        await treasury.approve(proposal)

    deeds = [
        *(treasury.accounts.intake.take(treasury.main_id, [one]) for one in movements * 2),
        *(
            treasury.accounts.claim(
                treasury.judge, one.id, case_id=cases[place % 5], purpose=ArrivalPurpose.ENFORCEMENT,
                idempotency_key=uuid4(),
            )
            for place, one in enumerate(waiting)
        ),
        *(distributed(place) for place in range(20)),
    ]  # fmt: skip
    assert len(deeds) == 100
    random.Random(SEED).shuffle(deeds)
    outcomes = await asyncio.gather(*deeds, return_exceptions=True)
    assert all(isinstance(one, AssetsError | int | None) or not isinstance(one, BaseException) for one in outcomes)
    for case_id in cases:
        await treasury.pay_all(case_id)
    main = await treasury.require_sound()
    received = sum([(await treasury.places(case_id)).received_cents for case_id in cases])
    assert received == 30 * 100_00 + sum(range(30)) + 20 * 7_01
    assert main.postings >= 70


async def test_two_payers_pay_each_order_once(treasury: Treasury) -> None:
    cases = [await treasury.case(claim(1_000_00)) for _ in range(4)]
    for case_id in cases:
        await treasury.deposit(200_00, case_id=case_id)
        await treasury.name_payees(case_id)
        await treasury.approve(await treasury.propose(case_id))
    services = [treasury.build() for _ in range(3)]
    payers = [asyncio.create_task(one.payer.run()) for one in services]
    for case_id in cases:
        await treasury.until_states(case_id, "paid", "paid")
    for payer in payers:
        payer.cancel()
    await asyncio.gather(*payers, return_exceptions=True)
    for one in services:
        await one.close()
    sent = [one["bdhm"] for one in await treasury.statement() if one["fx"] == "2"]
    assert len(sent) == len(set(sent)) == 8
    await treasury.require_sound()


@pytest.mark.timeout(120)
async def test_several_processes_keep_the_books(database: Database) -> None:
    main_id = await open_books(database)
    url = database.engine.url.render_as_string(hide_password=False)
    movers = [await start_mover(url, main_id, SEED + place, 15) for place in range(3)]
    outputs = [(await one.communicate())[0].decode().splitlines() for one in movers]
    assert [one.returncode for one in movers] == [0] * 3
    told = [line for output in outputs for line in output]
    assert len(told) == 3 * 16
    await require_whole(database, main_id, told)


@pytest.mark.timeout(120)
async def test_a_killed_process_leaves_no_posting_half_or_double(database: Database) -> None:
    main_id = await open_books(database)
    url = database.engine.url.render_as_string(hide_password=False)
    draw = random.Random(SEED)
    told: list[str] = []
    for number in range(KILLS):
        told += await move_and_kill(url, main_id, number + 1, draw)
        await require_whole(database, main_id, told)
