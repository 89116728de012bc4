"""Pictures of pages for a person to look at, taken where COMMAND_CENTER_TEST_PICTURES names a folder."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Page

from command_center.translations import LANGUAGES
from tests.support.pages import NARROW, SLOW_MS, WIDE, speak

_FOLDER = os.environ.get("COMMAND_CENTER_TEST_PICTURES", "")


async def look(page: Page, name: str) -> None:
    """The page as it stands, in both sizes; it is left wide."""
    if not _FOLDER:
        return
    for width, height in (NARROW, WIDE):
        await page.set_viewport_size({"width": width, "height": height})
        await _take(page, f"{name}-{width}")


async def look_as_it_is(page: Page, name: str) -> None:
    """The page in the size that it has."""
    if _FOLDER:
        await _take(page, name)


async def look_in_each_language(page: Page, name: str, *shown: str, address: str = "") -> None:
    """The page, or the one at `address`, in both sizes and languages, Chinese last; it has to show these selectors."""
    if not _FOLDER:
        return
    for language in reversed(LANGUAGES):
        await speak(page, language)
        await page.goto(address or page.url)
        for selector in shown:
            await page.wait_for_selector(selector, timeout=SLOW_MS)
        await look(page, f"{name}-{language}")


async def _take(page: Page, name: str) -> None:
    await page.screenshot(path=Path(_FOLDER) / f"{name}.png")
