"""The judge's asset page in a real Chromium: from the query to the renewal, and what is said where nothing is known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from command_center import asset_desk
from command_center.translations import translate
from tests.command_center.assets.conftest import Court, new_court
from tests.support.pages import page_as
from tests.support.pictures import look
from tests.support.valkey import Valkey

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SLOW_MS = 30_000
RULING = "（2026）内01执123号之一"
MOST_CLICKS = 8
COUNT_CLICKS = """() => {
  const count = () => Number(sessionStorage.getItem("clicks") ?? 0);
  addEventListener("click", (event) => event.isTrusted && sessionStorage.setItem("clicks", count() + 1), true);
}"""


class Clock:
    """The court's clock, which the test moves on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="court")
async def _court(tmp_path_factory: pytest.TempPathFactory, shared_valkey: Valkey, clock: Clock) -> AsyncIterator[Court]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asset_desk, "now", clock)
        async with new_court(tmp_path_factory.mktemp("court"), shared_valkey.url) as court:
            yield court


def assets_of(browser: Browser, court: Court, username: str) -> AbstractAsyncContextManager[Page]:
    """The page as this person sees it, with a count of what is pressed."""
    return page_as(browser, court.web, username, "/assets", ".asset-figures", script=f"({COUNT_CLICKS})()")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="page")
async def _page(browser: Browser, court: Court) -> AsyncIterator[Page]:
    """The judge's page, on which one test goes on where the one before it left."""
    async with assets_of(browser, court, "judge") as page:
        yield page


def row(page: Page, reference: str):
    return page.locator(".asset-table tbody tr", has_text=reference)


async def measure_in(court: Court) -> str:
    """The one measure in force, as the table of terms links to it."""
    case = (await court.case())["head"]["id"]
    found = await court.judge.get("/api/assets/search", params={"case_id": case, "standing": "controlled"})
    (only,) = found.json()["items"]
    return str(only["measure_id"])


async def test_the_judges_part_from_the_query_to_the_renewal_takes_eight_clicks_at_most(
    page: Page, court: Court, clock: Clock
) -> None:
    await page.locator(".asset-person [data-deed=query-all]").first.click()
    answered = page.locator(".asset-person").first.locator("[data-state=answered]")
    await expect(answered).to_have_count(2, timeout=SLOW_MS)
    await row(page, "****0008").click()
    await page.locator("[data-action=freeze]").click()
    await expect(page.locator("dialog input[name=amount]")).to_have_value("186,432.17")
    await expect(page.locator("dialog input[name=ruling]")).to_be_focused()
    await page.keyboard.type(RULING)
    await page.locator("dialog button.primary").click()
    receipt = page.locator("[data-fact=receipt]")
    await receipt.wait_for(timeout=SLOW_MS)
    assert (await receipt.inner_text()).startswith("HZ")
    await expect(page.locator("#asset-held")).to_have_text("186,432.17")
    await expect(page.locator(".asset-papers .state-normal")).to_have_count(2)
    await look(page, "assets-frozen")
    term = page.locator("[data-fact=term]")
    first_term = await term.inner_text()
    clock.ahead = timedelta(days=340)
    await page.goto(f"{page.url.partition('?')[0]}?measure={await measure_in(court)}")
    await expect(term.locator(".state-serious")).to_be_visible(timeout=SLOW_MS)
    await page.locator("[data-action=renew]").click()
    await page.locator("dialog button.primary").click()
    await expect(term).not_to_contain_text(first_term.splitlines()[0], timeout=SLOW_MS)
    await expect(term.locator(".state-normal")).to_be_visible()
    assert int(await page.evaluate("sessionStorage.getItem('clicks')")) <= MOST_CLICKS


async def test_what_others_have_first_is_said_before_and_a_waiting_measure_counts_nothing(
    page: Page,
) -> None:
    held = await page.locator("#asset-held").inner_text()
    await row(page, "****1014").click()
    await expect(page.locator(".asset-others-list")).to_contain_text("52,300.00")
    await page.locator("[data-action=freeze]").click()
    await page.keyboard.press("Escape")
    await page.locator("dialog").wait_for(state="detached")
    await expect(page.locator("[data-action=freeze]")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.locator("dialog input[name=ruling]").fill(RULING)
    await page.locator("dialog button.primary").click()
    await expect(page.locator("#asset-state")).to_contain_text(
        translate("asset.state.waiting.rank", "zh", rank=1), timeout=SLOW_MS
    )
    await expect(page.locator("#asset-state .state-standby")).to_be_visible()
    await expect(page.locator("#asset-held")).to_have_text(held)
    await expect(page.locator("#asset-waiting")).to_have_text("1")


async def test_an_input_methods_enter_sends_nothing_and_a_wrong_ruling_is_told(page: Page) -> None:
    await row(page, "****1022").click()
    await page.locator("[data-action=freeze]").click()
    ruling = page.locator("dialog input[name=ruling]")
    await ruling.fill("not a ruling")
    composing = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true})"
    assert not await ruling.evaluate(f"(input) => input.dispatchEvent({composing})")
    await page.locator("dialog button.primary").click()
    await expect(page.locator("dialog .asset-news")).to_have_text(translate("asset.bad.ruling-number", "zh"))
    await page.locator("dialog input[name=amount]").fill("12.345")
    await page.locator("dialog button.primary").click()
    await expect(page.locator("dialog .asset-news")).to_have_text(translate("asset.bad.amount", "zh"))
    await expect(page.locator("dialog input[name=amount]")).to_be_focused()
    await page.keyboard.press("Escape")


async def test_assets_are_found_filtered_and_walked_through_by_keyboard(page: Page) -> None:
    rows = page.locator(".asset-table tbody tr")
    every = await rows.count()
    await page.keyboard.press("/")
    await page.keyboard.type("1022")
    await expect(rows).to_have_count(1)
    await page.locator(".asset-filters button").click()
    await expect(rows).to_have_count(every)
    await page.locator("#asset-filter-kind").select_option("real_estate")
    await expect(rows).to_have_count(2)
    await rows.first.click()
    await page.keyboard.press("ArrowDown")
    await expect(rows.nth(1)).to_be_focused()
    await expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    assert "***" in await rows.nth(1).inner_text()
    await page.locator("[data-action]").first.wait_for()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-action]").first).to_be_focused()
    await page.locator(".asset-filters button").click()


async def test_what_goes_obviously_beyond_the_claim_needs_a_reason_and_waits_for_a_second_person(page: Page) -> None:
    await row(page, "虚构路").click()
    await page.locator("[data-deed=marks]").click()
    await page.fill("dialog input[name=valuation]", "10,000,000.00")
    await page.fill("dialog input[name=source]", "网络询价")
    await page.fill("dialog textarea[name=reason]", "评估报告")
    await page.locator("dialog button.primary").click()
    await expect(page.locator(".asset-chosen")).to_contain_text("10,000,000.00 元 · 网络询价", timeout=SLOW_MS)
    await page.locator("[data-action=seize]").click()
    await expect(page.locator("dialog .asset-cover .state-serious")).to_be_visible(timeout=SLOW_MS)
    await look(page, "assets-over-limit")
    await page.locator("dialog button.primary").click()
    await expect(page.locator("dialog textarea[name=override]")).to_be_focused()
    await page.keyboard.type("被执行人无其他可供执行财产")
    await page.locator("dialog button.primary").click()
    order = page.locator(".asset-orders li[data-state=draft]")
    await expect(order).to_contain_text(translate("asset.order.state.draft", "zh"), timeout=SLOW_MS)
    await order.locator("[data-deed=withdraw]").click()
    await expect(page.locator(".asset-orders li[data-state=withdrawn]")).to_be_visible(timeout=SLOW_MS)


async def test_the_own_judge_unmasks_for_a_reason_and_masks_again(browser: Browser, court: Court, page: Page) -> None:
    await page.locator("#asset-unmask").click()
    await page.fill("dialog.reason textarea", "核对被执行人身份")
    await page.click("dialog.reason button.primary")
    await expect(page.locator(".asset-table")).to_contain_text("6217000060000000008", timeout=SLOW_MS)
    await page.locator(".asset-table tr", has_text="6217000060000000008").click()
    await expect(page.locator("[data-detail=khwddm]")).to_contain_text("313191000011", timeout=SLOW_MS)
    await look(page, "assets-unmasked")
    await page.locator("#asset-unmask").click()
    await expect(page.locator("[data-detail]")).to_have_count(0)
    await expect(page.locator(".asset-table")).not_to_contain_text("6217000060000000008")
    async with assets_of(browser, court, "commander") as other:
        await expect(other.locator("#asset-unmask")).to_have_count(0)


async def test_an_order_that_is_objected_to_looks_like_no_unanswered_one_and_tells_its_days(page: Page) -> None:
    marks = await page.evaluate(
        """async () => {
            const { standingMark } = await import('/static/asset_words.js');
            return [["objected", "2026-12-04"], ["objected", "2026-11-20"], ["intended", null]]
                .map(([standing, due]) => standingMark({ asset: { standing, answer_by: due } }, "2026-11-22"));
        }"""
    )
    assert marks == [
        ["serious", translate("asset.state.objected.clock", "zh", days=12)],
        ["serious", translate("asset.state.objected.late", "zh", days=2)],
        ["off", translate("asset.state.intended", "zh")],
    ]


async def test_one_press_asks_about_everybody_once_it_was_said_how_much_that_is(court: Court, page: Page) -> None:
    case = await court.case()
    persons = [one for one in case["persons"] if one["is_under_enforcement"]]
    here = {"case_id": case["head"]["id"]}
    before = len((await court.judge.get("/api/assets/requests", params=here)).json()["items"])
    await page.locator("#asset-query-everybody").click()
    count = translate("asset.query.everybody.gateways", "zh", count=2, total=2 * len(persons))
    await expect(page.locator("dialog li").nth(1)).to_have_text(count)
    # Whoever thinks better of it stands where they were, also where the page was drawn anew meanwhile.
    await page.evaluate("(at => at.replaceWith(at.cloneNode(true)))(document.querySelector('#asset-query-everybody'))")
    await page.keyboard.press("Escape")
    await expect(page.locator("#asset-query-everybody")).to_be_focused()
    await page.reload()
    await page.locator("#asset-query-everybody").click()
    await page.locator("dialog button.primary").click()
    await expect(page.locator("#asset-news")).to_have_text(translate("asset.told.queried-everybody", "zh"))
    asked = (await court.judge.get("/api/assets/requests", params=here)).json()["items"]
    assert len(asked) > before
    assert {one["person_id"] for one in asked if one["action"] == "query"} == {one["id"] for one in persons}


async def test_a_server_that_is_away_is_told_and_nothing_is_shown_as_current(page: Page) -> None:
    await page.route("**/api/assets/**", lambda route: route.abort())
    await page.locator(".asset-person [data-deed=query-all]").first.click()
    stale = page.locator("#asset-stale")
    await expect(stale).to_be_visible(timeout=SLOW_MS)
    words = await stale.inner_text()
    assert translate("error.unreachable", "zh") in words
    assert await page.locator(".asset-page-body").evaluate("(body) => body.classList.contains('is-stale')")
    await look(page, "assets-away")
    await page.unroute("**/api/assets/**")
    await page.locator(".asset-person [data-deed=query-all]").first.click()
    await expect(stale).to_be_hidden(timeout=SLOW_MS)


async def test_the_page_fits_both_screens_in_both_languages(browser: Browser, court: Court) -> None:
    async with assets_of(browser, court, "approver") as page:
        for language in ("en", "zh"):
            await page.evaluate(
                """async (language) => { const { ask } = await import("/static/net.js");
                  await ask("PATCH", "/api/session", { language }); }""",
                language,
            )
            await page.reload()
            await page.locator(".asset-figures").wait_for(timeout=SLOW_MS)
            await row(page, "蒙A12345").click()
            for width, height in ((1366, 768), (1920, 1080)):
                await page.set_viewport_size({"width": width, "height": height})
                spilt = await page.evaluate(SPILT)
                assert spilt == [], (language, width, spilt)
                cut = await page.evaluate(CUT)
                assert cut == [], (language, width, cut)
            await look(page, f"assets-{language}")


SPILT = """() => [document.documentElement, ...document.querySelectorAll(
    '.asset-page, .asset-head, .asset-figures, .asset-filters, .asset-chosen, #asset-answers, #asset-cases > ul')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className || one.tagName)"""
"""What has to be scrolled sideways."""
CUT = """() => {
  const ruler = document.createElement('canvas').getContext('2d');
  const isCut = (select) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(select);
    ruler.font = font;
    const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - 24; // the arrow
    return ruler.measureText(select.selectedOptions[0].textContent).width > room;
  };
  const states = [...document.querySelectorAll('.asset-table .state-word')];
  const filters = [...document.querySelectorAll('.asset-filters select')];
  return [...states.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent),
    ...filters.filter(isCut).map((one) => one.selectedOptions[0].textContent)];
}"""
"""Which states in the table and which filters can't be read to their end."""
