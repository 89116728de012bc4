"""A full wall in Chromium: which layers its tiles decode, how soon an enlarged one has the high layer, what stands still.

    python -m tests.bench.wall [--tiles 17] [--switches 50] [--seconds 20]

Publishers, web process and the page's driver share one process; the node has its own. All on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.browser import show
from tests.bench.forwarding import processor_seconds
from tests.support.browser import chromium
from tests.support.centre import open_centre
from tests.support.full_wall import SMALL, FullWall, full_wall
from tests.support.picture_watch import PictureWatch

SEED = 2026
PLAYING_SECONDS = 60.0


async def measure(wall: FullWall, options: argparse.Namespace) -> None:
    """One wall, from its opening to the last switch."""
    await wall.add(options.tiles, SMALL)
    async with chromium() as browser:
        started = time.monotonic()
        centre = await open_centre(browser, wall, locale=options.locale)
        await centre.playing(options.tiles, PLAYING_SECONDS)
        print(f"{options.tiles} tiles play after {time.monotonic() - started:.1f} s", flush=True)
        watch = PictureWatch(centre)
        await watch.begin()
        feed = sorted(tile["feed"] for tile in await centre.tiles())[0]
        await watch.enlarge(feed, SMALL.sizes[2][0])
        show("a turn of the page's own loop", await centre.page.evaluate("watch.ownDelay(50)"))

        since, used = time.monotonic(), processor_seconds(wall.node.pid)
        page_since = await watch.now()
        await asyncio.sleep(options.seconds)
        until = time.monotonic()
        gaps = sorted((await watch.longest_gaps(page_since)).values())
        widths = Counter(tile["width"] for tile in await centre.tiles())
        print(f"widths decoded: {dict(widths)}; load {os.getloadavg()[0]:.1f}", flush=True)
        print(
            f"longest gap in {options.seconds} s: median tile {statistics.median(gaps):.0f} ms, worst {gaps[-1]:.0f} ms"
        )
        cost = 100 * (processor_seconds(wall.node.pid) - used) / (until - since)
        print(f"the node's processor: {cost:.0f} % of a core")
        print(
            f"key frames asked of a publisher: at most {wall.most_asked(since, until)} in a second, steady", flush=True
        )

        since = time.monotonic()
        done = await watch.switches(options.switches, SMALL.sizes[2][0], SEED)
        until = time.monotonic()
        reached = [each.reached for each in done if each.reached is not None]
        print(f"switches that reached the high layer: {len(reached)} of {len(done)}")
        show("enlarged to high layer shown", reached)
        show("longest gap between frames around a switch", [each.gap for each in done])
        print(
            f"media time went back {sum(each.backwards for each in done)} times, streams anew: {sum(each.streams for each in done)}"
        )
        print(
            f"key frames asked of a publisher: at most {wall.most_asked(since, until)} in a second, "
            f"{wall.asked_per_second(since, until):.2f} a second on average of the busiest; load {os.getloadavg()[0]:.1f}"
        )
        if options.picture:
            await centre.page.screenshot(path=options.picture)


async def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=17)
    parser.add_argument("--switches", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--locale", default="zh-CN")
    parser.add_argument("--picture", help="where to put a picture of the screen at the end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-wall-") as folder:
        async with full_wall(Path(folder)) as wall:
            await measure(wall, options)


if __name__ == "__main__":
    asyncio.run(main())
