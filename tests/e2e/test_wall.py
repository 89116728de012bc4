"""A small wall in a real browser: each tile has the layer that fits its size, and says so on a narrow line."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.bench.wall import opened
from tests.support.full_wall import SMALL, full_wall
from tests.support.relay import relayed
from tests.support.wall_runs import settle, squeeze, switch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="package")]

TILES = 4
SWITCHES = 2
SEED = 2026
PATIENCE_SECONDS = 60.0
NARROW_KBPS = 400.0
"""Together they want more than half as much again."""


async def test_tiles_decode_what_their_size_asks_for_and_say_when_the_line_is_too_narrow(
    tmp_path: Path, browser: Browser
) -> None:
    async with (
        full_wall(tmp_path) as wall,
        relayed(wall.media_port, seed=SEED) as relay,
        opened(wall, browser, TILES, SMALL, script=relay.script) as (centre, watch, spotlit),
    ):
        await settle(centre, SMALL, spotlit, PATIENCE_SECONDS)
        switched = await switch(wall, watch, SMALL, SWITCHES, SEED)
        print(f"enlarged: {switched}")
        assert not any(each.backwards for each in switched.switches)
        assert len(switched.reached) == SWITCHES

        spotlit = await centre.page.evaluate("document.querySelector('.tile.is-spotlit').dataset.feed")
        await settle(centre, SMALL, spotlit, PATIENCE_SECONDS)
        found = await squeeze(
            relay, watch, spotlit, kbps=NARROW_KBPS, settle_seconds=0, patience_seconds=PATIENCE_SECONDS
        )
        print(f"on a narrow line: {found}")
        assert found.paused
