"""Network cut, camera taken, officer stopped, node killed, twenty times each: the tile soon says why, and rightly."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import chromium
from tests.support.centre import Centre, open_centre
from tests.support.phone import Phone, open_phone
from tests.support.picture_watch import PictureWatch
from tests.support.stack import Stack
from tests.support.waiting import until
from tests.support.wall_runs import load

CASES = int(os.environ.get("SOAK_CASES", "20"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
STALE_SECONDS = 2.0
LOST_SECONDS = 5.0
BACK_SECONDS = 60.0
PHONE = ".officer6.phone-causes."

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Place:
    """The demonstration with a phone, its tile, and the words of all tiles as they change."""

    stack: Stack
    centre: Centre
    phone: Phone
    watch: PictureWatch
    feed: str

    async def is_live(self) -> bool:
        """Whether the phone's tile is live and moves."""
        tile = await self.centre.tile(PHONE)
        return tile is not None and tile["phase"] == "live" and tile["frames"] > 3


@dataclass(frozen=True, slots=True)
class Said:
    """What a tile said after its picture ended: seconds since then, None for never."""

    stale: float | None
    lost: float | None
    cause: float | None
    """When it first named the right cause."""
    others: tuple[str, ...]
    """Other causes that it named in between."""


def read(states: list[dict[str, Any]], ended: float, causes: set[str]) -> Said:
    """Make sense of a tile's changes since `ended` (Unix seconds)."""
    since = [(each["at"] / 1000 - ended, each["phase"], each["cause"]) for each in states if each["at"] / 1000 > ended]
    return Said(
        next((after for after, phase, _ in since if phase != "live"), None),
        next((after for after, phase, _ in since if phase in {"lost", "ended"}), None),
        next((after for after, _, cause in since if cause in causes), None),
        tuple(dict.fromkeys(cause for _, _, cause in since if cause and cause not in causes)),
    )


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Five sites and a live phone."""
    stack = Stack(folder / "var")
    stack.start()
    try:
        async with chromium() as screens, chromium(fake_camera=True) as phones:
            centre = await open_centre(screens, stack, size=(1280, 720))
            await centre.playing(5, BACK_SECONDS)
            phone = await open_phone(phones, stack, can_be_cut=True, device="phone-causes")
            await phone.go_live()
            tiles = await centre.playing(6, BACK_SECONDS)
            watch = PictureWatch(centre)
            await watch.begin()
            feed = next(str(tile["feed"]) for tile in tiles if PHONE in tile["feed"])
            yield Place(stack, centre, phone, watch, feed)
    finally:
        stack.end()


async def _network(here: Place) -> Callable[[], Awaitable[None]]:
    await here.phone.cut_network()
    return here.phone.mend_network


async def _camera(here: Place) -> Callable[[], Awaitable[None]]:
    await here.phone.take_camera_away()

    async def back() -> None:
        await here.phone.give_camera_back()
        if await here.phone.page.locator("#restore").is_visible():
            await here.phone.page.click("#restore")

    return back


async def _officer(here: Place) -> Callable[[], Awaitable[None]]:
    await here.phone.stop()

    async def back() -> None:
        await here.phone.page.click("#resume")

    return back


async def _node(here: Place) -> Callable[[], Awaitable[None]]:
    os.kill(here.stack.pid("streams"), signal.SIGKILL)

    async def back() -> None:
        """The launcher starts it again."""

    return back


KINDS = {
    "network": (_network, {"network"}),
    "camera": (_camera, {"camera"}),
    "officer": (_officer, {"officer"}),
    "node": (_node, {"node", "node-back"}),
}


async def case(here: Place, kind: str) -> Said:
    """One of a kind: it happens, is looked at for as long as may pass, and is undone."""
    happen, causes = KINDS[kind]
    ended = time.time()
    undo = await happen(here)
    await until(lambda: time.time() > ended + LOST_SECONDS + 1.0, LOST_SECONDS + 5.0)
    said = read(await here.watch.states(here.feed), ended, causes)
    await undo()
    await until(here.is_live, BACK_SECONDS)
    return said


@pytest.mark.parametrize("kind", list(KINDS))
async def test_the_tile_says_soon_and_rightly_why_it_stands_still(tmp_path: Path, kind: str) -> None:
    draw = random.Random(SEED)
    done: list[Said] = []
    async with place(tmp_path) as here:
        for number in range(CASES):
            await asyncio.sleep(draw.uniform(1.0, 3.0))
            done.append(await case(here, kind))
            print(f"{kind} {number + 1} of {CASES}: {done[-1]}; {load()}", flush=True)
    assert all(said.stale is not None and said.stale <= STALE_SECONDS for said in done)
    assert all(said.cause is not None and said.cause <= LOST_SECONDS for said in done)
    if kind == "network":
        assert all(said.lost is not None and said.lost <= LOST_SECONDS for said in done)
