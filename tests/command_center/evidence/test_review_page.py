"""The review page in a real browser: cameras in step on one clock, with the map, the list and the line of time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from sqlalchemy import select

from command_center.audit import AuditEntry
from command_center.evidence.index import index_events
from streams.protocol import Receipt, ReceiptState
from streams.recording.manifest import FragmentLine, GapLine
from tests.support.browser import holds
from tests.support.long_operation import coded_minute, holed, silent
from tests.support.manifests import START_MS, Made, ManifestWriter
from tests.support.review_scene import ReviewPage, Scene, place_of, reviewing
from tests.support.waiting import until
from tests.support.web import RunningWeb

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

FRAME_MS = 40
PICTURES = os.environ.get("COMMAND_CENTER_TEST_PICTURES")
AGO_MS = 600_000
SECOND = 1_000
MINUTE = 60_000
TOGETHER_MS = 100
SLOW = 30.0
"""Two cores that others use as well."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(web: RunningWeb) -> AsyncIterator[Scene]:
    """Three cameras of three minutes; the second lost its network for one, the third its last file and some bytes."""
    scene = Scene(web, int(time.time() * 1000) - AGO_MS)
    await scene.add_feeds(3)
    await scene.record(0, 3)
    await scene.record(1, 3, missing=(1,), reason="network")
    (third,) = await scene.record(2, 3)
    third.segments[-1].unlink()
    spoil(third, 40.0, 41.5)
    await scene.walk(0, 180)
    yield scene


def spoil(made: Made, since: float, until: float) -> None:
    """Overwrite what the first segment's fragments hold between these seconds."""
    path = made.segments[0]
    data = bytearray(path.read_bytes())
    for line in made.lines:
        if isinstance(line, FragmentLine) and line.segment == 1 and since <= line.start < until:
            data[line.offset + 60 : line.offset + line.length] = bytes(line.length - 60)
    path.write_bytes(data)


async def test_cameras_stand_and_play_on_one_clock_and_the_map_goes_along(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene) as review:
        for second in (20.0, 150.48, 12.3, 170.0):
            at = scene.began + round(second * SECOND)
            found = await review.seek(at)
            assert found["now"] == at
            shown = {feed: code for feed, code in found["codes"].items() if code is not None}
            assert len(shown) == (3 if second < 120 else 2)
            for feed, code in shown.items():
                assert 0 <= at - scene.begins(scene.feeds.index(feed)) - code < FRAME_MS
            site = await scene.site_of(0)
            expected = place_of(*site, 0, int(second))
            await until(lambda expected=expected: _is_at(review, scene.feeds[0], expected), SLOW)
        await review.seek(scene.began + 20 * SECOND)
        await review.page.keyboard.press("Space")
        await until(lambda: review.tell("probe.now() > argument", scene.began + 22 * SECOND), SLOW)
        await until(lambda: _are_together(review), SLOW)
        assert review.watched.foreign == []


async def test_the_centres_voice_is_heard_in_step_and_may_be_silenced(scene: Scene, browser: Browser) -> None:
    said = scene.began + 62 * SECOND
    await scene.speak(said, 8.0)
    async with reviewing(browser, scene) as review:
        await review.page.locator('.line-row[data-kind="voice"]').wait_for()
        await review.seek(said - SECOND)
        await review.page.keyboard.press("Space")
        await until(lambda: _is_heard(review), SLOW)
        await review.page.keyboard.press("v")
        await until(lambda: review.tell("[...commandReview.voices.lines.values()][0].audio.muted"), SLOW)


async def _is_heard(review: ReviewPage) -> bool:
    off = await review.tell("probe.voice()")
    return off is not None and abs(off) < TOGETHER_MS / 1000


async def _are_together(review: ReviewPage) -> bool:
    codes = await review.tell("probe.codes()")
    if None in codes.values():
        return False
    moments = [review.scene.begins(number) + codes[feed] for number, feed in enumerate(review.scene.feeds)]
    return bool(max(moments) - min(moments) <= TOGETHER_MS)


async def _is_at(review: ReviewPage, feed: str, expected: tuple[float, float]) -> bool:
    place = await review.tell("probe.place(argument)", feed)
    return place is not None and place == pytest.approx(expected, abs=1e-7)


async def test_a_missing_piece_is_shown_as_what_it_is_while_the_others_go_on(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene) as review:
        found = await review.seek(scene.began + 90 * SECOND)
        assert found["phases"] == {"review-1": "live", "review-2": "network", "review-3": "live"}
        await review.page.keyboard.press("Space")
        await until(lambda: review.tell("probe.now() > argument", scene.began + 91 * SECOND), SLOW)
        assert await review.tell("probe.phases()") == found["phases"]
        words = await review.page.locator('[data-feed="review-2"] .tile-cause').inner_text()
        assert "网络中断" in words
        found = await review.seek(scene.began + 150 * SECOND)
        await until(lambda: _phase(review, "review-3", "missing"), SLOW)
        assert found["phases"]["review-2"] == "live"
        found = await review.seek(scene.began + 1000)
        assert found["phases"]["review-3"] == "before"
        await review.seek(scene.begins(2) + 41 * SECOND)
        await until(lambda: _phase(review, "review-3", "broken"), SLOW)
        found = await review.seek(scene.begins(2) + 39 * SECOND)
        # It plays on while it is asked: the moment's own picture, or one of the next.
        assert 39 * SECOND <= found["codes"]["review-3"] < 40 * SECOND
        await review.seek(scene.began + 1000)
        await review.page.keyboard.press("g")
        # It plays on from there while it is asked.
        await until(lambda: _is_near(review, scene.begins(1) + MINUTE, slack=5 * SECOND), SLOW)
        spans = await review.page.locator('.line-row[data-feed="review-2"] .line-span').evaluate_all(
            "(spans) => spans.map((span) => span.dataset.kind)"
        )
        assert spans == ["covered", "network", "covered"]


async def _phase(review: ReviewPage, feed: str, phase: str) -> bool:
    return bool((await review.tell("probe.phases()"))[feed] == phase)


async def _is_near(review: ReviewPage, at: float, slack: float = 50) -> bool:
    return bool(abs(await review.tell("probe.now()") - at) < slack)


async def test_another_codec_and_the_end_of_sound_are_played_through(scene: Scene, browser: Browser) -> None:
    begins = scene.began + 240 * SECOND
    root = scene.web.web.settings.recordings
    writer = ManifestWriter(root, scene.feeds[2], begins=(begins - START_MS) / 1000)
    film = coded_minute(0, 4)
    writer.segment("H264", 4, shot=film)
    writer.segment("VP8", 4)
    writer.segment("H264", 4, shot=silent(film))
    await index_events(scene.web.web.database, writer.close("ended").events)
    async with reviewing(browser, scene) as review:
        for second in (9, 5, 1):
            found = await review.seek(begins + second * SECOND)
            assert found["phases"]["review-3"] == "live"
        await review.seek(begins + 3 * SECOND)
        await review.page.keyboard.press("Space")
        await until(lambda: review.tell("probe.now() > argument", begins + 10 * SECOND), SLOW)
        await until(lambda: _phase(review, "review-3", "live"), SLOW)


async def test_a_hole_of_picture_and_sound_is_told_and_holds_nobody(scene: Scene, browser: Browser) -> None:
    begins = scene.began + 80 * SECOND
    writer = ManifestWriter(scene.web.web.settings.recordings, scene.feeds[1], begins=(begins - START_MS) / 1000)
    hole = range(SECOND, 4 * SECOND)
    writer.gap(GapLine(kind="network", track="video", since=begins + hole.start, until=begins + hole.stop, packets=75))
    writer.segment("H264", 8, shot=holed(0, 8, hole))
    await index_events(scene.web.web.database, writer.close("ended").events)
    async with reviewing(browser, scene) as review:
        found = await review.seek(begins + 2 * SECOND)
        assert found["phases"] == {"review-1": "live", "review-2": "network", "review-3": "live"}
        told = review.page.locator('[data-feed="review-2"] .tile-cause').get_by_text("没有画面：网络中断（声音照录）")
        await told.wait_for(timeout=SLOW * SECOND)
        await review.page.keyboard.press("Space")
        await until(lambda: review.tell("probe.now() > argument", begins + 5 * SECOND), SLOW)
        await until(lambda: _phase(review, "review-2", "live"), SLOW)
        await review.page.keyboard.press("Space")
        found = await review.seek(begins + 6 * SECOND)
        assert found["codes"]["review-2"] == 6 * SECOND


async def test_a_hole_of_the_sound_alone_is_told_while_the_picture_goes_on(scene: Scene, browser: Browser) -> None:
    begins = scene.began + 280 * SECOND
    writer = ManifestWriter(scene.web.web.settings.recordings, scene.feeds[1], begins=(begins - START_MS) / 1000)
    for since, till in ((SECOND, 4 * SECOND), (6 * SECOND, 6 * SECOND + 400)):
        writer.gap(GapLine(kind="network", track="audio", since=begins + since, until=begins + till, packets=20))
    writer.segment("H264", 8, shot=coded_minute(0, 8))
    await index_events(scene.web.web.database, writer.close("ended").events)
    async with reviewing(browser, scene) as review:
        line = review.page.locator('.line-row[data-feed="review-2"] .line-silence')
        assert await line.count() == 1
        for at, words in ((2_000, "无声音：网络中断"), (5_000, ""), (6_200, "")):
            found = await review.seek(begins + at)
            assert found["phases"]["review-2"] == "live"
            assert await review.page.locator('[data-feed="review-2"] .tile-note').inner_text() == words
            if words:
                await look(review, "silence")


async def look(review: ReviewPage, name: str) -> None:
    """Take pictures in both sizes where they are asked for."""
    for width, height in ((1920, 1080), (1366, 768)):
        await review.page.set_viewport_size({"width": width, "height": height})
        if PICTURES:
            await review.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")


async def test_the_review_opens_where_all_cameras_have_a_picture(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene) as review:
        await until(lambda: review.tell("probe.live() === 3"), SLOW)
        assert await review.tell("probe.now()") == pytest.approx(scene.begins(2), abs=1)


async def test_keys_and_presses_on_the_line_move_everything(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "judge") as review:
        page, at = review.page, scene.began + 30 * SECOND
        await review.seek(at)
        for key, moment in (
            ("ArrowRight", at + 5000), ("Shift+ArrowLeft", at - 25_000), ("ArrowRight", at - 20_000),
        ):  # fmt: skip
            await page.keyboard.press(key)
            await until(lambda moment=moment: _is_near(review, moment, 1), SLOW)
        await review.ready(3)
        await page.keyboard.press("1")
        before = (await review.tell("probe.codes()"))["review-1"]
        for key, frames in ((".", 1), (".", 2), (",", 1), (",", 0)):
            await page.keyboard.press(key)
            await until(lambda frames=frames: _shows(review, "review-1", before + frames * FRAME_MS), SLOW)
        await page.keyboard.press(">")
        await holds(page, "() => document.querySelector('.review-speed').value === '2'")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".tile.is-spotlit[data-feed='review-1']")
        await page.keyboard.press("+")
        from_, to = await review.tell("(({from, to}) => [from, to])(commandReview.timeline.scale)")
        place = await review.tell("probe.onLine(argument)", {"feed": "review-1", "share": 0.5})
        await page.mouse.click(*place)
        await until(lambda: _is_near(review, (from_ + to) / 2, (to - from_) / 200), SLOW)
        await page.locator('.line-row[data-feed="review-3"] input').uncheck()
        await holds(page, "() => document.querySelectorAll('#wall .tile').length === 2")
        await page.keyboard.press("?")
        assert "上/下一帧" in await page.locator("dialog.keys").inner_text()


async def _shows(review: ReviewPage, feed: str, code: int) -> bool:
    return bool((await review.tell("probe.codes()"))[feed] == code)


async def test_a_point_of_a_track_moves_everything_too(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene) as review:
        await until(lambda: review.tell("probe.trail('review-1')?.[1] === 180"), SLOW)
        frame = next(each for each in review.page.frames if "/map/review" in each.url)
        await frame.evaluate(
            """(second) => {
                const marker = window.mapFrame.markers.get('review-1');
                const [lat, lng] = marker.points[second];
                marker.reach.fire('click', {latlng: L.latLng(lat, lng)});
            }""",
            100,
        )
        await until(lambda: _is_near(review, scene.began + 100 * SECOND, 1), SLOW)
        await until(lambda: review.tell("probe.trail('review-1')[0] === 101"), SLOW)


async def test_notes_are_written_read_changed_and_withdrawn_by_their_author(scene: Scene, browser: Browser) -> None:
    async with reviewing(browser, scene, "judge") as review:
        await review.seek(scene.began + 40 * SECOND)
        await review.page.keyboard.press("2")
        await review.page.keyboard.press("b")
        await review.page.locator(".event-note input").check()
        await review.page.locator(".event-note textarea").fill("门已打开")
        await review.page.keyboard.press("Enter")
        row = review.page.locator(".event[data-kind=note]")
        await row.get_by_text("门已打开").wait_for()
        assert "2 王磊" in await row.inner_text()
        await review.page.wait_for_selector('.line-row[data-row="note"] .line-mark')
        await row.get_by_role("button", name="修改").click()
        await review.page.locator(".event-note textarea").fill("门被打开")
        await review.page.keyboard.press("Enter")
        await row.get_by_text("门被打开").wait_for()
    async with reviewing(browser, scene, english=True) as other:
        await other.page.locator(".event[data-kind=note] .event-press").click()
        await until(lambda: _is_near(other, scene.began + 40 * SECOND, 1), SLOW)
        assert await other.page.locator(".event-own").count() == 0
    async with reviewing(browser, scene, "judge") as review:
        await review.page.get_by_role("button", name="撤回").click()
        await review.page.wait_for_selector(".event.is-withdrawn")


async def test_a_recording_under_way_grows_on_the_page(scene: Scene, browser: Browser) -> None:
    database, root = scene.web.web.database, scene.web.web.settings.recordings
    begins = int(time.time() * 1000)  # a little ahead: nobody takes it for cut off while the page opens
    writer = ManifestWriter(root, scene.feeds[0], begins=(begins - START_MS) / 1000)

    async def write(minute: int, fragments: int) -> None:
        writer.segment("H264", 60, shot=coded_minute(minute, 10), is_sealed=False, fragments=fragments)
        await index_events(database, writer.made.events)

    await write(0, 40)
    async with reviewing(browser, scene) as review:
        await review.page.get_by_role("button", name="到最新").wait_for()
        first = await review.tell("commandReview.clock.until")
        await review.page.get_by_role("button", name="到最新").click()
        await until(lambda: _phase(review, "review-1", "live"), SLOW)
        await write(1, 40)
        await until(lambda: review.tell("commandReview.clock.until > argument", first), SLOW)
        found = await review.seek(begins + 14_000)
        assert found["phases"]["review-1"] == "live"
        await index_events(database, writer.close("ended").events[-1:])


async def test_nothing_recorded_and_nothing_readable_are_said_in_words_of_either_language(
    web: RunningWeb, browser: Browser
) -> None:
    empty = Scene(web, int(time.time() * 1000))
    async with reviewing(browser, empty, "saihan-commander") as review:
        await review.page.get_by_text("该行动还没有录像。").first.wait_for()
        await review.page.route("**/timeline", lambda route: route.abort())
        await review.page.click("#switch-language")
        await review.page.get_by_text("The recordings can't be read.").first.wait_for()


async def test_an_order_and_its_receipts_stand_where_they_were_at_each_moment(scene: Scene, browser: Browser) -> None:
    commander = await scene.web.signed_in("commander")
    order = {
        "operation_id": str(scene.operation_id), "scope": "officer", "priority": "urgent", "text": "封条贴好后拍照",
        "officer_id": str(scene.web.world.users["officer1"]), "idempotency_key": str(uuid4()),
    }  # fmt: skip
    sent = (await commander.post("/api/instructions", json=order)).json()
    receipt = Receipt(
        id=uuid4(), delivery_id=UUID(sent["deliveries"][0]["delivery_id"]), state=ReceiptState.ACCEPTED, at=0
    )
    await scene.web.web.instructions.apply(scene.web.world.users["officer1"], receipt)
    async with reviewing(browser, scene) as review:
        row = review.page.locator(".event[data-kind=instruction]")
        assert "封条贴好后拍照" in await row.inner_text()
        await row.locator(".event-press").click()
        await until(lambda: _is_near(review, sent["issued_at"], 5_000), SLOW)
        assert "已接受" not in await row.inner_text()
        await review.page.locator(".event[data-kind=receipt] .event-press").click()
        await row.get_by_text("已接受").wait_for()
        assert await review.page.locator('.line-row[data-row="order"] .line-mark').count() >= 1


async def test_a_supervisor_gives_a_purpose_and_what_is_looked_at_stands_in_the_audit(
    scene: Scene, browser: Browser
) -> None:
    async with reviewing(browser, scene, "supervisor") as review:
        await review.seek(scene.began + 50 * SECOND)
        await until(lambda: _audited(scene, "recording.viewed"), SLOW)
        await until(lambda: _audited(scene, "recording.sought"), SLOW)


async def _audited(scene: Scene, action: str) -> bool:
    async with scene.web.web.database.read() as session:
        told = select(AuditEntry.details).where(
            AuditEntry.action == action, AuditEntry.actor_id == scene.web.world.users["supervisor"]
        )
        details = list(await session.scalars(told))
    return bool(details) and all(json.loads(each)["purpose"] == "supervision" for each in details)
