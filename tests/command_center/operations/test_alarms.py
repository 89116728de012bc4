"""Alarms in the journal: raised once, over once, whoever looks."""

from __future__ import annotations

import json
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.journal import JournalEntry, JournalKind
from command_center.operations.alarms import SPACE_KEY, Alarms, is_clock_synchronised
from command_center.operations.tables import Operation
from streams.hub.topics import FEEDS_KEY, NODE_KEY, FeedPhase, FeedState
from tests.support.world import World

Trouble = Literal["disk_full", "disk_slow", "disk_failed"]


async def tell(world: World, feed: str, trouble: Trouble | None) -> None:
    """What a node puts on the hub."""
    state = FeedState(feed=feed, node="node-1", phase=FeedPhase.LIVE, since=1, recording_trouble=trouble)
    await world.hub.put(NODE_KEY.format(node="node-1"), "{}")
    await world.hub.put_field(FEEDS_KEY.format(node="node-1"), feed, state.model_dump_json())


async def noted(world: World, operation: UUID) -> list[tuple[str, str | None, str]]:
    async with world.database.read() as session:
        query = select(JournalEntry.body).where(
            JournalEntry.kind == JournalKind.ALARM.value, JournalEntry.operation_id == operation
        )
        bodies: list[dict[str, Any]] = [
            json.loads(one) for one in await session.scalars(query.order_by(JournalEntry.id))
        ]
    return [(body["what"], body["feed"], body["state"]) for body in bodies]


def alarms_of(world: World, *, is_clock_right: bool = True) -> Alarms:
    return Alarms(world.database, world.hub, world.journal, lambda: is_clock_right)


async def test_footage_that_isnt_kept_is_an_alarm_of_its_operation_until_it_is_again(world: World) -> None:
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    alarms = alarms_of(world)
    for trouble in (None, "disk_full", "disk_full", "disk_slow", None, None):
        await tell(world, feed.name, trouble)  # type: ignore[arg-type]
        await tell(world, "nobodys", "disk_failed")
        await alarms.look()
    assert await noted(world, world.operation.id) == [
        ("disk_full", feed.name, "raised"),
        ("disk_full", feed.name, "cleared"),
        ("disk_slow", feed.name, "raised"),
        ("disk_slow", feed.name, "cleared"),
    ]
    assert await noted(world, world.district_operation.id) == []


async def test_a_worker_that_begins_knows_what_stands(world: World) -> None:
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    await tell(world, feed.name, "disk_full")
    assert [await alarms_of(world).look() for _ in range(3)] == [1, 0, 0]
    await world.hub.drop(NODE_KEY.format(node="node-1"))
    assert await alarms_of(world).look() == 0  # nobody is there to tell that it is over
    await tell(world, feed.name, None)
    assert [await alarms_of(world).look() for _ in range(2)] == [1, 0]


async def test_space_and_clock_are_alarms_of_every_live_operation(world: World) -> None:
    async with world.database.write() as session:
        ended = Operation.id == world.district_operation.id
        await session.execute(update(Operation).where(ended).values(state="ended"))
    await world.hub.put(SPACE_KEY, json.dumps({"name": "space", "state": "low", "since": 1}))
    await alarms_of(world, is_clock_right=False).look()
    await world.hub.put(SPACE_KEY, json.dumps({"name": "space", "state": "running", "since": 1}))
    await alarms_of(world).look()
    assert await noted(world, world.operation.id) == [
        ("clock", None, "raised"),
        ("disk_low", None, "raised"),
        ("clock", None, "cleared"),
        ("disk_low", None, "cleared"),
    ]
    assert await noted(world, world.district_operation.id) == []


async def test_what_is_wrong_with_stored_footage_is_an_alarm_also_after_the_operation(world: World) -> None:
    stored: set[tuple[UUID, str, str]] = {(world.operation.id, "checksum-mismatch", "feed-1")}

    async def troubles(_session: AsyncSession) -> set[tuple[UUID, str, str]]:
        return stored

    alarms = Alarms(world.database, world.hub, world.journal, lambda: True, stored=troubles)
    assert [await alarms.look() for _ in range(2)] == [1, 0]
    async with world.database.write() as session:
        await session.execute(update(Operation).values(state="ended"))
    assert await alarms.look() == 0
    stored.clear()  # no node is there, and it is over nevertheless
    assert [await alarms.look() for _ in range(2)] == [1, 0]
    assert await noted(world, world.operation.id) == [
        ("checksum-mismatch", "feed-1", "raised"),
        ("checksum-mismatch", "feed-1", "cleared"),
    ]


def test_the_clock_of_this_machine_can_be_asked() -> None:
    assert is_clock_synchronised() in (True, False)
