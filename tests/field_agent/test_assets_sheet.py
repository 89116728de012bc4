"""The officer's sheet of assets in a real Chromium, on a real web process with simulated gateways behind it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from assets.errors import BadFormat
from assets.proposed_things import checked_reference
from assets.terms import AssetKind
from command_center.api.asset_duty_views import OUTCOMES, Outcome
from tests.command_center.assets.conftest import Court, new_court
from tests.field_agent.test_page import TOO_SMALL, TOO_WIDE
from tests.support.browser import Watched, chromium
from tests.support.valkey import Valkey
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")
SLOW_MS = 30_000
OFFICER = "officer1"
LOOK = """(mark) => { const shape = getComputedStyle(mark, '::before');
    return [shape.clipPath, shape.borderRadius, shape.borderTopWidth, getComputedStyle(mark).color].join(); }"""
WORDS = {
    "zh": {"found": "查到 5 项", "nothing_found": "查无 1 家", "failed": "查询失败 1 家", "no_answer": "未答复 1 家"},
    "en": {
        "found": "Found 5",
        "nothing_found": "Nothing at 1",
        "failed": "Failed at 1",
        "no_answer": "No answer from 1",
    },
}
NUMBERS = (
    ("movable", "蒙a·2 3456"),
    ("movable", "蒙Ａ２３４５６"),
    ("movable", "京A12345"),
    ("movable", "1m8gdm9axkp042788"),
    ("movable", "1M8GDM9AXKP042789"),
    ("movable", ""),
    ("real_estate", "150105001002GB00014F00310202"),
    ("real_estate", "150105001002GB00014F0031020"),
    ("bank_account", "6217 0000 6000 0000 008"),
    ("bank_account", "6217000060000000009"),
    ("bank_account", "0602 0208-0920 0012345"),
    ("bank_account", "1234567"),
    ("other_right", "股" * 65),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(name="court", loop_scope="module")
async def _court(tmp_path: Path, valkey: Valkey) -> AsyncIterator[Court]:
    async with new_court(tmp_path, valkey.url) as court:
        yield court


@asynccontextmanager
async def phone(browser: Browser, court: Court) -> AsyncIterator[Page]:
    """An officer's phone, at the site, with the sheet open. No camera is needed for it."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    watched = Watched()
    context.on("page", watched.watch)
    page = await context.new_page()
    await page.goto(f"{court.web.url}/field")
    await enter(page, court)
    try:
        yield page
        assert [error for error in watched.errors if "uncaught" in error] == []
        assert watched.foreign == []
    finally:
        await context.close()


async def enter(page: Page, court: Court) -> None:
    await page.fill("#username", OFFICER)
    await page.fill("#password", court.web.world.passwords[OFFICER])
    await page.click("#sign-in")
    await page.click("[data-site-ordinal='1']")
    await page.click("#view-ready .open-assets")


async def use(page: Page, language: str) -> None:
    """Read it in this language; the button for it stands in another sheet."""
    await page.evaluate("async (wanted) => (await import('/field/words.js')).useLanguage(wanted)", language)


async def fits(page: Page, name: str) -> None:
    assert await page.evaluate(TOO_WIDE) == [], name
    assert await page.evaluate(TOO_SMALL) == [], name
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390, name
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"field-{name}.png")


def subject(page: Page, id_end: str) -> Any:
    return page.locator(".subject", has_text=id_end)


async def proposals(court: Court, show: str = "open") -> list[dict[str, Any]]:
    answer = await court.judge.get(f"/api/assets/proposals?show={show}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def find(page: Page, plate: str) -> None:
    """Propose to impound a car."""
    await page.click("#assets-foot button")
    await page.fill("#propose-number", plate)
    await page.click("#propose-send")


async def test_five_answers_have_five_looks_in_both_languages(browser: Browser, court: Court) -> None:
    async with phone(browser, court) as page:
        await page.wait_for_selector(".subject")
        await fits(page, "empty-zh")
        for id_end in ("0018", "1021", "2038"):
            await subject(page, id_end).locator(".query").click()
        looks = {"asking": await subject(page, "1021").locator("[data-look=off]").first.evaluate(LOOK)}
        for language, words in WORDS.items():
            await use(page, language)
            for look, word in words.items():
                mark = page.locator(f".subject [data-look={OUTCOMES[Outcome(look)]}]").first
                await expect(mark).to_have_text(word, timeout=SLOW_MS)
                looks[look] = await mark.evaluate(LOOK)
            await fits(page, f"answers-{language}")
            if PICTURES:
                await page.locator(".thing").last.scroll_into_view_if_needed()
                await page.screenshot(path=Path(PICTURES) / f"field-things-{language}.png")
        assert len(set(looks.values())) == 5
        await expect(page.locator(".thing [data-look]").first).to_be_visible()


async def test_a_proposal_made_without_network_is_kept_sent_once_and_decided(browser: Browser, court: Court) -> None:
    lost: list[int] = []

    async def loses(route: Route) -> None:
        """The centre has it, and the phone never hears so."""
        answer = await route.fetch()
        lost.append(answer.status)
        await route.abort()

    async with phone(browser, court) as page:
        await page.wait_for_selector(".subject")
        await page.context.set_offline(True)
        await page.click("#assets-foot button")
        await page.fill("#propose-number", "蒙A1")
        await page.click("#propose-send")
        await expect(page.locator("#propose-number-trouble")).to_be_visible()
        await fits(page, "propose-zh")
        await page.fill("#propose-number", "蒙A 88888")
        await page.fill("#propose-description", "门前黑色轿车")
        await page.click("#propose-phrases .option >> nth=0")
        await page.click("#propose-send")
        kept = page.locator(".proposal[data-state=kept]")
        await expect(kept.locator("[data-look=unsent]")).to_have_text("已保存，尚未发送")
        await fits(page, "kept-zh")
        await page.context.route("**/api/assets/mine/proposals", loses, times=1)
        await page.context.set_offline(False)
        await until(lambda: lost == [201], 15)
        waiting = page.locator(".proposal[data-state=open]")
        await expect(waiting).to_have_count(1, timeout=SLOW_MS)
        await expect(kept).to_have_count(0)
        (made,) = await proposals(court)
        assert (made["reference"], made["description"], made["officer"]) == ("蒙A88888", "门前黑色轿车", "巴特尔")
        assert made["words"] == "正在转移，请尽快控制。"
        body = {"reason": "车辆登记在他人名下"}
        assert (await court.judge.post(f"/api/assets/proposals/{made['id']}/decline", json=body)).status_code == 200
        declined = page.locator(".proposal[data-state=declined]")
        await expect(declined.locator(".reason-given")).to_have_text("理由：车辆登记在他人名下", timeout=SLOW_MS)
        await fits(page, "declined-zh")
        # The same once more is a second proposal; withdrawn by the officer.
        await find(page, "蒙A88888")
        await waiting.locator("button").click(timeout=SLOW_MS)
        await expect(page.locator(".proposal[data-state=withdrawn]")).to_have_count(1, timeout=SLOW_MS)
        assert await proposals(court) == []


async def test_a_proposal_of_a_known_account_is_taken_up_by_the_judges_order(browser: Browser, court: Court) -> None:
    async with phone(browser, court) as page:
        await subject(page, "0018").locator(".query").click()
        account = page.locator(".thing", has_text="****0008")
        await account.locator(".propose").click(timeout=SLOW_MS)
        await page.fill("#propose-amount", "0.001")
        await page.click("#propose-send")
        await expect(page.locator("#propose-amount-trouble")).to_be_visible()
        await page.fill("#propose-amount", "50,000")
        await fits(page, "propose-known-zh")
        await page.click("#propose-send")
        await expect(page.locator(".proposal[data-state=open]")).to_have_count(1, timeout=SLOW_MS)
        await expect(account.locator(".propose")).to_have_count(0)
        (made,) = await proposals(court)
        order = await court.judge.post(
            "/api/assets/freezes",
            json={
                "asset_id": made["asset_id"],
                "amount_cents": made["amount_cents"],
                "ruling_number": "（2026）内01执123号之一",
                "idempotency_key": made["id"],
            },
        )
        (waiting,) = await proposals(court)
        assert waiting["standing_request_id"] == order.json()["id"]
        body = {"request_id": order.json()["id"]}
        assert (await court.judge.post(f"/api/assets/proposals/{made['id']}/take-up", json=body)).status_code == 200
        await expect(page.locator(".proposal[data-state=taken_up]")).to_have_count(1, timeout=SLOW_MS)
        await expect(account).to_have_attribute("data-standing", "controlled", timeout=SLOW_MS)
        await fits(page, "taken-up-zh")


async def test_what_was_not_sent_outlives_the_sign_out_and_nothing_else_does(browser: Browser, court: Court) -> None:
    async with phone(browser, court) as page:
        await page.wait_for_selector(".subject")
        await page.context.route("**/api/assets/mine/proposals", lambda route: route.abort())
        await find(page, "蒙A77777")
        await page.wait_for_selector(".proposal[data-state=kept]")
        left = """() => new Promise((resolve) => {
            const opening = indexedDB.open('field');
            opening.onsuccess = () => {
                const all = opening.result.transaction('values').objectStore('values').getAllKeys();
                all.onsuccess = () => { opening.result.close(); resolve(all.result); };
            };
        })"""
        await page.evaluate("fetch('/api/session').then((answer) => answer.json())")
        await court.web.web.accounts.end_sessions(None, court.web.world.users[OFFICER])
        await page.wait_for_selector("#username:visible", timeout=SLOW_MS)
        assert await page.evaluate(left) == ["unsent-proposals"]
        await page.context.unroute("**/api/assets/mine/proposals")
        await enter(page, court)
        await expect(page.locator(".proposal[data-state=open]")).to_have_count(1, timeout=SLOW_MS)
        assert [one["reference"] for one in await proposals(court)] == ["蒙A77777"]


async def test_the_phone_takes_the_numbers_that_the_centre_takes(browser: Browser, court: Court) -> None:
    def takes(kind: str, text: str) -> bool:
        try:
            checked_reference(AssetKind(kind), text)
        except BadFormat:
            return False
        return True

    page = await browser.new_page()
    await page.goto(f"{court.web.url}/field")
    script = "async ([name, all]) => { const of = (await import('/field/numbers.js'))[name]; return all.map(%s); }"
    are = script % "(one) => of(...one)"
    assert await page.evaluate(are, ["isNumberOf", NUMBERS]) == [takes(*one) for one in NUMBERS]
    written = ["1,234.5", "０.01", "", "0", "-1", "1.234", "12e3", "9" * 15]
    cents = await page.evaluate(script % "(one) => String(of(one))", ["centsOf", written])
    assert cents == ["123450", "1", "null", "NaN", "NaN", "NaN", "NaN", "NaN"]
    await page.close()
