"""The review of a long operation in Chromium: how far cameras are apart, and how soon a jump shows all pictures.

    python -m tests.bench.review [--minutes 60] [--cameras 4] [--seeks 50]

Every frame carries its own time, which is read from the tiles' pixels in one turn of the page. Each camera began at
another moment, so only what the recordings say of the wall clock brings them together. A frame stands 40 ms, and its
time is that of its beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.browser import chromium
from tests.support.review_scene import ReviewPage, Scene, place_of, reviewing
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.wall_runs import spread
from tests.support.web import running_web, settings_for

SEED = 2026
PLAYED_SECONDS = 0.8
NOTED_SECONDS = 60
"""So far apart are the notes that the list must follow."""
READY_SECONDS = 120.0
BEGUN_BY_MS = 90_000
"""By then every camera has begun."""
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0)


class Figures:
    """What is gathered, in milliseconds."""

    def __init__(self) -> None:
        self.seek: list[float] = []
        self.apart: dict[str, list[float]] = {"standing": [], "playing": []}
        self.off: list[float] = []
        self.unread = 0
        self.lost = {"map": 0, "list": 0}

    def take(self, scene: Scene, found: dict[str, Any], state: str) -> None:
        """What the tiles show at one instant."""
        moments = []
        for number, feed in enumerate(scene.feeds):
            code = found["codes"].get(feed)
            if code is None:
                self.unread += 1
            else:
                moments.append(scene.begins(number) + code)
        if len(moments) == len(scene.feeds):
            self.apart[state].append(max(moments) - min(moments))
            self.off += [found["now"] - moment for moment in moments]

    def tell(self) -> None:
        """Print them."""
        print(f"seek to picture, all cameras: {spread(self.seek)}")
        for state, apart in self.apart.items():
            print(f"cameras apart, {state}: {spread(apart)}")
        print(f"a picture behind the clock (its frame's standing included): {spread(self.off)}")
        print(
            f"frames not read: {self.unread}; map behind: {self.lost['map']}; list behind: {self.lost['list']}",
            flush=True,
        )


async def one_seek(review: ReviewPage, at: int, figures: Figures) -> None:
    """Jump while it plays, look, play on for a moment, look again."""
    scene = review.scene
    found = await review.seek(at)
    figures.seek.append(found["ms"])
    figures.take(scene, found, "standing")
    await asyncio.sleep(PLAYED_SECONDS)
    found = await review.tell(
        "({now: probe.now(), codes: probe.codes(), place: probe.place(argument), current: probe.current()})",
        scene.feeds[0],
    )
    figures.take(scene, found, "playing")
    second = int((found["now"] - scene.began) // 1000)
    site = await scene.site_of(0)
    near = [place_of(*site, 0, second - behind) for behind in (0, 1)]
    is_there = found["place"] and any(abs(found["place"][0] - one[0]) < 1e-6 for one in near)
    figures.lost["map"] += not is_there
    figures.lost["list"] += found["current"] != f"{second - second % NOTED_SECONDS}"


async def speeds(review: ReviewPage, at: int) -> None:
    """How far apart cameras are at each speed."""
    for rate in SPEEDS:
        await review.seek(at)
        await review.tell("commandReview.clock.setRate(argument)", rate)
        await review.tell("commandReview.clock.play()")
        figures = Figures()
        for _ in range(8):
            await asyncio.sleep(0.5)
            found = await review.tell("({now: probe.now(), codes: probe.codes()})")
            figures.take(review.scene, found, "playing")
        print(f"at {rate:g}x: cameras apart {spread(figures.apart['playing'])}, unread {figures.unread}", flush=True)
    await review.tell("commandReview.clock.setRate(1)")


async def run(options: argparse.Namespace, folder: Path, valkey: Valkey) -> None:
    """Make the operation, open it, jump about."""
    async with running_web(settings_for(folder, valkey.url)) as web, chromium() as browser:
        started = time.monotonic()
        scene = Scene(web, int(time.time() * 1000) - (options.minutes + 5) * 60_000)
        await scene.add_feeds(options.cameras)
        for number in range(options.cameras):
            await scene.record(number, options.minutes)
            await scene.walk(number, options.minutes * 60)
        await scene.note(range(0, options.minutes * 60, NOTED_SECONDS))
        print(f"{options.cameras} cameras of {options.minutes} minutes made in {time.monotonic() - started:.0f} s")
        opened = time.monotonic()
        async with reviewing(browser, scene) as review:
            await until(lambda: review.tell("probe.live() > 0"), READY_SECONDS)
            await review.seek(scene.began + BEGUN_BY_MS)
            await review.ready(options.cameras, READY_SECONDS)
            print(f"all pictures stand {time.monotonic() - opened:.1f} s after the page was asked for", flush=True)
            await review.tell("commandReview.clock.play()")
            draw, figures = random.Random(SEED), Figures()
            last = scene.began + (options.minutes * 60 - 10) * 1000
            for _ in range(options.seeks):
                await one_seek(review, draw.randint(scene.began + BEGUN_BY_MS, last), figures)
            figures.tell()
            await speeds(review, scene.began + BEGUN_BY_MS)
            if options.picture:
                await review.page.screenshot(path=options.picture)


async def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seeks", type=int, default=50)
    parser.add_argument("--picture", help="where to put a picture of the page at the end")
    options = parser.parse_args()
    valkey = Valkey()
    valkey.start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-review-") as folder:
            await run(options, Path(folder), valkey)
    finally:
        valkey.stop()


if __name__ == "__main__":
    asyncio.run(main())
