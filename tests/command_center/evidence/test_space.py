"""The room for recordings is told in hours, and its alarm comes and goes once."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

from command_center.clock import now
from command_center.evidence.space import LEAST_BYTES_PER_SECOND, Limits, Room, Space, look
from command_center.evidence.space_watch import SpaceWatch
from command_center.evidence.tables import Recording
from command_center.operations.tables import Operation
from streams.hub.hub import Hub
from streams.hub.topics import PROCESS_KEY, SPACE_PART
from tests.command_center.evidence.conftest import START, World

LIMITS = Limits(low_hours=4, critical_hours=1)


def _room(hours: float) -> Room:
    return Room(int(hours * 3600 * 1_000_000), 1_000_000)


def test_the_alarm_comes_and_goes_once() -> None:
    state, seen = Space.ENOUGH, []
    for hours in (9, 4.01, 3.99, 4.1, 3.99, 4.3, 4.41, 0.99, 1.05, 1.2, 5):
        state = LIMITS.judge(_room(hours), state)
        seen.append(state.value)
    low, critical, enough = "low", "critical", "running"
    assert seen == [enough, enough, low, low, low, low, enough, critical, critical, low, enough]


async def test_the_rate_is_that_of_what_is_being_recorded(world: World) -> None:
    assert (await look(world.database, world.root)).bytes_per_second == LEAST_BYTES_PER_SECOND
    async with world.database.write() as session:
        operation = await session.get_one(Operation, world.operation)
        for number, (begun, ended) in enumerate([(START, None), (START, START), (START - timedelta(days=1), None)]):
            session.add(
                Recording(
                    id=uuid4(), operation_id=operation.id, node="n", manifest=f"{number}", version=2,
                    started_at=begun, ended_at=ended, seconds=100, bytes=200_000_000, lines=1, head="0" * 64,
                )
            )  # fmt: skip
    room = await look(world.database, world.root, lambda: START + timedelta(seconds=100))
    assert room.bytes_per_second == 2_000_000
    assert room.free_bytes > 0


async def test_the_watch_tells_of_it(world: World, hub: Hub) -> None:
    limits = Limits(low_hours=1e9, critical_hours=1)
    watch = SpaceWatch(world.database, hub, world.root, limits)
    before = int(now().timestamp() * 1000)
    await watch.look()
    told = json.loads(await hub.value(PROCESS_KEY.format(name=SPACE_PART)) or "")
    assert (told["name"], told["state"]) == ("space", "low")
    assert told["since"] >= before
    assert 0 < told["hours"] <= 100


async def test_before_the_first_recording_the_folder_need_not_be_there(world: World) -> None:
    assert (await look(world.database, world.root / "none")).free_bytes > 0
