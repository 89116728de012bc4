"""Redis killed and the phone away while orders are given: nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from uuid import UUID

from sqlalchemy import select

from command_center.live.messages import InstructionView
from command_center.operations.tables import PositionRecord
from command_center.worker import Worker
from streams.hub.hub import HubAway
from streams.hub.topics import POSITIONS_STREAM, PositionTaken
from streams.protocol import Position, ReceiptState
from tests.support.lines import Device, device, instruct, position, register, screen
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb

INSTRUCTIONS = 20
FIXES = 60


async def _kept(web: RunningWeb) -> set[UUID]:
    async with web.web.database.read() as session:
        return set(await session.scalars(select(PositionRecord.id)))


async def _spool(web: RunningWeb, feed: str, fixes: list[Position], replay: bool) -> list[Position]:
    """A node that tells the hub of its fixes in order and keeps what it can't tell."""
    waiting = list(fixes)
    while waiting:
        fix = waiting[0]
        event = PositionTaken(feed=feed, position=fix, received_at=fix.taken_at, clock_offset_ms=0, road="channel")
        try:
            await web.web.hub.append(POSITIONS_STREAM, event)
        except HubAway:
            if not replay:
                return waiting
            continue
        waiting.pop(0)
    return waiting


async def test_a_blackout_of_redis_and_of_the_phone_loses_doubles_and_mixes_up_nothing(
    web: RunningWeb, valkey: Valkey
) -> None:
    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    me = web.world.users["officer1"]
    feed = await register(web, officer)
    working = asyncio.create_task(Worker(web.web.database, web.web.hub, "worker", idle_minutes=60).run())
    by_node, by_phone = [position(n) for n in range(FIXES)], [position(n) for n in range(FIXES)]
    order = {"scope": "officer", "officer_id": str(me)}
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(screen(web, commander))
        async with device(web, officer) as phone:
            await instruct(web, commander, "0", **order)
            await until(lambda: phone.texts == ["0"])
            assert await _spool(web, feed, by_node[:20], replay=False) == []
            await _say(phone, by_phone[:20])
        valkey.kill()
        await until(lambda: page.parts["hub"].state == "away", seconds=10)
        left = await _spool(web, feed, by_node[20:40], replay=False)
        for number in range(1, INSTRUCTIONS // 2):
            await instruct(web, commander, str(number), **order)
        # The screen shows what nobody has got yet, and that the officer can't be reached, without the hub.
        await until(lambda: _undelivered(page.instructions.values(), me) == INSTRUCTIONS // 2 - 1, seconds=15)

        # The phone is back before Redis is: the database alone is enough.
        again = await stack.enter_async_context(device(web, officer))
        await until(lambda: len(again.texts) == INSTRUCTIONS // 2, seconds=15)
        await _say(again, by_phone[20:40])
        for number in range(INSTRUCTIONS // 2, INSTRUCTIONS):
            await instruct(web, commander, str(number), **order)
        await until(lambda: len(again.texts) == INSTRUCTIONS, seconds=15)
        assert again.texts == [str(number) for number in range(INSTRUCTIONS)]

        valkey.start()
        await until(lambda: page.parts["hub"].state == "running", seconds=15)
        await _spool(web, feed, [*left, *by_node[40:]], replay=True)
        await _say(again, by_phone[40:])
        wanted = {fix.id for fix in [*by_node, *by_phone]}
        await until(_holds(lambda: _kept(web), wanted), seconds=20)
        await until(lambda: all(page.states(n)[me] == "delivered" for n in range(1, INSTRUCTIONS + 1)), seconds=20)
        (last,) = [one for one in again.shown if again.shown[one].text == str(INSTRUCTIONS - 1)]
        await again.answer(last, ReceiptState.ACCEPTED)
        await until(lambda: page.states(INSTRUCTIONS) == {me: "accepted"})
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def _say(phone: Device, fixes: list[Position]) -> None:
    for fix in fixes:
        await phone.say(fix)
    await until(lambda: phone.acknowledged >= {fix.id for fix in fixes}, seconds=30)


def _holds(read: Callable[[], Awaitable[set[UUID]]], wanted: set[UUID]) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await read() == wanted

    return holds


def _undelivered(views: Iterable[InstructionView], officer: UUID) -> int:
    return sum(
        one.state == "sent" and not one.online for view in views for one in view.deliveries if one.officer_id == officer
    )
