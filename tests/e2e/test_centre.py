"""The centre with the five-site demonstration, in a real browser at 1920x1080."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import sign_in
from tests.support.centre import Centre, open_centre
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="package")]

SITES = 5


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def centre(stack: Stack, started_browser: Browser) -> AsyncIterator[Centre]:
    """The screen of one commander, opened once; each test leaves it signed in, in Chinese, with no tile enlarged."""
    centre = await open_centre(started_browser, stack)
    yield centre
    await centre.page.context.close()


async def _shows_everything(centre: Centre) -> None:
    before = {tile["feed"]: tile for tile in await centre.playing(SITES)}

    async def all_advance() -> bool:
        tiles = await centre.tiles()
        return all(tile["time"] > before[tile["feed"]]["time"] + 1 for tile in tiles if tile["feed"] in before)

    await until(all_advance, 10)

    async def all_placed() -> bool:
        return len([marker for marker in await centre.markers() if marker["trail"] > 1]) >= SITES

    await until(all_placed, 15)
    first = {marker["feed"]: marker for marker in await centre.markers()}

    async def all_move() -> bool:
        return all(
            (marker["latitude"], marker["longitude"])
            != (first[marker["feed"]]["latitude"], first[marker["feed"]]["longitude"])
            and marker["trail"] > first[marker["feed"]]["trail"]
            for marker in await centre.markers()
        )

    await until(all_move, 15)


async def _switch(centre: Centre, language: str) -> None:
    async with centre.page.expect_navigation():
        await centre.page.get_by_role("button", name=language).click()
    await centre.page.wait_for_selector(".tile")


async def test_five_sites_play_and_move_on_one_screen_in_chinese_and_in_english(centre: Centre) -> None:
    await _shows_everything(centre)
    chinese = await centre.page.inner_text("body")
    assert "现场画面" in chinese
    assert "演示" in chinese

    await _switch(centre, "English")
    await _shows_everything(centre)
    english = await centre.page.inner_text("body")
    assert "demonstration" in english.lower()
    assert "现场画面" not in english

    await _switch(centre, "中文")
    assert "现场画面" in await centre.page.inner_text("body")
    assert centre.watched.errors == []
    assert centre.watched.foreign == []


async def test_the_screen_fits_without_scrolling(centre: Centre) -> None:
    await centre.playing(SITES)
    overflow = await centre.page.evaluate(
        "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]"
    )
    assert max(overflow) <= 0


async def test_an_enlarged_tile_keeps_playing_beside_the_others(centre: Centre) -> None:
    await centre.playing(SITES)
    await centre.page.keyboard.press("2")
    await centre.page.keyboard.press("Enter")
    await centre.page.wait_for_selector(".tile.is-spotlit")
    await centre.playing(SITES)
    spotlit = await centre.page.locator(".tile.is-spotlit video").bounding_box()
    other = await centre.page.locator(".tile:not(.is-spotlit) video").first.bounding_box()
    assert spotlit is not None
    assert other is not None
    assert spotlit["width"] > 2 * other["width"]
    await centre.page.keyboard.press("Escape")
    await centre.page.wait_for_selector(".tile.is-spotlit", state="detached")


async def test_what_each_picture_measures_is_shown_on_request(centre: Centre) -> None:
    await centre.playing(SITES)
    shown = centre.page.locator(".tile-figures:visible")
    assert await shown.count() == 0
    await centre.page.keyboard.press("d")

    async def all_are_told() -> bool:
        told = await shown.all_inner_texts()
        return len(told) == SITES and all(
            re.search(r"\d+×\d+\s·\s1\d\s帧/秒\s·\s0\.\d+\sMbit/s\s·\s丢包\s0\.0%", each) for each in told
        )

    await until(all_are_told, 10)
    await centre.page.keyboard.press("d")
    assert await shown.count() == 0


async def test_signing_out_ends_the_pictures_at_once(stack: Stack, centre: Centre) -> None:
    await centre.playing(SITES)
    token = next(each for each in await centre.page.context.cookies() if each["name"] == "_csrf_token")
    answer = await centre.page.context.request.delete(
        f"{stack.url}/api/session", headers={"X-CSRFToken": token["value"], "Origin": stack.url}
    )
    assert answer.status == 204
    await until(lambda: "/sign-in" in centre.page.url, 3)
    account = stack.accounts("commander")[0]
    await sign_in(centre.page, stack.url, account["username"], account["password"])
