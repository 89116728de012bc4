"""Of all processes that send, one at a time asks; another follows one that dies; a slow gateway holds up none."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from assets.claims import CLAIM_SECONDS, Claims
from assets.gateway import QueryAnswer
from assets.requests import RequestState
from assets.sender import LONGEST_ASKING_SECONDS
from assets.tables import AssetRequest
from assets.telling import GATHER_SECONDS
from tests.assets.conftest import Desk
from tests.support.scripted_gateway import ScriptedGateway
from tests.support.waiting import until

OWNER, FIRM = "150105199001010018", "91150100MA0000007W"


def banks(count: int) -> list[ScriptedGateway]:
    return [ScriptedGateway(f"bank-{ordinal:03}") for ordinal in range(count)]


async def unanswered(desk: Desk) -> int:
    async with desk.database.read() as session:
        waiting = select(AssetRequest.id).where(AssetRequest.state != RequestState.NOTHING_FOUND.value)
        return len(list(await session.scalars(waiting)))


async def test_three_processes_at_once_ask_everybody_once(desk: Desk) -> None:
    asked = banks(30)
    desk.assets = desk.build(*asked)
    await desk.query(OWNER)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(desk.at_work(*asked))

        async def is_done() -> bool:
            return await unanswered(desk) == 0

        await until(is_done)
    assert Counter(len(bank.asked) for bank in asked) == {1: 30}


async def test_claims_of_two_never_overlap(each_quiet_desk: Desk) -> None:
    desk = each_quiet_desk
    desk.assets = desk.build(*banks(20))
    await desk.query(OWNER)
    room = {f"bank-{ordinal:03}": 1 for ordinal in range(20)}
    claims = [Claims(desk.database, desk.clock, uuid4().hex) for _ in range(4)]
    taken = await asyncio.gather(*(one.take(room, 12) for one in claims))
    ids = [request_id for one in taken for request_id in one.ids]
    assert len(ids) == len(set(ids))
    assert not (await claims[0].take(room, 12)).ids or len(ids) < 20


async def test_what_a_dead_process_had_in_hand_is_asked_by_another_when_its_claim_has_run_out(quiet_desk: Desk) -> None:
    bank = ScriptedGateway("bank")
    quiet_desk.assets = quiet_desk.build(bank)
    await quiet_desk.query(OWNER)
    dead = Claims(quiet_desk.database, quiet_desk.clock, "dead")
    assert len((await dead.take({"bank": 5}, 5)).ids) == 1
    async with quiet_desk.at_work(bank) as assets:
        # Something else is asked and answered meanwhile, so the claimed one was looked at and left alone.
        await quiet_desk.query(FIRM)
        await quiet_desk.until_state(FIRM, "bank", "nothing_found")
        assert len(bank.asked) == 1
        quiet_desk.clock.move(CLAIM_SECONDS + 1)
        assets.wake()
        await quiet_desk.until_state(OWNER, "bank", "nothing_found")
    assert LONGEST_ASKING_SECONDS < CLAIM_SECONDS <= 30


async def test_a_process_that_ends_gives_back_what_it_had_in_hand(quiet_desk: Desk) -> None:
    bank = ScriptedGateway("bank")
    bank.gate = asyncio.Event()
    async with quiet_desk.at_work(bank):
        await quiet_desk.query(OWNER)
        await until(lambda: bank.now == 1)
    async with quiet_desk.database.read() as session:
        request = (await session.scalars(select(AssetRequest))).one()
    assert (request.claimed_by, request.claimed_until, request.state) == ("", None, "sent")


async def test_one_slow_gateway_holds_up_no_other(quiet_desk: Desk) -> None:
    slow, quick = ScriptedGateway("slow"), ScriptedGateway("quick", QueryAnswer((), None))
    slow.gate = asyncio.Event()
    quiet_desk.assets = quiet_desk.build(slow, quick, at_once=6, at_once_each=2)
    running = asyncio.create_task(quiet_desk.assets.run())
    for person in (OWNER, FIRM, "150102198503121021", "150103197806072038"):
        await quiet_desk.query(person, "slow")
    await until(lambda: slow.now == 2)
    await quiet_desk.query(OWNER, "quick")
    await quiet_desk.until_state(OWNER, "quick", "nothing_found")
    assert slow.most == 2
    slow.gate.set()

    async def is_done() -> bool:
        return await unanswered(quiet_desk) == 0

    await until(is_done)
    assert slow.most == 2
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_is_not_due_or_in_another_state_is_not_claimed(quiet_desk: Desk) -> None:
    quiet_desk.assets = quiet_desk.build(ScriptedGateway("bank"))
    await quiet_desk.query(OWNER)
    claims = Claims(quiet_desk.database, quiet_desk.clock, "one")
    for values in ({"state": "draft"}, {"state": "answered"}, {"state": "sent", "next_ask_at": None}):
        async with quiet_desk.database.write() as session:
            await session.execute(update(AssetRequest).values(**values))
        assert (await claims.take({"bank": 1}, 1)).ids == ()


@pytest.mark.timeout(120)
async def test_two_hundred_banks_are_all_asked_before_the_first_has_answered(quiet_desk: Desk) -> None:
    asked, gate = banks(200), asyncio.Event()
    for bank in asked:
        bank.gate = gate
    async with quiet_desk.at_work(*asked) as assets:
        key = await quiet_desk.query(OWNER)
        await until(lambda: sum(bank.now for bank in asked) == 200, 30)
        # The page stays usable: whoever looks at the batch isn't held up by two hundred open askings.
        assert (await assets.batches.progress(quiet_desk.judge, key)).head.by_state == {"sent": 200}
        told, began = len(quiet_desk.changes), time.monotonic()
        gate.set()

        async def is_done() -> bool:
            return (await assets.batches.progress(quiet_desk.judge, key)).head.is_done

        await until(is_done, 60)
        # Screens are told a few times a second, however many answers come in meanwhile.
        most = 2 + (time.monotonic() - began) / GATHER_SECONDS
        assert len(quiet_desk.changes) - told <= most


async def test_what_is_still_in_hand_is_not_taken_again(quiet_desk: Desk) -> None:
    quiet_desk.assets = quiet_desk.build(ScriptedGateway("bank"))
    await quiet_desk.query(OWNER)
    claims = Claims(quiet_desk.database, quiet_desk.clock, "one")
    (request_id,) = (await claims.take({"bank": 1}, 1)).ids
    await claims.give_back([request_id])
    passed_over = await claims.take({"bank": 1}, 1, in_hand=[request_id])
    assert (passed_over.ids, passed_over.is_passed_over) == ((), True)
    assert (await claims.take({"bank": 1}, 1)).ids == (request_id,)
