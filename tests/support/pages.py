"""A page of a real web process in a real Chromium, as one person sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

from tests.support.browser import Watched, sign_in
from tests.support.web import RunningWeb

WIDE, NARROW = (1920, 1080), (1366, 768)
SLOW_MS = 30_000


@asynccontextmanager
async def page_as(
    browser: Browser,
    web: RunningWeb,
    username: str,
    path: str,
    shown: str = "main",
    *,
    script: str = "",
    size: tuple[int, int] = WIDE,
) -> AsyncIterator[Page]:
    """The page at `path` once it shows that selector; nothing of it may come from elsewhere or go uncaught.

    `script` runs in it before any of its own.
    """
    width, height = size
    context = await browser.new_context(viewport={"width": width, "height": height})
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


async def speak(page: Page, language: str) -> None:
    """Have whoever is signed in read this language from the next page on."""
    await page.evaluate(
        """async (language) => { const { ask } = await import("/static/net.js");
          await ask("PATCH", "/api/session", { language }); }""",
        language,
    )
