"""The verification on the review page in a real browser: what is proven, what was changed, and up to where it holds."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Route
from sqlalchemy import select

from command_center.audit import AuditEntry
from command_center.evidence.anchors import Anchors
from command_center.evidence.index import index_events
from command_center.evidence.keyring import Keyring
from tests.command_center.evidence.journalling import journals_of, note
from tests.support.long_operation import coded_minute
from tests.support.manifests import NODE_KEY, START_MS, ManifestWriter
from tests.support.review_scene import ReviewPage, Scene, reviewing
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

AGO_MS = 600_000
SLOW_MS = 30_000
PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")
SIZES = ((1920, 1080), (1366, 768))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(web: RunningWeb) -> AsyncIterator[Scene]:
    """Two cameras of two minutes, all anchored but the end of the operation's journal, which isn't signed yet."""
    scene = Scene(web, int(time.time() * 1000) - AGO_MS)
    await scene.add_feeds(2)
    for number in range(2):
        await scene.record(number, 2)
    settings = web.web.settings
    keyring = Keyring(settings.data, settings.keys, lambda: datetime.now(UTC) - timedelta(days=1))
    keyring.ensure()
    keyring.add("node-1", NODE_KEY.public)
    await anchor(web)
    await note_unsigned(scene)
    yield scene


async def note_unsigned(scene: Scene) -> None:
    """Something happens in the operation, which nobody has signed yet."""
    await note(scene.web.web.database, scene.operation_id, 1, 2, 3)
    await journals_of(scene.web.web.database, scene.web.web.settings.data).step()


async def anchor(web: RunningWeb) -> None:
    """What the worker does each minute."""
    settings = web.web.settings
    keyring = Keyring(settings.data, settings.keys)
    await Anchors(web.web.database, web.web.hub, settings.data, keyring).anchor()


def camera(review: ReviewPage, feed: str) -> Locator:
    """What the panel says of a camera."""
    return review.page.locator(f'.verdict-camera[data-feed="{feed}"]')


async def is_told(review: ReviewPage, feed: str, *words: str) -> None:
    """Wait until it says so of the camera."""
    for each in words:
        await camera(review, feed).get_by_text(each).first.wait_for(timeout=SLOW_MS)


async def look(review: ReviewPage, name: str) -> None:
    """See that it fits in both sizes, and take pictures where they are asked for."""
    for width, height in SIZES:
        await review.page.set_viewport_size({"width": width, "height": height})
        await fits(review)
        if PICTURES:
            await review.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")


async def test_what_is_untouched_is_proven_and_a_changed_byte_is_told_at_its_camera(
    scene: Scene, browser: Browser
) -> None:
    first, second = scene.feeds
    (made,) = scene.made[second]
    whole = made.segments[0].read_bytes()
    async with reviewing(browser, scene, "supervisor") as review:
        await review.page.keyboard.press("c")
        await review.page.keyboard.press("Enter")  # the button for the cameras that are shown has the focus
        for feed in (first, second):
            await is_told(review, feed, "完整，未经改动，已证明", "已证明，至迟自", "核验于")
        await review.page.get_by_text("核验完毕 · 2 个完整").wait_for(timeout=SLOW_MS)
        lacks = review.page.locator("#verdicts .state-word").filter(has_text="尚未签署")
        assert await lacks.count() == 1
        assert "的日志：" in await review.page.locator(".verdict-proof").inner_text()
        assert await camera(review, second).get_attribute("data-state") == "normal"
        made.segments[0].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        try:
            await review.page.get_by_role("button", name="核验整个行动").click()
            await is_told(review, second, "有改动或缺失", "被改动", "第 1 段有 1 个片段被改动")
        finally:
            made.segments[0].write_bytes(whole)
        await review.page.get_by_text("核验完毕 · 1 个有问题（2 王磊） · 1 个完整").wait_for(timeout=SLOW_MS)
        assert await camera(review, second).get_attribute("data-state") == "serious"
        assert await camera(review, first).get_attribute("data-state") == "normal"
        assert "被改动" not in await camera(review, first).inner_text()
        await camera(review, second).locator("summary").click()
        assert "录像证据核对报告" in await camera(review, second).locator("pre").inner_text()
        await review.page.keyboard.press("Escape")
        await review.page.locator("#verdicts").wait_for(state="hidden")
        assert await review.tell("document.activeElement.textContent") == "核验"
    told = await audited(scene)
    assert [(one["verdict"], one["purpose"]) for one in told] == [
        ("whole", "supervision"),
        ("whole", "supervision"),
        ("whole", "supervision"),
        ("broken", "supervision"),
    ]


async def audited(scene: Scene) -> list[dict[str, str]]:
    """What the audit holds of verifications."""
    query = select(AuditEntry.details).where(AuditEntry.action == "evidence.verified").order_by(AuditEntry.sequence)
    async with scene.web.web.database.read() as session:
        return [json.loads(each) for each in await session.scalars(query)]


async def test_a_run_is_stopped_and_the_page_goes_on_meanwhile(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "supervisor") as review:
        asked: list[UUID] = []

        async def hold(route: Route) -> None:
            asked.append(json.loads(route.request.post_data or "")["recording_id"])  # and it is never answered

        await review.page.route("**/verdicts", hold)
        await review.page.get_by_role("button", name="核验", exact=True).click()
        await review.page.get_by_role("button", name="核验所示摄像（2 个录像）").click()
        await is_told(review, scene.feeds[0], "正在核验")
        await is_told(review, scene.feeds[1], "等待核验")
        await review.page.get_by_role("button", name="核验 0/2").click()
        assert await review.page.locator("#verdicts").is_hidden()
        found = await review.seek(scene.began + 20_000)
        assert found["phases"] == dict.fromkeys(scene.feeds, "live")
        await review.page.keyboard.press("c")
        await review.page.keyboard.press("Enter")  # stopping has the focus
        for feed in scene.feeds:
            await is_told(review, feed, "未核验（已停止）")
        await review.page.get_by_text("已停止。共 2 个，核验了 0 个").wait_for()
        assert len(asked) == 1


async def test_too_many_are_waited_for_and_a_refusal_is_said_in_words(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "supervisor") as review:
        answers = [429, 503, 503]

        async def refuse(route: Route) -> None:
            status = answers.pop(0)
            code = "examinations-full" if status == 429 else "examination-slow"
            body = json.dumps({"code": code})
            headers = {"retry-after": "1", "content-type": "application/problem+json"}
            await route.fulfill(status=status, headers=headers, body=body)

        await review.page.route("**/verdicts", refuse)
        await review.page.keyboard.press("c")
        await review.page.keyboard.press("Enter")
        for feed in scene.feeds:
            await is_told(review, feed, "未能核验", "核验用时过长")
        assert answers == []


async def test_who_has_stated_no_purpose_is_asked_for_one(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "judge") as review:
        await review.tell("import('/static/review_session.js').then((session) => session.useReview(null))")
        await review.page.keyboard.press("c")
        await review.page.keyboard.press("Enter")
        await review.page.locator("dialog.purpose button[type=submit]").click()
        await is_told(review, scene.feeds[0], "完整，未经改动，已证明")


async def test_a_verdict_of_a_recording_that_grew_says_up_to_where_it_holds(scene: Scene, browser: Browser) -> None:
    database, root = scene.web.web.database, scene.web.web.settings.recordings
    begins = int(time.time() * 1000)
    writer = ManifestWriter(root, scene.feeds[0], begins=(begins - START_MS) / 1000)
    writer.segment("H264", 60, shot=coded_minute(0, 10))
    await index_events(database, writer.made.events)
    await anchor(scene.web)
    async with reviewing(browser, scene, "supervisor", english=True) as review:
        await review.page.keyboard.press("c")
        await review.page.keyboard.press("Enter")
        await is_told(review, scene.feeds[0], "Only up to", "not all of it is proven", "proven, unchanged since")
        grown = camera(review, scene.feeds[0]).get_by_text("It has grown since it was checked")
        assert await grown.count() == 0
        before = len(writer.made.events)
        writer.segment("H264", 60, shot=coded_minute(1, 10))
        writer.close("ended")
        await index_events(database, writer.made.events[before:])
        await grown.wait_for(timeout=SLOW_MS)


async def test_the_panel_fits_in_both_sizes_and_languages(scene: Scene, browser: Browser) -> None:
    for is_english in (False, True):
        language = "en" if is_english else "zh"
        await note_unsigned(scene)
        async with reviewing(browser, scene, "supervisor", english=is_english) as review:
            await review.seek(scene.began + 30_000)
            await look(review, f"closed-{language}")
            await review.page.keyboard.press("c")
            await look(review, f"empty-{language}")
            await run_into_a_change(review, scene.made[scene.feeds[1]][0].segments[0], f"running-{language}")
            await look(review, f"broken-{language}")
            await review.page.locator(".verdict-scroll").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
            await look(review, f"broken-end-{language}")


async def run_into_a_change(review: ReviewPage, segment: Path, name: str) -> None:
    """Verify while the segment has another byte than it was signed with; looked at while the first is under way."""
    is_asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        is_asked.set()
        await may_go_on.wait()
        await route.continue_()

    whole = segment.read_bytes()
    segment.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        await review.page.route("**/verdicts", hold)
        await review.page.keyboard.press("Enter")
        await is_asked.wait()
        await look(review, name)
        may_go_on.set()
        await review.page.locator('.verdict-camera[data-state="serious"]').wait_for(timeout=SLOW_MS)
        await review.page.locator(".verdict-deeds button.primary").wait_for(timeout=SLOW_MS)
    finally:
        segment.write_bytes(whole)


async def fits(review: ReviewPage) -> None:
    """Nothing of the page is cut off at the side, and no button's words are."""
    cut = await review.tell(
        """[document.documentElement, ...document.querySelectorAll(
            '#verdicts, #verdicts button, .verdict-news, .verdict-scroll, .verdict, .review-word, #timeline-notes')]
            .filter((one) => one.offsetParent !== null || one === document.documentElement)
            .filter((one) => one.scrollWidth > one.clientWidth + 1)
            .map((one) => one.className || one.id || one.tagName)"""
    )
    assert cut == []
