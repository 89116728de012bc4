"""The centre in a real Chromium, with a played centre behind it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Browser, Frame, Page

from command_center.accounts.permissions import Role
from tests.command_center.screens.conftest import SCREEN, SLOW, opened
from tests.support.browser import holds
from tests.support.played_centre import SITES, PlayedCentre
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SMALL: Any = {"width": 1366, "height": 768}
TEXT = "#instruction-text"


async def shown(page: Page, selector: str, text: str) -> None:
    """Wait until this text stands in that element."""
    await holds(
        page,
        "([selector, text]) => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text))",
        [selector, text],
        SLOW,
    )


async def fits(page: Page) -> bool:
    """Whether nothing scrolls and nothing stands over the edge."""
    return bool(
        await page.evaluate(
            "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
        )
    )


async def test_the_centre_fits_its_screen_in_both_languages_without_errors_or_foreign_requests(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(index) for index in range(6)]
    centre.positions = [centre.position(index, 40.8 + index / 100, 111.6) for index in range(5)]
    centre.instructions = [centre.instruction(1, "各组到位", [("done", True), ("sent", False)])]
    for language, title in (("zh", "现场画面"), ("en", "Live from the sites")):
        centre.language = language
        for viewport in (SCREEN, SMALL):
            async with opened(browser, centre, viewport) as (page, watched):
                await shown(page, "h2", title)
                await page.wait_for_selector(".tile >> nth=5")
                await page.frame_locator("#map-frame").locator(".officer-number >> nth=4").wait_for()
                assert await fits(page)
                assert watched.errors == []
                assert watched.foreign == []


async def test_the_language_is_switched_without_signing_in_again(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        async with page.expect_navigation():
            await page.click("#switch-language")
        await shown(page, "h2", "Live from the sites")
        assert await page.evaluate("document.documentElement.lang") == "en"


async def test_without_an_operation_the_centre_says_so(browser: Browser, centre: PlayedCentre) -> None:
    centre.has_operation = False
    async with opened(browser, centre) as (page, watched):
        await shown(page, "#wall > .blank", "没有您可以查看的行动")
        assert watched.errors == []


async def test_a_new_feed_becomes_a_tile_without_reload_and_keeps_its_place(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(0), centre.feed(2)]
    async with opened(browser, centre) as (page, _):
        await page.wait_for_selector(".tile >> nth=1")
        await centre.tell(centre.feed(1))
        await page.wait_for_selector(".tile >> nth=2", timeout=3000)
        order = await page.evaluate("[...document.querySelectorAll('.tile')].map((tile) => tile.dataset.feed)")
        assert order == ["feed-0", "feed-1", "feed-2"]


@pytest.mark.parametrize(
    ("phase", "cause", "mark", "words"),
    [
        ("waiting", None, "off", "未上线"),
        ("ended", "officer", "off", "干警主动停止"),
        ("ended", "revoked", "off", "设备已吊销"),
    ],
)
async def test_a_tile_says_why_it_shows_nothing(
    browser: Browser, centre: PlayedCentre, phase: str, cause: str | None, mark: str, words: str
) -> None:
    centre.feeds = [centre.feed(0, phase, cause)]
    async with opened(browser, centre) as (page, _):
        await shown(page, ".tile-cause", words)
        assert await page.locator(f".tile .state-{mark} svg").count() == 1


async def test_below_each_picture_a_bar_shows_what_of_it_is_recorded_and_what_is_missing_and_why(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(0), centre.feed(1)]
    centre.lanes = [
        centre.lane(
            0, ("covered", 30, 20), ("network", 20, 15), ("covered", 15, 10), ("network", 10, 9.99),
            ("covered", 9.99, 5), ("disk_full", 5, 0),
        )
    ]  # fmt: skip
    async with opened(browser, centre, SMALL) as (page, watched):
        await page.wait_for_selector(".tile[data-feed=feed-0] .bar-disk_full")
        bar = page.locator(".tile[data-feed=feed-0] .tile-bar")
        kinds = "(bar) => [...bar.children].map((piece) => piece.className.split('bar-').at(-1))"
        # What is shorter than a second can't be seen there; the words count it.
        assert await bar.evaluate(kinds) == ["covered", "network", "covered", "disk_full"]
        shares = await bar.evaluate("(bar) => [...bar.children].map((one) => one.offsetWidth / bar.offsetWidth)")
        assert shares == pytest.approx([10 / 30, 5 / 30, 10 / 30, 5 / 30], abs=0.02)
        words = "最近30分钟：已录制 19:59，网络中断 5:00，磁盘已满 5:00"
        assert await bar.get_attribute("aria-label") == words
        assert await bar.get_attribute("title") == words
        empty = page.locator(".tile[data-feed=feed-1] .tile-bar")
        assert await empty.get_attribute("aria-label") == "最近30分钟没有录像"
        assert await fits(page)
        # News of a recording are shown within seconds.
        centre.lanes = [*centre.lanes, centre.lane(1, ("covered", 1, 0))]
        await centre.tell({"type": "recordings"})
        await page.wait_for_selector(".tile[data-feed=feed-1] .bar-covered", timeout=6_000)
        assert watched.errors == []


async def test_a_live_feed_that_is_not_recorded_says_so_after_a_few_seconds(
    browser: Browser, centre: PlayedCentre
) -> None:
    recorded, unrecorded = centre.feed(0, "live"), centre.feed(1, "live")
    centre.feeds = [recorded, unrecorded | {"recording": False}]
    async with opened(browser, centre, SMALL) as (page, _):
        await shown(page, ".tile[data-feed=feed-1] .tile-unrecorded:not([hidden])", "未录像")
        assert await page.locator(".tile[data-feed=feed-1] .tile-unrecorded .state-caution svg").is_visible()
        assert await page.locator(".tile[data-feed=feed-0] .tile-unrecorded").is_hidden()
        assert "未录像" in str(await page.locator(".tile[data-feed=feed-1]").get_attribute("aria-label"))
        assert await fits(page)
        await centre.tell(unrecorded)
        await page.wait_for_selector(".tile[data-feed=feed-1] .tile-unrecorded", state="hidden")
        assert await page.locator(".tile[data-feed=feed-1] .tile-recording").is_visible()


async def test_a_recording_is_not_claimed_once_its_node_is_gone(browser: Browser, centre: PlayedCentre) -> None:
    centre.feeds = [centre.feed(0, "live")]
    async with opened(browser, centre) as (page, _):
        await page.wait_for_selector(".tile-recording")
        await centre.tell(centre.feeds[0] | {"phase": "lost", "cause": "node"})
        await page.wait_for_selector(".tile[data-cause=node]")
        assert await page.locator(".tile-recording").is_hidden()


async def test_enter_sends_once_and_an_input_methods_enter_never(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        await page.fill(TEXT, "原地待命")
        for event in ({"isComposing": True}, {"keyCode": 229}):
            await page.evaluate(
                """(event) => document.querySelector("#instruction-text").dispatchEvent(
                    new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true, ...event}))""",
                event,
            )
        await page.press(TEXT, "Shift+Enter")
        assert centre.posted == []
        await page.fill(TEXT, "原地待命")
        await page.press(TEXT, "Enter")
        await until(lambda: centre.posted, SLOW)
        await holds(page, "() => !document.querySelector('#instruction-text').value")
        assert [(one["text"], one["scope"], one["priority"]) for one in centre.posted] == [
            ("原地待命", "all", "routine")
        ]


async def test_a_refused_instruction_keeps_its_text_and_key_and_says_why(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.refusal = "operation-ended"
    async with opened(browser, centre) as (page, _):
        await page.fill(TEXT, "请报告现场情况")
        await page.press(TEXT, "Enter")
        await shown(page, ".compose-news", "行动已结束")
        assert await page.input_value(TEXT) == "请报告现场情况"
        centre.refusal = None
        await page.press(TEXT, "Enter")
        await until(lambda: len(centre.posted) == 2, SLOW)
        assert centre.posted[0]["idempotency_key"] == centre.posted[1]["idempotency_key"]
        await holds(page, "() => !document.querySelector('#instruction-text').value")
        await page.fill(TEXT, "请报告现场情况")
        await page.press(TEXT, "Enter")
        await until(lambda: len(centre.posted) == 3, SLOW)
        assert centre.posted[2]["idempotency_key"] != centre.posted[1]["idempotency_key"]


async def test_an_officer_assigned_after_the_page_was_opened_becomes_a_target_with_its_feed(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(0)]
    async with opened(browser, centre) as (page, _):
        await page.wait_for_selector(".tile")
        late = {"user_id": str(UUID(int=99)), "display_name": "后来", "site_id": None}
        centre.officers.append(late)
        await centre.tell(centre.feed(1) | {"officer_id": late["user_id"], "officer": late["display_name"]})
        await page.wait_for_selector(f"#target option[value='officer:{late['user_id']}']", state="attached")


async def test_keys_pick_and_enlarge_a_tile_and_address_its_officer(browser: Browser, centre: PlayedCentre) -> None:
    centre.feeds = [centre.feed(index) for index in range(3)]
    async with opened(browser, centre) as (page, _):
        await page.wait_for_selector(".tile >> nth=2")
        await page.keyboard.press("2")
        await page.wait_for_selector(".tile.is-picked[data-feed=feed-1]")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".tile.is-spotlit[data-feed=feed-1]")
        assert await page.locator(".tile:visible").count() == 3
        await page.keyboard.press("Escape")
        await page.wait_for_selector("#wall:not(.has-spotlight)")
        await page.keyboard.press("i")
        assert await page.evaluate("document.activeElement.id") == "instruction-text"
        assert await page.input_value("#target") == f"officer:{centre.officers[1]['user_id']}"
        await page.keyboard.type("2?i")
        assert await page.input_value(TEXT) == "2?i"
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await shown(page, "dialog dt", "Esc")


async def test_each_delivery_shows_its_step_and_what_waits_stands_out(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        states = [("done", True), ("refused", True), ("sent", False), ("seen", True)]
        await centre.tell(centre.instruction(7, "清点财物", states))
        await shown(page, ".instruction", "第7号")
        verdicts = await page.evaluate("[...document.querySelectorAll('.delivery')].map((one) => one.dataset.verdict)")
        assert verdicts == ["done", "refused", "offline", "seen"]
        await shown(page, ".delivery-reason", "现场无人")
        await shown(page, "#instructions-notes", "未送达 1")
        await centre.tell(centre.instruction(7, "清点财物", [("done", True)] * 4))
        await holds(page, "() => document.querySelector('#instructions-notes').textContent === ''")
        await page.click(".instruction-open")
        assert await page.locator(".delivery-table tbody tr").count() == 4


async def test_a_marker_moves_when_told_and_a_click_on_it_picks_the_tile(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(0), centre.feed(1)]
    centre.positions = [centre.position(0, 40.85, 111.66)]
    async with opened(browser, centre) as (page, _):
        marker = page.frame_locator("#map-frame").locator(".officer[data-feed=feed-0] .officer-number")
        await marker.wait_for()
        moved = centre.position(0, 40.86, 111.67)
        await centre.tell(moved)
        frame = page.frames[-1]
        await holds(
            frame, "(at) => document.querySelector('.officer')?.dataset.receivedAt === String(at)", moved["received_at"]
        )
        place = await frame.evaluate("(({lat, lng}) => [lat, lng])(mapFrame.markers.get('feed-0').place)")
        assert place == [40.86, 111.67]
        await marker.click()
        await page.wait_for_selector(".tile.is-picked[data-feed=feed-0]")


OVERLAPS = """() => {
  const isShown = (one) => one.checkVisibility({visibilityProperty: true});
  const shown = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const box = (one) => one.getBoundingClientRect();
  const officers = shown(".officer-number, .officer-label").map(box);
  const isOnOne = (name) => officers.some((officer) => meet(box(name), officer));
  const names = shown(".map-site span, .map-district span").filter(isOnOne);
  return {names: names.map((name) => name.textContent), districts: shown(".map-district span").length};
}"""


async def test_no_name_of_the_map_stands_on_an_officer(browser: Browser, centre: PlayedCentre) -> None:
    centre.feeds = [centre.feed(index) for index in range(5)]
    centre.positions = [centre.position(index, *SITES[index]) for index in range(5)]
    async with opened(browser, centre) as (page, _):
        await page.frame_locator("#map-frame").locator(".officer-number >> nth=4").wait_for()
        frame = page.frames[-1]
        for zoom in (None, 12, 13):
            if zoom:
                await frame.evaluate("([at, zoom]) => commandMap.setView(at, zoom, {animate: false})", [SITES[0], zoom])
            found = await until(lambda frame=frame: _clear(frame), SLOW)
            assert found["districts"] > 0


async def test_a_tiles_number_is_its_sites_and_stays_when_another_camera_comes(
    browser: Browser, centre: PlayedCentre
) -> None:
    centre.feeds = [centre.feed(index) for index in range(3)]
    numbers = "[...document.querySelectorAll('.tile')].map((tile) => tile.querySelector('.tile-number').textContent)"
    async with opened(browser, centre) as (page, _):
        await holds(page, f"{numbers}.join() === '1,2,3'")
        second = {**centre.feed(1), "feed": "feed-9", "order": 2}
        third = {**centre.feed(2), "order": 3}
        for view in (third, second):
            await centre.tell(view)
        await holds(page, f"{numbers}.join() === '1,2,2b,3'")
        for picked in ("feed-1", "feed-9", "feed-1"):
            await page.keyboard.press("2")
            await page.wait_for_selector(f".tile.is-picked[data-feed={picked}]")
        await page.keyboard.press("3")
        await page.wait_for_selector(".tile.is-picked[data-feed=feed-2]")


LABELS_ON_NUMBERS = """() => {
    const box = (element) => element.getBoundingClientRect();
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const labels = [...document.querySelectorAll('.officer-label')];
    const others = (label) => [...document.querySelectorAll('.officer-number, .officer-label')]
        .filter((other) => other.closest('.officer') !== label.closest('.officer'));
    return labels.filter((label) => others(label).some((other) => meet(box(label), box(other)))).length;
}"""


async def test_an_officers_name_moves_aside_for_a_close_colleague(browser: Browser, centre: PlayedCentre) -> None:
    centre.feeds = [centre.feed(index) for index in range(3)]
    centre.positions = [centre.position(index, 40.85, 111.66 + index * 0.02) for index in range(3)]
    async with opened(browser, centre) as (page, _):
        await page.frame_locator("#map-frame").locator(".officer-number >> nth=2").wait_for()
        frame = page.frames[-1]
        await frame.evaluate("() => commandMap.setView([40.85, 111.68], 12, {animate: false})")
        await holds(frame, f"() => ({LABELS_ON_NUMBERS})() === 0")
        assert await frame.locator(".officer-label:not([data-side=right])").count() > 0


async def _clear(frame: Frame) -> Any:
    found = await frame.evaluate(OVERLAPS)
    return None if found["names"] else found


async def test_a_view_that_somebody_moved_stays_until_asked_to_show_all(browser: Browser, centre: PlayedCentre) -> None:
    centre.feeds = [centre.feed(0)]
    centre.positions = [centre.position(0, 40.85, 111.66)]
    async with opened(browser, centre) as (page, _):
        await page.frame_locator("#map-frame").locator(".officer-number").wait_for()
        frame = page.frames[-1]
        box = await page.locator("#map-frame").bounding_box()
        assert box
        await page.mouse.move(box["x"] + 200, box["y"] + 200)
        await frame.evaluate("() => { window.settled = new Promise((done) => commandMap.once('moveend', done)); }")
        await page.mouse.wheel(0, 300)
        await frame.wait_for_selector(".map-lock:not([hidden])")
        await frame.evaluate("() => window.settled.then(() => null)")
        before = await frame.evaluate("commandMap.getCenter().lng")
        await centre.tell(centre.position(0, 39.9, 111.1))
        await holds(frame, "() => mapFrame.markers.get('feed-0').place.lng === 111.1")
        assert await frame.evaluate("commandMap.getCenter().lng") == before
        await frame.click("button[title='显示全部人员']")
        await holds(frame, "() => commandMap.getBounds().contains([39.9, 111.1])")
        assert await frame.locator(".map-lock").is_hidden()


@pytest.mark.alone
async def test_a_broken_line_is_told_within_two_seconds_and_comes_back(browser: Browser, centre: PlayedCentre) -> None:
    centre.parts = [{"type": "part", "name": "worker", "state": "running", "since": 0}]
    async with opened(browser, centre) as (page, _):
        await shown(page, "#connection", "已连接")
        # The played centre sends no beats: the line is as silent as a cut one.
        await holds(page, "() => !document.querySelector('#connection').textContent.includes('已连接')", seconds=3.5)
        for socket in list(centre.sockets):
            await socket.close()
        await until(lambda: centre.sockets, SLOW)
        await shown(page, "#connection", "已连接")
        await asyncio.gather(*(centre.tell({**part, "state": "restarting"}) for part in centre.parts))
        await shown(page, "#connection", "后台任务：正在重启")


async def test_footage_in_danger_is_a_bar_over_the_centre_that_hides_nothing(
    browser: Browser, centre: PlayedCentre
) -> None:
    low = {"type": "part", "name": "space", "state": "low", "since": 0, "hours": 3.2}
    centre.parts = [low]
    async with opened(browser, centre) as (page, _):
        await shown(page, ".storage-alarm", "录像磁盘空间不足：按目前速度还可录3.2小时")
        await shown(page, "#connection", "录像存储空间：不足，按目前速度可录3.2小时")
        inside = "document.documentElement.scrollHeight <= window.innerHeight"
        assert await page.evaluate(inside)
        await centre.tell({"type": "part", "name": "storage", "state": "faulty", "since": 0})
        await shown(page, ".storage-alarm", "与原始记录不符或缺失")
        await centre.tell({**low, "state": "critical", "hours": 0.4})
        await shown(page, ".storage-alarm", "仅可再录0.4小时")
        for name in ("space", "storage"):
            await centre.tell({"type": "part", "name": name, "state": "running", "since": 0, "hours": 100})
        await page.wait_for_selector(".storage-alarm", state="hidden")


async def test_several_nodes_are_named_each_and_not_once_more_as_one(browser: Browser, centre: PlayedCentre) -> None:
    names = ("media", "media-one", "media-two", "agents")
    centre.parts = [{"type": "part", "name": name, "state": "running", "since": 0} for name in names]
    async with opened(browser, centre) as (page, _):
        listed = "[...document.querySelectorAll('.connection-parts li span:first-child')].map((one) => one.textContent)"
        expected = {"本屏幕", "演示终端", "媒体节点 one", "媒体节点 two"}
        await holds(
            page,
            f"(names) => {{ const shown = {listed}; return names.every((name) => shown.includes(name)); }}",
            sorted(expected),
        )
        assert "媒体节点" not in await page.evaluate(listed)


async def test_who_may_not_instruct_has_no_box(browser: Browser, centre: PlayedCentre) -> None:
    centre.role = Role.SUPERVISOR
    async with opened(browser, centre) as (page, watched):
        await page.wait_for_selector("#instruction-list")
        assert await page.locator(TEXT).count() == 0
        assert watched.errors == []


async def test_signing_out_leads_to_the_sign_in_page(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        await page.click("#sign-out")
        await page.wait_for_selector("form#sign-in")
        assert centre.signed_out


async def test_an_ended_session_leaves_the_screen_at_once(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        await centre.tell({"type": "ended", "code": "revoked"})
        await page.wait_for_url("**/sign-in?*", timeout=3000)
        await shown(page, "#news", "已被管理员终止")
