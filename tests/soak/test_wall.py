"""A full wall, a bad line and a narrow one in Chromium: the bars of what a commander sees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bench.wall import opened
from tests.support.browser import chromium
from tests.support.full_wall import LARGE, SMALL, full_wall
from tests.support.relay import relayed
from tests.support.wall_runs import BAD_LINE, leave_alone, percentile, settle, squeeze, switch

TILES = int(os.environ.get("SOAK_TILES", "17"))
SWITCHES = int(os.environ.get("SOAK_SWITCHES", "50"))
SECONDS = float(os.environ.get("SOAK_WALL_SECONDS", "60"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
FEW_TILES = 6
FROZEN_MS = 1000
REACHED_MS = 500
BREAK_MS = 500
"""Longer than this nobody may see a picture stand still that is only made larger."""
NARROW_KBPS = 1000.0
BACK_SECONDS = 10.0

pytestmark = pytest.mark.timeout(1800)


async def test_sixteen_tiles_and_a_spotlight_each_decode_the_layer_that_their_size_asks_for(tmp_path: Path) -> None:
    async with (
        full_wall(tmp_path) as wall,
        chromium() as browser,
        opened(wall, browser, TILES, SMALL) as (centre, watch, spotlit),
    ):
        await settle(centre, SMALL, spotlit, 10)
        still = await leave_alone(wall, watch, SECONDS)
        print(f"left alone: {still}")
        assert max(still.gaps) <= FROZEN_MS
        assert still.asked.most_in_a_second <= 1

        switched = await switch(wall, watch, SMALL, SWITCHES, SEED)
        print(f"enlarged: {switched}")
        assert len(switched.reached) == SWITCHES
        assert percentile(switched.reached, 0.95) <= REACHED_MS
        assert max(each.gap for each in switched.switches) <= BREAK_MS
        assert not any(each.backwards or each.streams for each in switched.switches)
        assert switched.asked.most_in_a_second <= 1


async def test_six_tiles_live_on_while_a_twentieth_is_lost_both_ways(tmp_path: Path) -> None:
    async with (
        full_wall(tmp_path) as wall,
        chromium() as browser,
        relayed(wall.media_port, seed=SEED) as relay,
        opened(wall, browser, FEW_TILES, SMALL, script=relay.script) as (_, watch, _),
    ):
        relay.impair(BAD_LINE)
        still = await leave_alone(wall, watch, SECONDS)
        print(f"on a bad line: {still}; {relay.dropped} datagrams to the page lost")
        assert relay.dropped > 0
        assert max(still.gaps) <= FROZEN_MS


async def test_on_a_narrow_line_the_spotlight_lives_and_who_is_paused_says_so(tmp_path: Path) -> None:
    async with (
        full_wall(tmp_path) as wall,
        chromium() as browser,
        relayed(wall.media_port, seed=SEED) as relay,
        opened(wall, browser, FEW_TILES, LARGE, script=relay.script) as (_, watch, spotlit),
    ):
        found = await squeeze(relay, watch, spotlit, kbps=NARROW_KBPS, settle_seconds=10, patience_seconds=30)
        print(f"on a narrow line: {found}")
        assert found.spotlight_is_alive
        assert found.paused
        assert not found.neither
        assert found.back_seconds <= BACK_SECONDS
