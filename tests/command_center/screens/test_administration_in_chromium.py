"""The administrators' pages in a real Chromium, on the real web process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from command_center.accounts.tables import User
from command_center.evidence.keyring import Keyring
from command_center.translations import LANGUAGES, translate
from streams.hub.topics import WORKER_KEY, WORKER_LIFE_SECONDS
from tests.support.browser import Watched
from tests.support.waiting import until
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SLOW_MS = 30_000
PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")


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


async def border_of(page: Page, selector: str) -> str:
    return str(await page.locator(selector).first.evaluate("(button) => getComputedStyle(button).borderTopColor"))


async def look(page: Page, name: str) -> None:
    """Take pictures in both sizes and languages, Chinese last, where they are asked for."""
    if not PICTURES:
        return
    for language in reversed(LANGUAGES):
        await page.evaluate(
            """async (language) => { const { ask } = await import("/static/net.js");
              await ask("PATCH", "/api/session", { language }); }""",
            language,
        )
        await page.reload()
        await page.wait_for_selector("main tbody tr", timeout=SLOW_MS)
        for width, height in ((1920, 1080), (1366, 768)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=Path(PICTURES) / f"{name}-{language}-{width}.png")


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


async def test_what_ends_something_looks_like_a_button_and_all_fields_stand_in_line(
    browser: Browser, web: RunningWeb
) -> None:
    async with signed_in(browser, web, "security") as (page, _):
        await page.wait_for_selector("#accounts tbody tr", timeout=SLOW_MS)
        await look(page, "accounts")
        assert await border_of(page, "#accounts tbody tr:first-child button") != "rgba(0, 0, 0, 0)"
        tops_and_heights = await page.evaluate(
            """() => [...document.querySelectorAll("#accounts form :is(input, select)")]
              .map((field) => field.getBoundingClientRect()).map(({ top, height }) => [top, height].join())"""
        )
        assert len(tops_and_heights) == 6
        # The form has room for one row or two; within one all stand alike.
        assert len(set(tops_and_heights)) == len({text.split(",")[0] for text in tops_and_heights}) <= 2


async def test_the_audit_administrator_reads_and_checks_the_chain(browser: Browser, web: RunningWeb) -> None:
    async with signed_in(browser, web, "audit") as (page, _):
        row = page.locator("#audit-log tbody tr", has=page.locator("td[title='session.began']")).first
        await row.wait_for(timeout=SLOW_MS)
        cells = row.locator("td")
        async with web.web.database.read() as session:
            auditor = await session.get_one(User, web.world.users["audit"])
        assert auditor.display_name in await cells.nth(2).inner_text()
        assert await cells.nth(2).get_attribute("title") == str(auditor.id)
        assert await cells.nth(3).inner_text() == translate("audit.action.session.began", "zh")
        assert translate("audit.detail.program", "zh") in await cells.nth(5).inner_text()
        check = "#audit-log .administration-row button"
        assert await border_of(page, check) != "rgba(0, 0, 0, 0)"
        await page.locator(check).first.click()
        await page.locator("#audit-log .state-normal").wait_for(timeout=SLOW_MS)
        await look(page, "audit")


async def test_a_supervisor_reads_what_each_review_was_for(browser: Browser, web: RunningWeb) -> None:
    supervisor = await web.signed_in("supervisor")
    body = {"operation_id": str(web.world.operation_id), "purpose": "complaint", "note": "当事人投诉开门过程"}
    assert (await supervisor.post("/api/reviews", json=body)).status_code == 201
    async with signed_in(browser, web, "supervisor") as (page, _):
        await page.locator(".shell-nav a[data-page='/audit']").click(timeout=SLOW_MS)
        row = page.locator("#audit-log tbody tr", has=page.locator("td[title='review.began']")).first
        await row.wait_for(timeout=SLOW_MS)
        assert "当事人投诉开门过程" in await row.locator("td").nth(5).inner_text()
        assert translate("purpose.complaint", "zh") in await row.inner_text()


async def test_the_audit_is_filtered_without_a_reload(browser: Browser, web: RunningWeb) -> None:
    await web.signed_in("supervisor")
    async with signed_in(browser, web, "audit") as (page, _):
        rows = page.locator("#audit-log tbody tr")
        await rows.first.wait_for(timeout=SLOW_MS)
        await page.evaluate("window.isStillHere = true")

        async def titles(column: int) -> set[str]:
            cells = page.locator(f"#audit-log tbody td:nth-child({column})")
            return set(await cells.evaluate_all("(cells) => cells.map((cell) => cell.title)"))

        async def only_sign_ins() -> bool:
            return await titles(4) == {"session.began"}

        async def only_the_supervisor() -> bool:
            return await titles(3) == {str(web.world.users["supervisor"])}

        async def nothing() -> bool:
            return await rows.count() == 0

        async def reads_again() -> bool:
            return "audit.read" in await titles(4)

        await page.select_option("#audit-log [name=action]", "session.began")
        await until(only_sign_ins, 20)
        await page.fill("#audit-log [name=actor]", "supervisor")
        await page.press("#audit-log [name=actor]", "Enter")
        await until(only_the_supervisor, 20)
        assert await only_sign_ins()
        await page.fill("#audit-log [name=subject]", "no such thing")
        await page.click("#audit-log button[type=submit]")
        await until(nothing, 20)
        assert await page.locator("#audit-log .administration-news").inner_text() == translate(
            "audit.filter.none", "zh"
        )
        await page.click("#audit-log button[type=reset]")
        await until(reads_again, 20)
        assert await page.evaluate("window.isStillHere")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_malformed_sign_in_is_told_as_wrong_credentials(
    browser: Browser, web: RunningWeb, language: str
) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{web.url}/sign-in?language={language}")
    assert await page.get_attribute("[name=username]", "maxlength") == "64"
    await page.evaluate("document.querySelector('[name=username]').removeAttribute('maxlength')")
    await page.fill("[name=username]", "n" * 200)
    await page.fill("[name=password]", "some password")
    await page.click("button[type=submit]")
    await page.get_by_text(translate("error.wrong-credentials", language)).wait_for(timeout=SLOW_MS)
    await context.close()


async def test_the_system_administrator_sees_which_parts_run(browser: Browser, web: RunningWeb) -> None:
    keyring = Keyring(web.web.settings.data, web.web.settings.keys)
    keyring.ensure()
    async with signed_in(browser, web, "system") as (page, _):
        await page.wait_for_selector("#system-parts tbody tr", timeout=SLOW_MS)
        marks = await page.locator("#system-parts tbody tr").all_inner_texts()
        assert len(marks) == 5
        assert await page.locator("#system-parts .state-critical").count() == 2, "neither media node nor worker runs"
        worker = page.locator("#system-parts tr", has_text="后台任务")
        await worker.locator(".state-critical", has_text="无响应").wait_for(timeout=SLOW_MS)
        assert await page.locator(".first-key code").inner_text() == keyring.listed()[0].fingerprint
        await web.web.hub.put(WORKER_KEY.format(name="one"), "1", life_seconds=WORKER_LIFE_SECONDS)
        await worker.locator(".state-normal").wait_for(timeout=SLOW_MS)
        await page.locator("#system-parts tr", has_text="证据链").locator(".state-critical").wait_for(timeout=SLOW_MS)
        await web.web.hub.put(WORKER_KEY.format(name="one"), "1", life_seconds=1)  # it renews it no more
        await worker.locator(".state-critical", has_text="无响应").wait_for(timeout=SLOW_MS)
