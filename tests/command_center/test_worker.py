"""The worker: nothing of a stream is lost or blocks it, and each job is done by one of several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from command_center.accounts.tables import SignIn
from command_center.audit import AuditEntry
from command_center.clock import now
from command_center.database import Database
from command_center.lease import Leases
from command_center.operations.records import to_ms
from command_center.operations.tables import Delivery, Feed, PositionRecord
from command_center.stream_job import GROUP, StreamJob
from command_center.worker import Worker
from streams.hub.hub import Hub
from streams.hub.topics import (
    CAMERAS_STREAM,
    POSITIONS_STREAM,
    REVOCATIONS_STREAM,
    TALKS_STREAM,
    CameraChanged,
    PositionTaken,
    Revoked,
    TalkChanged,
)
from streams.protocol import CameraState, Position
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.world import World, new_world

STREAM = "things"


class Thing(BaseModel):
    """An event of these tests."""

    number: int


@pytest.fixture
async def world(tables_url: str, hub: Hub) -> AsyncIterator[World]:
    """Two courts and their operations."""
    async with new_world(tables_url, hub) as world:
        yield world


class _Keeper:
    """Keeps numbers, and fails as told."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.poison: set[int] = set()
        self.is_away = False

    async def keep(self, things: Sequence[Thing]) -> None:
        if self.is_away:
            raise OperationalError("insert", {}, ConnectionError("database away"))
        if self.poison & {thing.number for thing in things}:
            raise IntegrityError("insert", {}, ValueError("no such thing"))
        self.kept += [thing.number for thing in things]


def _job(hub: Hub, keeper: _Keeper, consumer: str = "one", idle_seconds: float = 60) -> StreamJob[Thing]:
    return StreamJob(hub, STREAM, consumer, Thing.model_validate_json, keeper.keep, idle_seconds=idle_seconds)


async def test_an_entry_that_cannot_be_kept_is_set_aside_and_the_others_are_kept(hub: Hub) -> None:
    keeper = _Keeper()
    keeper.poison = {3}
    job = _job(hub, keeper)
    await job.step()
    for number in range(6):
        await hub.append(STREAM, Thing(number=number))
    await hub.append_json(STREAM, "rubbish")
    await job.step()
    assert keeper.kept == [0, 1, 2, 4, 5]
    assert (job.handled_total, job.refused_total) == (5, 2)
    assert len(await hub.read_after(f"{STREAM}:refused", "0")) == 2
    assert (await hub._redis.xpending(STREAM, GROUP))["pending"] == 0


async def test_while_the_database_is_away_everything_waits(hub: Hub) -> None:
    keeper = _Keeper()
    job = _job(hub, keeper)
    await job.step()
    for number in range(3):
        await hub.append(STREAM, Thing(number=number))
    keeper.is_away = True
    for _ in range(3):
        with pytest.raises(OperationalError):
            await job.step()
    keeper.is_away = False
    await job.step()
    assert (keeper.kept, job.refused_total) == ([0, 1, 2], 0)


async def test_what_a_dead_worker_had_taken_is_done_by_another(hub: Hub) -> None:
    keeper = _Keeper()
    keeper.is_away = True
    dead = _job(hub, keeper, "dead")
    await dead.step()
    for number in range(3):
        await hub.append(STREAM, Thing(number=number))
    with pytest.raises(OperationalError):
        await dead.step()
    keeper.is_away = False
    await _job(hub, keeper, "heir", idle_seconds=0).step()
    assert keeper.kept == [0, 1, 2]


async def test_a_lease_is_one_holders_until_it_is_given_back_or_runs_out(records: Database) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    one = Leases(records, "one", 10, lambda: at)
    two = Leases(records, "two", 10, lambda: at)
    assert await one.take("job")
    assert await one.take("job")
    assert not await two.take("job")
    assert await two.take("other job")
    at += timedelta(seconds=11)
    assert await two.take("job")
    assert not await one.take("job")
    await one.give_back("job")
    assert not await one.take("job")
    await two.give_back("job")
    assert await one.take("job")


async def test_work_that_lasts_is_ended_with_its_lease(records: Database) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    one, two = Leases(records, "one", 10, lambda: at), Leases(records, "two", 10, lambda: at)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def last() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert await two.take("job")
    working = asyncio.create_task(one.work("job", last, 0.01))
    await asyncio.sleep(0.05)
    assert not begun.is_set()
    await two.give_back("job")
    await until(begun.is_set)
    assert not await two.take("job")
    at += timedelta(seconds=11)
    await until(lambda: two.take("job"))  # somebody whose clock is right takes what wasn't renewed in time
    await until(ended.is_set)
    await working


async def test_work_that_fails_says_so_and_cancelling_ends_it(records: Database) -> None:
    leases = Leases(records, "one")

    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await leases.work("job", fail, 0.01)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def last() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    working = asyncio.create_task(leases.work("job", last, 0.01))
    await until(begun.is_set)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert ended.is_set()


async def test_of_many_who_want_a_lease_one_gets_it(records: Database) -> None:
    wanting = [Leases(records, str(number)) for number in range(8)]
    assert sum(await asyncio.gather(*(each.take("job") for each in wanting))) == 1


def _taken(feed: str, second: int) -> PositionTaken:
    at = to_ms(now())
    position = Position(id=uuid4(), taken_at=at, latitude=40.8, longitude=111.7 + second / 1e5, accuracy_m=5)
    return PositionTaken(feed=feed, position=position, received_at=at, clock_offset_ms=0, road="channel")


async def _count(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(PositionRecord)) or 0


async def test_two_workers_keep_every_position_once_while_the_hub_is_killed(world: World, valkey: Valkey) -> None:
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    workers = [
        asyncio.create_task(Worker(world.database, world.hub, name, idle_minutes=60).run()) for name in ("one", "two")
    ]
    sent = 0
    for second in range(40):
        await world.hub.append(POSITIONS_STREAM, _taken(feed.name, second))
        sent += 1
        if second in (10, 25):
            valkey.kill()
            valkey.start()
    await world.hub.append(POSITIONS_STREAM, _taken("nobodys", 0))
    await until(lambda: _is_count(world.database, sent), seconds=30)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def _is_count(database: Database, wanted: int) -> bool:
    return await _count(database) == wanted


async def test_the_worker_escalates_and_keeps_the_cameras_word(world: World) -> None:
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    world.instructions._deadlines = {priority: timedelta(0) for priority in world.instructions._deadlines}
    await world.instructions.send(world.people["commander"], world.order("x"))
    changed = CameraChanged(feed=feed.name, state=CameraState.STOPPED_BY_OFFICER, received_at=to_ms(now()))
    earlier = CameraChanged(feed=feed.name, state=CameraState.LIVE, received_at=changed.received_at - 1)
    for event in (earlier, changed, earlier, changed):  # told while no worker was there, and again out of order
        await world.hub.append(CAMERAS_STREAM, event)
    working = asyncio.create_task(Worker(world.database, world.hub, "one", idle_minutes=60).run())

    async def is_done() -> bool:
        async with world.database.read() as session:
            escalated = await session.scalar(
                select(func.count()).select_from(Delivery).where(Delivery.escalated_at.is_not(None))
            )
            state = await session.scalar(select(Feed.camera_state).where(Feed.name == feed.name))
        return (escalated, state) == (3, "stopped_by_officer")

    await until(is_done, seconds=15)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert await Leases(world.database, "two").take("escalation")


async def test_the_worker_ends_a_session_whose_time_is_over_and_tells_the_nodes(world: World) -> None:
    over = await world.sign_in("commander")
    async with world.database.write() as session:
        await session.execute(update(SignIn).where(SignIn.id == over.session_id).values(expires_at=now()))
    working = asyncio.create_task(Worker(world.database, world.hub, "one", idle_minutes=60).run())

    async def told() -> list[Revoked]:
        entries = await world.hub.read_after(REVOCATIONS_STREAM, "0", wait_seconds=0.1)
        return [Revoked.model_validate_json(text) for _, text in entries]

    assert [event.session_id for event in await until(told, seconds=15)] == [over.session_id]
    assert await world.ended_sessions() == {over.session_id}
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_of_two_workers_one_puts_the_nodes_words_of_a_talk_together(world: World) -> None:
    begin = TalkChanged(
        talk=uuid4(), operation_id=world.operation.id, user_id=None, speaker="甲", node="one", recording_feed="talk.x",
        to=("a", "b"), heard=(), began_at=1,
    )  # fmt: skip
    workers = [Worker(world.database, world.hub, name, idle_minutes=60) for name in ("one", "two")]
    working = [asyncio.create_task(worker.run()) for worker in workers]
    for node, heard in (("one", ()), ("two", ("b",))):
        await world.hub.append(TALKS_STREAM, begin.model_copy(update={"node": node}))
        end = {"node": node, "heard": heard, "ended_at": 9_001, "reason": "released"}
        await world.hub.append(TALKS_STREAM, begin.model_copy(update=end))

    async def entries() -> list[AuditEntry]:
        async with world.database.read() as session:
            query = select(AuditEntry).where(AuditEntry.subject_id == str(begin.talk)).order_by(AuditEntry.sequence)
            return list(await session.scalars(query))

    async def ended() -> bool:
        return len(await entries()) == 2

    await until(ended, seconds=20)
    assert [entry.action for entry in await entries()] == ["talk.began", "talk.ended"]
    assert '"heard":"b"' in (await entries())[-1].details
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
