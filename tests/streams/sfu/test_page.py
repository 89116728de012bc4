"""Pages on a simulated line, in virtual time: what fits is given, what doesn't is paused, and all comes back."""

from __future__ import annotations

import itertools

import pytest

from streams.sfu.page import STAY_SECONDS, TILES_BOUND, Page
from streams.sfu.track import LAYERS, Layer
from tests.support.wall import SimulatedTile, Wall

TILES = 17
SETTLED_SECONDS = 3.0
BACK_SECONDS = 10.0
SEEDS = (1, 2)


def wall_of(seed: int, tiles: int = TILES) -> Wall:
    wall = Wall(seed)
    wall.open(tiles)
    wall.run(2)
    assert wall.page.estimate_bps is None
    return wall


def state(wall: Wall) -> list[Layer | None]:
    return [tile.layer for tile in wall.tiles]


def needs(wall: Wall) -> float:
    """What is given takes, by the layers' nominal sizes."""
    return sum(dict(tile.sizes)[tile.layer] for tile in wall.tiles if tile.layer is not None)


def shortest_pause(tile: SimulatedTile) -> float:
    """How long it was paused at the least; what still lasts doesn't count."""
    pauses = [
        later - earlier
        for (earlier, before), (later, after) in itertools.pairwise(tile.given)
        if before is None and after is not None
    ]
    return min(pauses, default=float("inf"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_line_cut_to_a_megabit_keeps_spotlight_and_what_fits_and_all_come_back(seed: int) -> None:
    wall = wall_of(seed)
    full = state(wall)
    assert full == ["high", *["low"] * 16]
    wall.impair(rate_kbps=1000)
    wall.run(SETTLED_SECONDS)
    kept = state(wall)
    assert kept[0] == "low"
    assert kept.count("low") >= 3
    assert needs(wall) <= 1_000_000
    # Nothing flickers while it lasts: what is found to fit comes back, and stays.
    changes = sum(len(tile.given) for tile in wall.tiles)
    wall.run(10)
    assert state(wall)[0] == "low"
    assert state(wall).count("low") >= 5
    assert sum(len(tile.given) for tile in wall.tiles) - changes <= 4
    wall.impair(rate_kbps=None)
    wall.run(BACK_SECONDS)
    assert state(wall) == full
    assert all(shortest_pause(tile) >= STAY_SECONDS for tile in wall.tiles)
    # Nothing limits any more, and nothing is reckoned any more.
    wall.run(12)
    assert wall.page.estimate_bps is None
    done = wall.page.allocations
    wall.run(2)
    assert wall.page.allocations == done


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_while_it_is_cut_little_is_lost_and_nothing_queues_for_long(seed: int) -> None:
    wall = wall_of(seed)
    wall.impair(rate_kbps=1000)
    wall.run(5)
    before = wall.line.counts["full"]
    queues = []
    for _ in range(20):
        wall.run(0.5)
        queues.append(max(tile.road.queue_seconds for tile in wall.alive))
    assert wall.line.counts["full"] == before
    assert sorted(queues)[len(queues) // 2] < 0.1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"loss": 0.05, "delay_seconds": 0.05, "jitter_seconds": 0.01}, "what the air loses is no fullness"),
        ({"loss": 0.15, "delay_seconds": 0.05, "jitter_seconds": 0.01}, "nor if it is much"),
        ({"delay_seconds": 0.07, "jitter_seconds": 0.06}, "jitter is no queue"),
        ({"delay_seconds": 0.3}, "a longer road is no queue"),
        ({"rate_kbps": 6000}, "what fits is never reduced"),
        ({}, "least of all where nothing is the matter"),
    ],
)
def test_nothing_is_taken_away_without_need(changes: dict[str, float], why: str) -> None:
    wall = wall_of(5)
    wall.impair(**changes)
    wall.run(6)
    assert all(tile.given == [] for tile in wall.tiles), why
    assert wall.page.allocations == 0


@pytest.mark.parametrize(("length", "every"), [(0.1, 0.2), (1.0, 2.0)])
def test_a_busy_machine_is_not_mistaken_for_a_full_line(length: float, every: float) -> None:
    wall = wall_of(6)
    wall.stalls = [(wall.now + turn * every, wall.now + turn * every + length) for turn in range(40)]
    wall.run(6)
    assert all(tile.given == [] for tile in wall.tiles)


def test_a_line_that_drops_instead_of_queueing_is_found_too() -> None:
    wall = wall_of(7)
    wall.impair(rate_kbps=1000, queue_datagrams=5)
    wall.run(SETTLED_SECONDS)
    assert state(wall)[0] is not None
    assert needs(wall) <= 1_000_000


def test_a_line_with_a_long_queue_is_emptied_first() -> None:
    wall = wall_of(8)
    wall.impair(rate_kbps=1000, queue_datagrams=4000)
    wall.run(12)
    assert state(wall)[0] is not None
    assert wall.tiles[0].road.queue_seconds < 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_publishers_of_one_layer_fit_or_are_paused(seed: int) -> None:
    wall = Wall(seed)
    wall.open(8, [("high", 400_000.0)], spotlight=False)
    wall.run(5)
    wall.impair(rate_kbps=1000)
    wall.run(SETTLED_SECONDS)
    assert state(wall).count("high") >= 1
    assert needs(wall) <= 1_000_000
    wall.run(7)
    assert state(wall).count("high") == 2
    wall.impair(rate_kbps=None)
    wall.run(BACK_SECONDS)
    assert state(wall) == ["high"] * 8


def test_sound_goes_on_where_it_fits() -> None:
    wall = Wall(9)
    wall.open(TILES, sound_bps=30_000)
    wall.run(5)
    wall.impair(rate_kbps=1000)
    wall.run(20)
    assert 0 < len(wall.alive) < TILES
    assert all(tile.is_heard for tile in wall.alive)
    wall.impair(rate_kbps=None)
    wall.run(BACK_SECONDS)
    assert all(tile.is_heard and tile.layer is not None for tile in wall.tiles)


def test_a_page_that_can_afford_nothing_comes_back_all_the_same() -> None:
    wall = wall_of(10, 5)
    wall.impair(rate_kbps=60)
    wall.run(20)
    assert state(wall) == [None] * 5
    wall.impair(rate_kbps=None)
    wall.run(2 * BACK_SECONDS)
    assert None not in state(wall)


def test_two_pages_have_nothing_to_do_with_each_other() -> None:
    narrow, wide = wall_of(11), wall_of(12)
    narrow.impair(rate_kbps=1000)
    for wall in (narrow, wide):
        wall.run(5)
    assert narrow.page.paused
    assert not wide.page.paused
    assert wide.page.estimate_bps is None


def test_on_a_limited_page_the_new_spotlight_takes_from_the_others_at_once() -> None:
    wall = wall_of(13)
    wall.impair(rate_kbps=1000)
    wall.run(8)
    new = next(tile for tile in wall.tiles if tile.limit is None)
    wall.tiles[0].want("low", wall.now)
    new.want("high", wall.now, is_spotlight=True)
    assert new.limit == "low"
    wall.run(5)
    assert needs(wall) <= 1_000_000


def test_a_tile_that_joins_a_limited_page_gets_its_share_of_it() -> None:
    wall = wall_of(14)
    wall.impair(rate_kbps=1000)
    wall.run(8)
    alive = len(wall.alive)
    wall.open(3, spotlight=False)
    assert all(tile.limit is None for tile in wall.tiles[TILES:])
    wall.page.leave(wall.tiles[0], wall.now)
    assert len([tile for tile in wall.tiles[1:] if tile.limit is not None]) > alive - 1


def test_the_page_is_told_of_its_estimate_now_and_then() -> None:
    wall = wall_of(15)
    wall.impair(rate_kbps=1000)
    wall.run(10)
    assert 1 <= wall.tiles[0].told <= 5


def test_another_road_begins_with_another_base() -> None:
    wall = wall_of(16)
    for tile in wall.tiles:
        tile.road.forget()
    wall.impair(delay_seconds=0.2)
    wall.run(10)
    assert wall.page.estimate_bps is None
    assert all(tile.road.queue_seconds < 0.1 for tile in wall.tiles)


def test_a_page_takes_so_many_tiles() -> None:
    page, wall = Page(), Wall(17)
    for place in range(TILES_BOUND):
        assert not page.is_full
        page.join(SimulatedTile(wall, [(LAYERS[0], 1.0)], place), 0.0)
    assert page.is_full
