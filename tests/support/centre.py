"""The commander's screen in a real browser, as a test reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page

from tests.support.browser import Watched, sign_in
from tests.support.installation import Installation
from tests.support.waiting import until

READ_TILES = """() => [...document.querySelectorAll('.tile')].map((tile) => {
    const video = tile.querySelector('video');
    const quality = video.getVideoPlaybackQuality?.();
    return {feed: tile.dataset.feed, phase: tile.dataset.phase, cause: tile.dataset.cause,
            site: tile.querySelector('.tile-site').textContent,
            officer: tile.querySelector('.tile-officer').textContent,
            words: tile.getAttribute('aria-label'), time: video.currentTime, frames: quality?.totalVideoFrames ?? 0,
            width: video.videoWidth, height: video.videoHeight};
})"""
READ_MARKERS = """() => [...mapFrame.markers].map(([feed, marker]) => ({
    feed, latitude: marker.place.lat, longitude: marker.place.lng, trail: marker.points.length,
}))"""


@dataclass
class Centre:
    """One page of the centre, signed in."""

    page: Page
    watched: Watched

    async def tiles(self) -> list[dict[str, Any]]:
        """What every tile shows now."""
        tiles: list[dict[str, Any]] = await self.page.evaluate(READ_TILES)
        return tiles

    async def tile(self, part_of_feed: str) -> dict[str, Any] | None:
        """The tile whose feed's name holds this text."""
        return next((tile for tile in await self.tiles() if part_of_feed in tile["feed"]), None)

    async def markers(self) -> list[dict[str, Any]]:
        """Where the map draws each officer."""
        frame = next(frame for frame in self.page.frames if "/map/centre" in frame.url)
        markers: list[dict[str, Any]] = await frame.evaluate(READ_MARKERS)
        return markers

    async def playing(self, count: int, seconds: float = 20.0) -> list[dict[str, Any]]:
        """Wait until `count` tiles are live and their pictures move."""

        async def all_play() -> list[dict[str, Any]] | None:
            tiles = await self.tiles()
            live = [tile for tile in tiles if tile["phase"] == "live" and tile["frames"] > 5]
            return live if len(live) >= count else None

        found = await until(all_play, seconds)
        assert found
        return found


async def open_centre(
    browser: Browser,
    stack: Installation,
    *,
    username: str = "commander",
    script: str = "",
    size: tuple[int, int] = (1920, 1080),
    locale: str = "zh-CN",
) -> Centre:
    """Sign in and open the five-site operation; `script` runs in its pages before their own."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale)
    if script:
        await context.add_init_script(script)
    page = await context.new_page()
    watched = Watched()
    watched.watch(page)
    account = next(each for each in stack.accounts("commander") if each["username"] == username)
    await sign_in(page, stack.url, account["username"], account["password"])
    return Centre(page, watched)
