"""The assets panel in a real browser: answers told apart by word, shape and colour, and an order given."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.command_center.assets.conftest import Court, new_court
from tests.support.browser import Watched, sign_in
from tests.support.valkey import Valkey
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

LOOK = """(mark) => {
    const shape = getComputedStyle(mark, '::before');
    return [mark.textContent, shape.clipPath, shape.borderRadius, shape.borderTopWidth, getComputedStyle(mark).color];
}"""
WORDS = {
    "zh": {"nothing_found": "查无", "no_answer": "未答复", "failed": "查询失败", "answered": "查到 3 项"},
    "en": {"nothing_found": "Nothing found", "no_answer": "No answer yet", "failed": "Failed", "answered": "Found 3"},
}
SHOTS = os.environ.get("PANEL_SHOTS", "")
"""A folder for pictures of what the test sees, to be looked at by a person."""


@pytest_asyncio.fixture(name="court", loop_scope="module")
async def _court(tmp_path: Path, valkey: Valkey) -> AsyncIterator[Court]:
    """As elsewhere, but on the loop of the browser."""
    async with new_court(tmp_path, valkey.url) as court:
        yield court


@pytest_asyncio.fixture(name="page", loop_scope="module")
async def _page(browser: Browser, court: Court) -> AsyncIterator[Page]:
    """The centre, with the commander in front of it."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    await sign_in(page, court.web.url, "commander", court.web.world.passwords["commander"])
    await expect(page.locator(".assets-answers tbody tr")).to_have_count(4, timeout=20_000)
    yield page
    await context.close()


async def _shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png")


async def test_answers_differ_in_word_shape_and_colour(court: Court, page: Page) -> None:
    watched = Watched()
    watched.watch(page)
    asks = page.locator(".assets-answers tbody td:last-child button")
    for place in range(4):
        await asks.nth(place).click()
    for state in WORDS["zh"]:
        await expect(page.locator(f'.assets-answers [data-state="{state}"]').first).to_be_visible(timeout=20_000)
    await _told_apart(page, "zh")
    await _shot(page, "answers-zh")
    await page.click("#switch-language")
    await expect(page.locator(".assets-answers th").nth(1)).to_have_text("Bank", timeout=10_000)
    await _told_apart(page, "en")
    await _shot(page, "answers-en")
    assert watched.foreign == []
    assert [one for one in watched.errors if "assets" in one or "uncaught" in one] == []


async def _told_apart(page: Page, language: str) -> None:
    looks = {}
    for state, word in WORDS[language].items():
        mark = page.locator(f'.assets-answers [data-state="{state}"] .mark').first
        await expect(mark).to_have_text(word, timeout=10_000)
        looks[state] = await mark.evaluate(LOOK)
    words, shapes, colours = [], [], []
    for text, clip, radius, border, colour in looks.values():
        words.append(text)
        shapes.append((clip, radius, border))
        colours.append(colour)
    assert len(set(words)) == len(set(shapes)) == len(set(colours)) == len(looks), looks


async def test_no_figure_is_shown_before_anything_is_known(court: Court, page: Page) -> None:
    for name in ("controlled", "seized", "waiting"):
        await expect(page.locator(f"#assets-{name}")).to_have_text("—")
    why = await page.locator(".assets-figure.is-first").get_attribute("title")
    assert "尚不掌握" in (why or "")
    await page.locator(".assets-answers tbody tr").first.locator("td:last-child button").click()
    await expect(page.locator("#assets-controlled")).to_contain_text("0.0%", timeout=20_000)
    await expect(page.locator("#assets-seized")).to_have_text("0")


SPILT = """(panel) => {
    const room = panel.getBoundingClientRect();
    const seen = (one) => {
        const box = one.getBoundingClientRect();
        return box.width > 0 && box.left >= room.left
            && box.right <= room.right + 0.5 && box.bottom <= room.bottom + 0.5;
    };
    const side = (name) => [...panel.querySelectorAll(name)].filter((one) => one.scrollWidth > one.clientWidth);
    const left = panel.querySelector('.assets-left').getBoundingClientRect();
    return [
        ...[...panel.querySelectorAll('.assets-answers button, .ag-header-cell, .assets-figure')]
            .filter((one) => !seen(one)),
        ...[...panel.querySelectorAll('.assets-answers button')]
            .filter((one) => one.getBoundingClientRect().right > left.right),
        ...side('.assets-answers, .assets-answers button, .ag-center-cols-viewport,'
            + ' .ag-body-horizontal-scroll-viewport'),
    ].map((one) => `${one.className} ${one.textContent}`);
}"""
"""What is cut, lies outside or has to be scrolled to sideways."""


async def test_on_a_small_screen_everybody_can_be_queried_and_nothing_is_cut(court: Court, page: Page) -> None:
    panel = page.locator(".assets")
    for size in ((1366, 768), (1920, 1080)):
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        for language in ("zh", "en"):
            if await page.locator("html").get_attribute("lang") != language:
                await page.click("#switch-language")
                await expect(page.locator(".assets-answers th").nth(1)).to_have_text(
                    {"zh": "银行", "en": "Bank"}[language], timeout=10_000
                )
            asks = page.locator(".assets-answers tbody td:last-child button")
            await expect(asks).to_have_count(4)
            for place in range(4):
                await asks.nth(place).click()
            for state in WORDS[language]:
                await expect(page.locator(f'.assets-answers [data-state="{state}"]').first).to_be_visible(
                    timeout=20_000
                )
            for column in ("description", "state", "controlled"):
                await expect(page.locator(f'.ag-header-cell[col-id="{column}"]')).to_be_visible()
            await _shot(page, f"whole-{size[0]}-{language}")

            async def is_whole() -> bool:
                return await panel.evaluate(SPILT) == []

            try:
                await until(is_whole, 5)
            except (AssertionError, TimeoutError):
                pytest.fail(f"{size} {language}: {await panel.evaluate(SPILT)}")


async def test_a_freeze_is_ordered_and_its_state_comes_by_itself(court: Court, page: Page) -> None:
    await page.locator(".assets-answers tbody tr").first.locator("td:last-child button").click()
    for account, word in (("0008", "已控制"), ("1014", "轮候（第 1 位）")):
        row = page.locator(".assets-grid .ag-center-cols-container .ag-row", has_text=f"****{account}")
        await row.click(timeout=20_000)
        await page.locator("#assets-open:not([disabled])").click(timeout=10_000)
        await page.locator("#assets-order-amount").fill("50,000.00")
        await page.locator("#assets-order-confirm").click()
        await expect(page.locator("#assets-order-error")).to_have_text("没有裁定文号，不得采取控制措施。")
        assert [one for one in court.bank.ledger.controls() if one["reference"].endswith(account)] == []
        await page.locator("#assets-order-ruling").fill("(2026)内01执123号之一")
        await _shot(page, f"order-{account}")
        await page.locator("#assets-order-confirm").click()
        await expect(row.locator('[col-id="state"]')).to_have_text(word, timeout=20_000)
    await expect(page.locator("#assets-controlled")).to_contain_text("50,000.00")
    await expect(page.locator("#assets-waiting")).to_have_text("1")
    cells = page.locator('.assets-grid [col-id="state"].mark')
    looks = {look[0]: look for look in [await cell.evaluate(LOOK) for cell in await cells.all()]}
    frozen, waiting = looks["已控制"], looks["轮候（第 1 位）"]
    assert frozen[4] != waiting[4]
    assert frozen[1:4] != waiting[1:4]
    await _shot(page, "frozen")
    await page.set_viewport_size({"width": 1366, "height": 768})
    await expect(cells.first).to_be_in_viewport(ratio=0.5)
    await _shot(page, "frozen-small")


async def test_a_refresh_that_fails_marks_what_is_shown_as_old_until_one_succeeds(court: Court, page: Page) -> None:
    async def refuse(route: Route) -> None:
        if "assets-headline" in (route.request.post_data or ""):
            await route.fulfill(status=500, body="")
        else:
            await route.continue_()

    mark = page.locator("#assets-age")
    await expect(mark).to_be_hidden()
    # The page's idea of the server's clock may lag by the time that the snapshot took to come.
    await page.evaluate("const clock = Date.now; Date.now = () => clock() - 2_000;")
    await page.route("**/_dash-update-component*", refuse)
    await page.locator(".assets-answers tbody tr").first.locator("td:last-child button").click()
    await expect(mark.locator(".state-caution")).to_contain_text("未能刷新", timeout=30_000)
    await page.unroute("**/_dash-update-component*")
    await expect(mark).to_be_hidden(timeout=40_000)
    await expect(page.locator('.assets-answers [data-state="answered"]').first).to_be_visible()


async def test_who_may_only_look_gets_no_buttons(browser: Browser, court: Court) -> None:
    page = await browser.new_page()
    await sign_in(page, court.web.url, "supervisor", court.web.world.passwords["supervisor"])
    await expect(page.locator(".assets-answers tbody tr")).to_have_count(4, timeout=20_000)
    await expect(page.locator(".assets-answers button")).to_have_count(0)
    await expect(page.locator("#assets-open")).to_be_hidden()
    await page.context.close()
