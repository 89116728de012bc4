"""A full wall in Chromium: what its tiles decode, how soon an enlarged one is sharp, how it lives on a bad line.

    python -m tests.bench.wall [--tiles 17] [--switches 50] [--seconds 20] [--only wall|line|narrow]

Publishers, web process and the page's driver share one process; the node has its own. All on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser

from tests.bench.forwarding import processor_seconds
from tests.support.browser import chromium
from tests.support.centre import Centre, open_centre
from tests.support.full_wall import LARGE, SMALL, FullWall, full_wall
from tests.support.light_layers import Camera
from tests.support.picture_watch import PictureWatch
from tests.support.relay import relayed
from tests.support.wall_runs import BAD_LINE, leave_alone, settle, spread, squeeze, switch

SEED = 2026
PLAYING_SECONDS = 90.0
SETTLE_SECONDS = 30.0
BAD_LINE_TILES = 6
NARROW_KBPS = 1000.0


@asynccontextmanager
async def opened(
    wall: FullWall, browser: Browser, count: int, camera: Camera, *, script: str = "", locale: str = "zh-CN"
) -> AsyncIterator[tuple[Centre, PictureWatch, str]]:
    """The centre's page with so many tiles playing and its first one enlarged; that one's feed."""
    await wall.add(count - len(wall.publishers), camera)
    started = time.monotonic()
    centre = await open_centre(browser, wall, script=script, locale=locale)
    await centre.playing(count, PLAYING_SECONDS)
    print(f"{count} tiles play after {time.monotonic() - started:.1f} s", flush=True)
    watch = PictureWatch(centre)
    await watch.begin()
    spotlit = min(str(tile["feed"]) for tile in await centre.tiles())
    await watch.enlarge(spotlit, camera.sizes[2][0])
    try:
        await settle(centre, camera, spotlit, SETTLE_SECONDS)
    except AssertionError as error:
        print(f"NOT as their sizes ask: {error}", flush=True)
    yield centre, watch, spotlit
    await centre.page.context.close()


async def full(wall: FullWall, options: argparse.Namespace) -> None:
    """Sixteen and one, from their opening to the last switch."""
    async with (
        chromium() as browser,
        opened(wall, browser, options.tiles, SMALL, locale=options.locale) as (centre, watch, _),
    ):
        print(f"a turn of the page's own loop: {spread(await centre.page.evaluate('watch.ownDelay(50)'))}")
        used, clock = processor_seconds(wall.node.pid), time.monotonic()
        print(f"left alone: {await leave_alone(wall, watch, options.seconds)}")
        share = (processor_seconds(wall.node.pid) - used) / (time.monotonic() - clock)
        print(f"the node's processor: {share:.0%} of a core", flush=True)
        print(f"enlarged: {await switch(wall, watch, SMALL, options.switches, SEED)}", flush=True)
        if options.picture:
            await centre.page.screenshot(path=options.picture)


async def bad_line(wall: FullWall, options: argparse.Namespace) -> None:
    """Six tiles while a twentieth of all datagrams is lost both ways."""
    async with (
        chromium() as browser,
        relayed(wall.media_port, seed=SEED) as relay,
        opened(wall, browser, BAD_LINE_TILES, SMALL, script=relay.script) as (_, watch, _),
    ):
        relay.impair(BAD_LINE)
        print(f"5 % lost both ways: {await leave_alone(wall, watch, options.seconds)}", flush=True)


async def narrow(wall: FullWall, options: argparse.Namespace) -> None:
    """Six tiles whose page is cut to 1 Mbit/s."""
    async with (
        chromium() as browser,
        relayed(wall.media_port, seed=SEED) as relay,
        opened(wall, browser, BAD_LINE_TILES, LARGE, script=relay.script) as (_, watch, spotlit),
    ):
        picture = options.picture
        found = await squeeze(
            relay, watch, spotlit, kbps=NARROW_KBPS, settle_seconds=10, patience_seconds=30, picture=picture
        )
        print(f"cut to {NARROW_KBPS:.0f} kbit/s: {found}", flush=True)


RUNS = {"wall": full, "line": bad_line, "narrow": narrow}


async def main() -> None:
    """Read the command line and measure, each on an installation of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=17)
    parser.add_argument("--switches", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--locale", default="zh-CN")
    parser.add_argument("--only", choices=sorted(RUNS))
    parser.add_argument("--picture", help="where to put a picture of the full or the narrow wall")
    options = parser.parse_args()
    for name in [options.only] if options.only else list(RUNS):
        with tempfile.TemporaryDirectory(prefix="bench-wall-") as folder:
            async with full_wall(Path(folder)) as wall:
                try:
                    await RUNS[name](wall, options)
                except AssertionError as error:
                    print(f"{name}: {error}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
