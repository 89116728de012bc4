"""The administrators' pages in a real Chromium, on the real web process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from streams.hub.topics import WORKER_KEY, WORKER_LIFE_SECONDS
from tests.support.browser import Watched, chromium
from tests.support.waiting import until
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SLOW_MS = 30_000
PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def signed_in(browser: Browser, web: RunningWeb, username: str) -> AsyncIterator[tuple[Page, Watched]]:
    """The person's own first page, reached by the sign-in form."""
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    page = await context.new_page()
    watched = Watched()
    watched.watch(page)
    await page.goto(f"{web.url}/")
    await page.fill("[name=username]", username)
    await page.fill("[name=password]", web.world.passwords[username])
    await page.click("button[type=submit]")
    try:
        yield page, watched
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"{username}.png")
        assert watched.errors == []
        assert watched.foreign == []
    finally:
        await context.close()


async def test_the_security_administrator_makes_an_account_and_shuts_one_out(browser: Browser, web: RunningWeb) -> None:
    officer = await web.signed_in("officer5")
    async with signed_in(browser, web, "security") as (page, _):
        await page.wait_for_selector("#accounts tbody tr", timeout=SLOW_MS)
        page.on("dialog", lambda dialog: dialog.accept())
        row = page.locator("#accounts tbody tr", has_text="officer5")
        await row.get_by_role("button").nth(0).click()
        sessions = row.locator("td").nth(4)

        async def are_ended() -> bool:
            return await sessions.inner_text() == "0"

        await until(are_ended, 30)
        assert (await officer.get("/api/session")).status_code == 401
        await page.fill("#accounts [name=username]", "new-officer")
        await page.fill("#accounts [name=password]", "a good long password")
        await page.select_option("#accounts [name=role]", "officer")
        await page.click("#accounts button[type=submit]")
        await page.locator("#accounts tbody tr", has_text="new-officer").wait_for(timeout=SLOW_MS)
    body = {"username": "new-officer", "password": "a good long password"}
    assert (await web.client().post("/api/session", json=body)).status_code == 200


async def test_the_audit_administrator_reads_and_checks_the_chain(browser: Browser, web: RunningWeb) -> None:
    async with signed_in(browser, web, "audit") as (page, _):
        await page.locator("#audit-log tbody tr", has_text="session.began").first.wait_for(timeout=SLOW_MS)
        await page.locator("#audit-log .administration-row button").first.click()
        await page.locator("#audit-log .state-normal").wait_for(timeout=SLOW_MS)


async def test_the_system_administrator_sees_which_parts_run(browser: Browser, web: RunningWeb) -> None:
    async with signed_in(browser, web, "system") as (page, _):
        await page.wait_for_selector("#system-parts tbody tr", timeout=SLOW_MS)
        marks = await page.locator("#system-parts tbody tr").all_inner_texts()
        assert len(marks) == 5
        assert await page.locator("#system-parts .state-critical").count() == 2, "neither media node nor worker runs"
        worker = page.locator("#system-parts tr", has_text="后台任务")
        await worker.locator(".state-critical", has_text="无响应").wait_for(timeout=SLOW_MS)
        await web.web.hub.put(WORKER_KEY.format(name="one"), "1", life_seconds=WORKER_LIFE_SECONDS)
        await worker.locator(".state-normal").wait_for(timeout=SLOW_MS)
        await worker.locator(".state-critical", has_text="无响应").wait_for(timeout=SLOW_MS)
