"""A page of a real web process in a real Chromium, as one person sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from tests.support.browser import Watched, sign_in
from tests.support.pictures import SLOW_MS
from tests.support.web import RunningWeb

SCREEN: Any = {"width": 1920, "height": 1080}


@asynccontextmanager
async def page_as(
    browser: Browser, web: RunningWeb, username: str, path: str, shown: str = "main", *, script: str = ""
) -> AsyncIterator[Page]:
    """The page at `path` once it shows that selector; nothing of it may come from elsewhere or go uncaught.

    `script` runs in it before any of its own.
    """
    context = await browser.new_context(viewport=SCREEN)
    try:
        page, watched = await context.new_page(), Watched()
        page.set_default_timeout(SLOW_MS)
        if script:
            await page.add_init_script(script)
        watched.watch(page)
        await sign_in(page, web.url, username, web.world.passwords[username], path)
        await page.wait_for_selector(shown)
        yield page
        assert watched.foreign == []
        assert [error for error in watched.errors if "uncaught" in error.lower()] == []
    finally:
        await context.close()
