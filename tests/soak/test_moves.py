"""Changed addresses and ICE restarts of a phone and of a screen in Chromium: how soon there are pictures again."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.browser import chromium
from tests.support.centre import open_centre
from tests.support.full_wall import full_wall
from tests.support.phone import Phone, open_phone
from tests.support.picture_watch import PictureWatch
from tests.support.waiting import until
from tests.support.wall_runs import load, percentile, spread
from tests.support.watched_relay import WatchedRelay, watched_relay

MOVES = int(os.environ.get("SOAK_MOVES", "200"))
RESTARTS = int(os.environ.get("SOAK_RESTARTS", "100"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
AGAIN_MS = 500
MOVED_MS = 3500
RESTARTED_MS = 2000
STUCK_SECONDS = 20.0
LIVE_SECONDS = 60.0

KEEP_CONNECTIONS = """(() => {
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) { super(...options); window.connections.push(this); }
    };
})()"""
RESTART = """() => {
    const [peer] = window.connections.filter((each) => each.connectionState === 'connected').slice(-1);
    peer.dispatchEvent(new Event('wall-test'));
    window.restartedPeer = peer;
    window.fragmentBefore = /a=ice-ufrag:(\\S+)/.exec(peer.remoteDescription.sdp)[1];
    peer.restartIce();
}"""

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Pair:
    """A phone that publishes and a screen that shows it, each behind a relay of its own."""

    phone: Phone
    screen: Page
    watch: PictureWatch
    feed: str
    of_phone: WatchedRelay
    of_screen: WatchedRelay

    async def picture_after(self, moment: float) -> float | None:
        """When the first picture after `moment` was shown (both Unix seconds); None: it is stuck."""
        found: list[float] = []

        async def shown() -> bool:
            at = await self.watch.first_frame(self.feed, moment)
            found.extend([at] if at is not None else [])
            return at is not None

        try:
            await until(shown, STUCK_SECONDS)
        except AssertionError:
            return None
        return found[0]


@asynccontextmanager
async def live_pair(folder: Path) -> AsyncIterator[Pair]:
    """Both, with the picture moving."""
    async with (
        full_wall(folder) as wall,
        watched_relay(wall.media_port) as of_phone,
        watched_relay(wall.media_port) as of_screen,
        chromium() as screens,
        chromium(fake_camera=True) as phones,
    ):
        centre = await open_centre(screens, wall, script=f"{KEEP_CONNECTIONS};{of_screen.script}", size=(1280, 720))
        phone = await open_phone(phones, wall, relay=of_phone, script=KEEP_CONNECTIONS)
        await phone.go_live()
        (tile,) = await centre.playing(1, LIVE_SECONDS)
        watch = PictureWatch(centre)
        await watch.begin()
        yield Pair(phone, centre.page, watch, str(tile["feed"]), of_phone, of_screen)


async def move_often(pair: Pair, count: int, seed: int) -> tuple[list[float], list[float], int]:
    """Move the phone or the screen so many times; milliseconds since the check and the move, and how many stuck."""
    draw = random.Random(seed)
    since_check: list[float] = []
    since_move: list[float] = []
    stuck = 0
    for number in range(count):
        relay, whose = draw.choice([(pair.of_phone, "phone"), (pair.of_screen, "screen")])
        await asyncio.sleep(draw.uniform(0.5, 3.0))  # anywhere between two checks of the browser
        moved = time.time()
        relay.move()
        try:
            await until(lambda relay=relay: relay.checked_at, STUCK_SECONDS)
        except AssertionError:
            stuck += 1
            continue
        checked = relay.checked_at or moved
        shown = await pair.picture_after(checked)
        if shown is None:
            stuck += 1
            continue
        since_check.append((shown - checked) * 1000)
        since_move.append((shown - moved) * 1000)
        print(f"move {number + 1} of {count} ({whose}): {since_check[-1]:.0f} ms after the check, {since_move[-1]:.0f}")
    return since_check, since_move, stuck


async def test_a_moved_phone_or_screen_has_pictures_again_at_the_first_check(tmp_path: Path) -> None:
    async with live_pair(tmp_path) as pair:
        since_check, since_move, stuck = await move_often(pair, MOVES, SEED)
        print(f"since the check: {spread(since_check)}; since the move: {spread(since_move)}; stuck {stuck}; {load()}")
        assert stuck == 0
        assert percentile(since_check, 0.95) <= AGAIN_MS
        assert percentile(since_move, 0.95) <= MOVED_MS
