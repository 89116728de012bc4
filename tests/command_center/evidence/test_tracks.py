"""Tracks of an operation: by our clock, thinned, and only one's own court's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from command_center.errors import NotFound, NotPermitted
from command_center.evidence import tracks as tracks_module
from command_center.evidence.tracks import Tracks
from command_center.operations.records import FeedRecord, from_ms
from streams.hub.hub import Hub
from streams.hub.topics import PositionTaken
from streams.protocol import Position
from tests.support.world import World, new_world

START = 1_770_000_000_000
AHEAD_MS = 600_000


def _taken(feed: str, second: int, *, is_late: bool = False) -> PositionTaken:
    """A fix of a phone whose clock is ten minutes ahead, perhaps one that it kept for a while."""
    true = START + second * 1000
    received = true + (90_000 if is_late else 0)
    position = Position(id=uuid4(), taken_at=true + AHEAD_MS, latitude=40 + second / 1e4, longitude=111, accuracy_m=5)
    return PositionTaken(
        feed=feed,
        position=position,
        received_at=received,
        clock_offset_ms=received - position.taken_at,
        road="channel",
    )


@pytest.fixture
async def world(tables_url: str, hub: Hub) -> AsyncIterator[World]:
    """Two courts and their operations, on both databases."""
    async with new_world(tables_url, hub) as world:
        yield world


@pytest.fixture
async def feed(world: World) -> FeedRecord:
    feed = await world.operations.feeds.register(
        world.people["li"], world.operation.id, world.operation.sites[0].id, "phone"
    )
    await world.positions.insert([_taken(feed.name, second, is_late=second % 7 == 3) for second in range(60)])
    return feed


async def test_a_phone_with_a_wrong_clock_is_put_where_it_was_at_that_moment(world: World, feed: FeedRecord) -> None:
    (track,) = await Tracks(world.database).of_operation(world.people["judge"], world.operation.id)
    assert (track.feed, track.officer, track.site_ordinal) == (feed.name, world.people["li"].display_name, 1)
    assert [(at, latitude) for at, latitude, *_ in track.points] == [
        (START + second * 1000, 40 + second / 1e4) for second in range(60)
    ]


async def test_a_span_gives_what_is_in_it(world: World, feed: FeedRecord) -> None:
    since = from_ms(START + 10_000)
    (track,) = await Tracks(world.database).of_operation(
        world.people["judge"], world.operation.id, since=since, until=since + timedelta(seconds=5)
    )
    assert [point[0] for point in track.points] == [START + second * 1000 for second in range(10, 16)]


async def test_a_long_track_is_thinned_evenly(world: World, feed: FeedRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks_module, "MAX_POINTS", 20)
    (track,) = await Tracks(world.database).of_operation(world.people["judge"], world.operation.id)
    assert [point[0] for point in track.points] == [START + second * 1000 for second in range(0, 60, 3)]


async def test_another_court_and_who_does_not_review_see_none(world: World, feed: FeedRecord) -> None:
    tracks = Tracks(world.database)
    with pytest.raises(NotFound):
        await tracks.of_operation(world.people["district-commander"], world.operation.id)
    with pytest.raises(NotPermitted):
        await tracks.of_operation(world.people["li"], world.operation.id)
