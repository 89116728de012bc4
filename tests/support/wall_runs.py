"""Runs over a full wall in Chromium that are tried briefly in every test and for long in the soak."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.centre import Centre
from tests.support.full_wall import Asked, FullWall
from tests.support.impairment import CLEAR, Impairment
from tests.support.light_layers import Camera
from tests.support.picture_watch import PictureWatch, Switch
from tests.support.relay import Relay
from tests.support.waiting import until

BAD_LINE = Impairment(loss=0.05, delay_seconds=0.05, jitter_seconds=0.01)
LONG_MS = 1000.0
MOVING_SECONDS = 2.0
"""A picture that shows no frame for so long doesn't move."""
PAUSED = "bandwidth"
"""What a tile gives as its cause when the page's line doesn't carry it."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them doesn't exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float]) -> str:
    """One line of figures, in milliseconds."""
    if not values:
        return "none"
    return (
        f"p50 {statistics.median(values):.0f} ms, p95 {percentile(values, 0.95):.0f} ms, "
        f"max {max(values):.0f} ms ({len(values)} samples)"
    )


@dataclass
class Still:
    """A wall left alone for a while."""

    widths: Counter[int]
    gaps: list[float]
    asked: Asked
    words: dict[str, list[str]]
    """Of the tiles that stood still for long: what they said meanwhile."""

    def __str__(self) -> str:
        return (
            f"widths {dict(self.widths)}; longest gap of each tile: {spread(self.gaps)}; {self.asked}; "
            f"said by tiles that stood still: {self.words}; {load()}"
        )


@dataclass
class Switched:
    """Tiles enlarged one after another."""

    switches: list[Switch]
    asked: Asked

    @property
    def reached(self) -> list[float]:
        """How long each took that reached its high layer."""
        return [each.reached for each in self.switches if each.reached is not None]

    def __str__(self) -> str:
        return (
            f"{len(self.reached)} of {len(self.switches)} reached the high layer: {spread(self.reached)}; "
            f"longest gap around a switch: {spread([each.gap for each in self.switches])}; "
            f"media time back {sum(each.backwards for each in self.switches)} times, "
            f"streams begun anew {sum(each.streams for each in self.switches)}; {self.asked}; {load()}"
        )


@dataclass
class Squeezed:
    """A wall whose line became too narrow for it, and wide again."""

    alive: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    neither: list[dict[str, object]] = field(default_factory=list)
    spotlight_is_alive: bool = False
    back_seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"alive {len(self.alive)} (the spotlight {'too' if self.spotlight_is_alive else 'NOT'}), "
            f"paused {len(self.paused)}, neither {self.neither}; all back after {self.back_seconds:.1f} s; {load()}"
        )


def load() -> str:
    """How busy the machine was, for who reads the figures."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


async def settle(centre: Centre, camera: Camera, spotlit: str, seconds: float) -> None:
    """Wait until the spotlit tile decodes the high layer and all others the low one."""
    low, high = camera.sizes[0][0], camera.sizes[2][0]

    async def is_settled() -> bool:
        return all(tile["width"] == (high if tile["feed"] == spotlit else low) for tile in await centre.tiles())

    try:
        await until(is_settled, seconds)
    except AssertionError:
        shown = {tile["feed"]: (tile["phase"], tile["cause"], tile["width"]) for tile in await centre.tiles()}
        raise AssertionError(f"after {seconds} s: {shown}") from None


async def leave_alone(wall: FullWall, watch: PictureWatch, seconds: float) -> Still:
    """Watch for so long without touching anything."""
    since, wall_since, page_since = time.monotonic(), time.time(), await watch.now()
    await asyncio.sleep(seconds)  # the measured span itself
    gaps = await watch.longest_gaps(page_since)
    widths = Counter(int(tile["width"]) for tile in await watch.centre.tiles())
    words = {}
    for feed in (feed for feed, gap in gaps.items() if gap > LONG_MS):
        states = [each for each in await watch.states(feed) if each["at"] >= wall_since * 1000]
        words[feed] = [f"{each['at'] / 1000 - wall_since:.1f} s {each['phase']} {each['cause']}" for each in states]
    return Still(widths, list(gaps.values()), wall.asked(since, time.monotonic()), words)


async def switch(wall: FullWall, watch: PictureWatch, camera: Camera, count: int, seed: int) -> Switched:
    """Enlarge so many tiles, one after another."""
    since = time.monotonic()
    done = await watch.switches(count, camera.sizes[2][0], seed)
    return Switched(done, wall.asked(since, time.monotonic()))


async def squeeze(
    relay: Relay,
    watch: PictureWatch,
    spotlit: str,
    *,
    kbps: float,
    settle_seconds: float,
    patience_seconds: float,
    picture: str | None = None,
) -> Squeezed:
    """Make the page's line narrow until its tiles have settled, look, make it wide again, and see all come back.

    `picture` is where to put a picture of the page while the line is narrow.
    """
    found = Squeezed()
    count = len(await watch.centre.tiles())
    relay.to_client.line.impairment = Impairment(delay_seconds=0.02, rate_kbps=kbps)

    async def some_pause() -> bool:
        return any(tile["cause"] == PAUSED for tile in await watch.centre.tiles())

    await until(some_pause, patience_seconds)
    await asyncio.sleep(settle_seconds)  # what a page settles on is looked at, not the way there
    before = {tile["feed"]: tile["frames"] for tile in await watch.centre.tiles()}
    await asyncio.sleep(MOVING_SECONDS)
    for tile in await watch.centre.tiles():
        is_moving = tile["frames"] > before[tile["feed"]]
        if tile["cause"] == PAUSED:
            found.paused.append(tile["feed"])
        elif is_moving and tile["phase"] == "live":
            found.alive.append(tile["feed"])
        else:
            found.neither.append(tile)
    found.spotlight_is_alive = spotlit in found.alive
    if picture is not None:
        await watch.centre.page.screenshot(path=picture)
    relay.to_client.line.impairment = CLEAR
    released, frames = time.monotonic(), {tile["feed"]: tile["frames"] for tile in await watch.centre.tiles()}

    async def all_back() -> bool:
        tiles = await watch.centre.tiles()
        back = [tile for tile in tiles if tile["phase"] == "live" and tile["frames"] > frames[tile["feed"]] + 3]
        return len(back) == count

    await until(all_back, patience_seconds)
    found.back_seconds = time.monotonic() - released
    return found
