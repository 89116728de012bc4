"""Positions: each kept once whatever road and however often it came, and read back in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid4

import pytest

from command_center.clock import now
from command_center.errors import NotFound
from command_center.operations.positions import TRAIL_POINTS, Inserted, Positions
from command_center.operations.records import FeedRecord, from_ms, to_ms
from streams.hub.topics import PositionTaken
from streams.protocol import Position
from tests.support.world import World

START = 1_770_000_000_000


def _taken(
    feed: str,
    second: int = 0,
    identifier: UUID | None = None,
    taken_at: int | None = None,
    received_at: int | None = None,
    road: Literal["channel", "socket"] = "channel",
) -> PositionTaken:
    at = START + second * 1000 if taken_at is None else taken_at
    received = at + 40 if received_at is None else received_at
    position = Position(
        id=identifier or uuid4(), taken_at=at, latitude=40.8 + second / 1e5, longitude=111.7, accuracy_m=5
    )
    return PositionTaken(feed=feed, position=position, received_at=received, clock_offset_ms=received - at, road=road)


@pytest.fixture
async def feed(world: World) -> FeedRecord:
    """One officer's feed."""
    return await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )


async def test_a_batch_is_kept_once_however_often_it_comes(world: World, feed: FeedRecord) -> None:
    batch = [_taken(feed.name, second) for second in range(1200)]
    assert await world.positions.insert(batch) == Inserted(1200, 0, 0)
    assert await world.positions.insert(batch) == Inserted(0, 1200, 0)
    first = await world.positions.history(world.people["commander"], feed.name)
    assert [row.id for row in first] == [one.position.id for one in batch[:1000]]


async def test_the_same_position_by_both_roads_and_twice_in_a_batch_is_one(world: World, feed: FeedRecord) -> None:
    identifier = uuid4()
    batch = [_taken(feed.name, 0, identifier), _taken(feed.name, 0, identifier, road="socket")]
    assert await world.positions.insert(batch) == Inserted(1, 1, 0)
    assert await world.positions.insert([_taken(feed.name, 0, identifier, road="socket")]) == Inserted(0, 1, 0)


async def test_positions_of_unknown_feeds_are_dropped_and_counted(world: World, feed: FeedRecord) -> None:
    batch = [_taken("nobodys", 0), _taken(feed.name, 1), _taken("nobodys", 2)]
    assert await world.positions.insert(batch) == Inserted(1, 0, 2)
    assert world.positions.unknown_total == 2


async def test_a_feed_that_is_registered_later_is_found_then(world: World) -> None:
    assert await world.positions.insert([_taken("later", 0)]) == Inserted(0, 0, 1)
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "later"
    )
    assert await world.positions.insert([_taken(feed.name, 0)]) == Inserted(1, 0, 0)


@pytest.mark.parametrize("taken_at", [0, 1 << 53])
async def test_a_phone_whose_clock_is_absurd_loses_nothing(world: World, feed: FeedRecord, taken_at: int) -> None:
    taken = _taken(feed.name, taken_at=taken_at, received_at=START)
    assert await world.positions.insert([taken]) == Inserted(1, 0, 0)
    (row,) = await world.positions.history(world.people["commander"], feed.name)
    assert row.clock_offset_ms == START - taken_at


async def test_a_trail_holds_the_last_minutes_and_always_the_last_position(world: World, feed: FeedRecord) -> None:
    at = to_ms(now())
    old = _taken(feed.name, taken_at=at - 3_600_000)
    await world.positions.insert([old])
    trails = await world.positions.trails([feed.id])
    assert [row.id for row in trails[feed.id]] == [old.position.id]
    recent = [_taken(feed.name, taken_at=at - 500 * second) for second in range(TRAIL_POINTS + 50, 0, -1)]
    await world.positions.insert(recent)
    trail = (await world.positions.trails([feed.id]))[feed.id]
    assert [row.id for row in trail] == [one.position.id for one in recent[-TRAIL_POINTS:]]


async def test_a_trail_of_a_phone_with_a_wrong_clock_is_there_too(world: World, feed: FeedRecord) -> None:
    received = to_ms(now())
    batch = [_taken(feed.name, taken_at=1000 * n, received_at=received + n) for n in range(1, 6)]
    await world.positions.insert(batch)
    assert len((await world.positions.trails([feed.id]))[feed.id]) == 5


async def test_pages_of_a_history_follow_on_each_other_even_at_one_instant(world: World, feed: FeedRecord) -> None:
    await world.positions.insert([_taken(feed.name, taken_at=START) for _ in range(7)])
    reader = world.people["judge"]
    seen: list[UUID] = []
    after = None
    while page := await world.positions.history(reader, feed.name, after=after, limit=3):
        seen += [row.id for row in page]
        after = (page[-1].taken_at, page[-1].id)
    assert len(seen) == len(set(seen)) == 7


async def test_a_history_is_cut_by_time(world: World, feed: FeedRecord) -> None:
    await world.positions.insert([_taken(feed.name, second) for second in range(10)])
    since = from_ms(START) + timedelta(seconds=3)
    rows = await world.positions.history(
        world.people["commander"], feed.name, since=since, until=since + timedelta(seconds=2)
    )
    assert [to_ms(row.taken_at) for row in rows] == [START + 3000, START + 4000]


async def test_a_history_is_read_in_scope_only(world: World, feed: FeedRecord) -> None:
    assert await world.positions.history(world.people["li"], feed.name) == []
    for name in ("zhang", "bao", "district-commander", "security", "auditor"):
        with pytest.raises(NotFound):
            await world.positions.history(world.people[name], feed.name)


async def test_what_is_remembered_of_feeds_is_bounded(world: World, feed: FeedRecord) -> None:
    positions = Positions(world.database, world.journal)
    for number in range(3):
        await positions.insert([_taken(f"unknown-{number}")])
    assert await positions.insert([_taken(feed.name)]) == Inserted(1, 0, 0)
    assert len(positions._feed_ids) == 1  # names that nobody registered are not remembered
