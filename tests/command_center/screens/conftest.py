"""The centre's page in a real Chromium, with a played centre behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.browser import Watched
from tests.support.played_centre import PlayedCentre, played_centre
from tests.support.waiting import until

SCREEN: Any = {"width": 1920, "height": 1080}
SLOW = 30.0
"""Two cores that others use as well."""


@pytest_asyncio.fixture(loop_scope="module")
async def centre() -> AsyncIterator[PlayedCentre]:
    async with played_centre() as centre:
        yield centre


@asynccontextmanager
async def opened(browser: Browser, centre: PlayedCentre, viewport: Any = SCREEN) -> AsyncIterator[tuple[Page, Watched]]:
    """The centre's page, once its socket stands (or nothing is there to watch)."""
    page = await browser.new_page(viewport=viewport)
    watched = Watched()
    watched.watch(page)
    await page.goto(centre.url)
    await page.wait_for_selector("#wall > .blank", state="attached", timeout=SLOW * 1000)
    if centre.has_operation:
        await until(lambda: centre.sockets, SLOW)
    await (
        page.frame_locator("#map-frame")
        .locator(".map-district span")
        .first.wait_for(state="attached", timeout=SLOW * 1000)
    )
    try:
        yield page, watched
    finally:
        await page.close()
