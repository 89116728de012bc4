"""The review page in a real browser: recordings play, seek and grow, and the map follows the moment that is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from sqlalchemy import delete, or_, select

from command_center.evidence.index import index_events
from command_center.operations.tables import Feed, PositionRecord, Site
from streams.recording.events import RecordingEvent
from streams.recording.recorder import Recorder
from streams.recording.writer import Counters, FeedWriter
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.streams.recording.reading import manifest_of
from tests.support.browser import Watched, sign_in
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

STATE = """() => {
  const video = document.querySelector('#player video');
  const text = (selector) => document.querySelector(selector)?.textContent ?? '';
  return video && {
    time: video.currentTime, duration: video.duration, paused: video.paused, rate: video.playbackRate,
    ready: video.readyState, error: video.error && video.error.message, wall: text('.player-wall'),
    frames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth,
    message: document.querySelector('.player-message').hidden ? '' : text('.player-message'),
    gap: document.querySelector('.player-gap').hidden ? '' : text('.player-gap'),
    gaps: document.querySelectorAll('.player-gaps i').length,
  };
}"""
MARKER = """() => {
  const frame = document.querySelector('#review-map iframe')?.contentWindow?.mapFrame;
  const found = frame && [...frame.markers.entries()].find(([, marker]) => marker.isPlaced);
  return found && {feed: found[0], place: [found[1].place.lat, found[1].place.lng], trail: found[1].points.length};
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def web(tmp_path: Path, valkey: Valkey) -> AsyncIterator[RunningWeb]:
    """A web process of this test's own: each begins without a recording."""
    async with running_web(settings_for(tmp_path, valkey.url)) as running:
        yield running


@dataclass
class Scene:
    """The page, and the records and files behind it."""

    web: RunningWeb
    page: Page
    watched: Watched
    feeds: list[UUID]
    start: datetime

    async def record(
        self,
        feed: int,
        seconds: float,
        *,
        codec: str = "H264",
        hole: tuple[float, float] = (0, 0),
        silence: tuple[float, float] = (0, 0),
        is_cut_off: bool = False,
    ) -> str:
        """A recording that began at `start`: without what came in `hole` (seconds of it), without
        sound in `silence`, or never told to be over."""
        video = H264 if codec == "H264" else VP8
        events: list[RecordingEvent] = []
        writer = FeedWriter(
            self.root, "node-1", f"review-{feed}", [video, OPUS], Counters(), events.append, lambda: None
        )
        publisher = self.publisher(codec, seconds)
        for packet in publisher.packets():
            moment = (packet[2] - publisher.start_ns) / 1e9
            if not hole[0] <= moment < hole[1] and not (packet[0] == "audio" and silence[0] <= moment < silence[1]):
                writer.take(packet)
        writer.close("ended")
        await index_events(self.web.web.database, events[:1] if is_cut_off else events)
        return str(events[0].recording)

    def publisher(self, codec: str, seconds: float) -> Publisher:
        start_ns = int(self.start.timestamp() * 1000) * 1_000_000
        units = [*clip(codec, seconds), *tone(seconds)]  # type: ignore[arg-type]
        return Publisher(units, start_ns=start_ns, video_payload_type=102 if codec == "H264" else 96)

    @property
    def root(self) -> Path:
        return self.web.web.settings.recordings

    async def state(self) -> dict[str, Any]:
        return await self.page.evaluate(STATE) or {}

    async def open(self, recording: str) -> None:
        await self.page.click(f'[data-recording="{recording}"]')
        await until(self.plays, seconds=15)

    async def plays(self) -> bool:
        state = await self.state()
        return bool(state) and state["time"] > 0.3 and state["frames"] > 5 and not state["message"]

    async def seeks_to(self, seconds: float) -> dict[str, Any]:
        """Pause, go to a moment, and wait until its picture stands."""
        await self.page.evaluate(
            "(to) => {const v = document.querySelector('#player video'); v.pause(); v.currentTime = to;}", seconds
        )
        return await until(lambda: self.stands_at(seconds), seconds=10)

    async def stands_at(self, seconds: float) -> dict[str, Any] | None:
        state = await self.state()
        is_there = abs(state["time"] - seconds) < 0.01 and state["ready"] >= 2 and not state["message"]
        return state if is_there else None

    async def place(self) -> list[float] | None:
        marker = await self.page.evaluate(MARKER)
        return marker["place"] if marker else None


@asynccontextmanager
async def scene_of(web: RunningWeb, browser: Browser, username: str = "commander") -> AsyncIterator[Scene]:
    web.web.settings.recordings.mkdir(parents=True, exist_ok=True)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=90)
    async with web.web.database.write() as session:
        sites = list(
            await session.scalars(
                select(Site).where(Site.operation_id == web.world.operation_id).order_by(Site.ordinal)
            )
        )
        feeds = [_feed(site, number, web) for number, site in enumerate(sites[:2], start=1)]
        session.add_all(feeds)
        await session.flush()
        session.add_all(_position(feeds[0].id, start + timedelta(seconds=second), second) for second in range(-5, 60))
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    page, watched = await context.new_page(), Watched()
    watched.watch(page)
    scene = Scene(web, page, watched, [feed.id for feed in feeds], start)
    yield scene
    assert watched.errors == []
    assert watched.foreign == []
    await context.close()


def _feed(site: Site, number: int, web: RunningWeb) -> Feed:
    return Feed(
        id=uuid4(), name=f"review-{number}", operation_id=site.operation_id, site_id=site.id,
        officer_id=web.world.users[f"officer{number}"], device=f"review-{number}", created_at=datetime.now(UTC),
    )  # fmt: skip


def _position(feed_id: UUID, taken_at: datetime, second: int) -> PositionRecord:
    return PositionRecord(
        id=uuid4(), feed_id=feed_id, latitude=40.84 + second * 1e-4, longitude=111.7 + second * 2e-4, accuracy_m=6,
        heading_deg=63.0, taken_at=taken_at, received_at=taken_at, clock_offset_ms=0, road="channel",
    )  # fmt: skip


async def go(scene: Scene, username: str = "commander") -> None:
    await sign_in(scene.page, scene.web.url, username, scene.web.world.passwords[username], "/review")


async def test_a_recording_plays_and_seeks_with_its_position_moving_on_the_map(
    web: RunningWeb, browser: Browser
) -> None:
    async with scene_of(web, browser) as scene:
        recording = await scene.record(1, 24.0, hole=(12.0, 15.0))
        await go(scene)
        await scene.page.wait_for_selector(".recording")
        await scene.open(recording)
        state = await scene.state()
        assert state["duration"] == pytest.approx(24.0, abs=0.1)
        assert state["width"] == 320
        shanghai = scene.start + timedelta(hours=8)
        assert state["wall"].startswith(f"{shanghai:%Y-%m-%d}")
        for second in (20.5, 3.25, 17.4, 0.5):
            state = await scene.seeks_to(second)
            assert state["wall"].endswith(f"{shanghai + timedelta(seconds=second):%H:%M:%S}")
            expected = [40.84 + int(second) * 1e-4, 111.7 + int(second) * 2e-4]
            await until(lambda expected=expected: _is_at(scene, expected))
        marker = await scene.page.evaluate(MARKER)
        assert marker["feed"] == "review-1"
        assert 23 <= marker["trail"] <= 26
        state = await scene.seeks_to(13.5)
        assert state["gaps"] == 1
        assert state["gap"]


OFFICER = """() => {
  const frame = document.querySelector('#review-map iframe')?.contentWindow;
  const officer = frame?.document.querySelector('.officer');
  const age = officer?.querySelector('.officer-age').textContent;
  return officer && {isOld: officer.classList.contains('is-old'), age};
}"""


async def test_before_the_first_fix_nobody_is_on_the_map_and_after_a_hole_the_place_is_old(
    web: RunningWeb, browser: Browser
) -> None:
    async with scene_of(web, browser) as scene:
        async with web.web.database.write() as session:
            after = PositionRecord.taken_at > scene.start + timedelta(seconds=8)
            first = PositionRecord.taken_at < scene.start + timedelta(seconds=6)
            await session.execute(delete(PositionRecord).where(or_(after, first)))
        recording = await scene.record(1, 30.0)
        await go(scene)
        await scene.page.wait_for_selector(".recording")
        await scene.open(recording)
        await scene.seeks_to(7.5)
        await until(lambda: _officer(scene, {"isOld": False, "age": ""}))
        await scene.seeks_to(2.0)
        await until(lambda: _officer(scene, None))
        await scene.seeks_to(29.0)
        await until(lambda: _officer(scene, {"isOld": True, "age": "0:21 前"}))
        await scene.page.keyboard.press("?")
        keys = await scene.page.locator("dialog.keys").inner_text()
        assert "暂停" in keys
        assert "放大" not in keys


async def _officer(scene: Scene, expected: object) -> bool:
    found = await scene.page.evaluate(OFFICER)
    return bool(found == expected)


async def test_a_track_that_cannot_be_loaded_is_told_and_tried_again(web: RunningWeb, browser: Browser) -> None:
    async with scene_of(web, browser) as scene:
        recording = await scene.record(1, 10.0)
        await go(scene)
        await scene.page.wait_for_selector(".recording")
        await scene.page.route("**/track", lambda route: route.abort())
        await scene.open(recording)
        await scene.page.wait_for_selector("#review-map-notes .track-failed")
        scene.watched.errors.clear()  # the browser's own word on the request that was made to fail
        await scene.page.unroute("**/track")
        await scene.page.click("#review-map-notes button")
        await scene.page.wait_for_selector("#review-map-notes:empty", state="attached")
        await until(lambda: _has_trail(scene))


async def _has_trail(scene: Scene) -> bool:
    marker = await scene.page.evaluate(MARKER)
    return bool(marker and marker["trail"])


async def _is_at(scene: Scene, expected: list[float]) -> bool:
    return await scene.place() == pytest.approx(expected, abs=1e-6)


async def test_keys_play_pause_skip_and_change_the_speed(web: RunningWeb, browser: Browser) -> None:
    async with scene_of(web, browser) as scene:
        first = await scene.record(1, 24.0)
        await scene.record(2, 6.0, codec="VP8")
        await go(scene)
        await scene.page.wait_for_selector(".recording")
        await scene.open(first)
        await scene.page.keyboard.press("Space")
        await until(lambda: _has(scene, "paused", True))
        before = (await scene.state())["time"]
        await scene.page.keyboard.press("ArrowRight")
        await until(lambda: scene.stands_at(before + 5))
        await scene.page.keyboard.press("Shift+ArrowLeft")
        await until(lambda: scene.stands_at(0))
        await scene.page.keyboard.press(".")
        await until(lambda: _has(scene, "rate", 2))
        await scene.page.keyboard.press("Space")
        await until(lambda: _has(scene, "paused", False))
        await scene.page.keyboard.press("ArrowDown")
        await until(lambda: _plays_for(scene, 6.0))
        assert (await scene.state())["rate"] == 2
        current = await scene.page.evaluate("document.querySelectorAll('.recording[aria-current]').length")
        assert current == 1


async def _has(scene: Scene, name: str, value: object) -> bool:
    return bool((await scene.state()).get(name) == value)


async def _plays_for(scene: Scene, seconds: float) -> bool:
    state = await scene.state()
    return abs((state.get("duration") or 0) - seconds) < 0.2 and state["time"] > 0.3


async def test_a_recording_that_a_crash_cut_off_plays_and_seeks_like_any_other(
    web: RunningWeb, browser: Browser
) -> None:
    async with scene_of(web, browser) as scene:
        for number, codec in ((1, "H264"), (2, "VP8")):
            recording = await scene.record(number, 12.0, codec=codec, is_cut_off=True)
            path = next(scene.root.rglob(f"{recording}.[mw]*"))
            manifest = path.with_suffix(".jsonl")
            lines = manifest.read_bytes().splitlines(keepends=True)
            manifest.write_bytes(b"".join(lines[:-4]) + lines[-4][:40])
            data = path.read_bytes()
            path.write_bytes(data[: len(data) - 20_000])
        events: list[RecordingEvent] = []
        recorder = Recorder(scene.root, "node-1", events.append)
        recorder.start()
        await until(lambda: len(events) == 4)
        await recorder.close()
        await index_events(web.web.database, events)
        await go(scene, "supervisor")
        await scene.page.wait_for_selector('.recording[data-state="node"]')
        for event in events[1::2]:
            await scene.open(str(event.recording))
            for second in (10.0, 1.5, 8.75):
                await scene.seeks_to(second)
            assert (await scene.state())["duration"] == pytest.approx(getattr(event, "seconds", 0), abs=0.1)


async def test_sound_that_stops_and_bytes_that_are_damaged_do_not_end_the_playing(
    web: RunningWeb, browser: Browser
) -> None:
    async with scene_of(web, browser) as scene:
        silent = await scene.record(1, 12.0, silence=(2.0, 9.0))
        damaged = await scene.record(2, 12.0, codec="VP8")
        path = next(scene.root.rglob(f"{damaged}.webm"))
        data = bytearray(path.read_bytes())
        manifest = manifest_of(path)
        for line in manifest.fragments:
            if 2.4 < line.start < 3.4:
                data[line.offset + 60 : line.offset + line.length] = bytes(line.length - 60)
        path.write_bytes(data)
        await go(scene)
        await scene.page.wait_for_selector(".recording")
        await scene.open(silent)
        seen: set[int] = set()

        async def plays_on(until_seconds: float) -> bool:
            state = await scene.state()
            seen.add(int(state["time"]))
            return bool(state["time"] >= until_seconds)

        await until(lambda: plays_on(9.5), seconds=25)
        assert seen >= set(range(3, 9))
        await scene.open(damaged)
        await until(lambda: plays_on(6.0), seconds=20)
        assert (await scene.state())["message"] == ""


async def test_a_recording_under_way_grows_on_the_page_until_it_ends(web: RunningWeb, browser: Browser) -> None:
    async with scene_of(web, browser) as scene:
        events: list[RecordingEvent] = []
        recorder = Recorder(scene.root, "node-1", events.append)
        recorder.start()
        sink = recorder.open("review-1", [H264, OPUS])
        publisher = scene.publisher("H264", 14.0)
        publisher.start_ns = time.time_ns()

        async def publish() -> None:
            for kind, packet, arrival_ns in publisher.packets():
                ahead = (arrival_ns - time.time_ns()) / 1e9
                if ahead > 0.01:
                    await asyncio.sleep(ahead)
                sink.packet(kind, packet, arrival_ns)
            sink.close("ended")

        async def index() -> None:
            while not any(event.type == "recording-closed" for event in events) or recorder.open_recordings:
                await asyncio.sleep(0.2)
                await index_events(web.web.database, events)
            await index_events(web.web.database, events)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish())
            tasks.create_task(index())
            await until(lambda: events, seconds=10)
            await go(scene)
            await scene.page.wait_for_selector('.recording[data-state="recording"]')
            await scene.page.click(".recording")
            await until(scene.plays, seconds=10)
            early = (await scene.state())["duration"]
            await until(lambda: _is_longer(scene, early + 2), seconds=10)
        await recorder.close()
        await until(lambda: _is_longer(scene, 13.8), seconds=10)
        await scene.page.wait_for_selector('.recording[data-state="ended"]', timeout=15_000)
        await scene.seeks_to(13.0)


async def _is_longer(scene: Scene, seconds: float) -> bool:
    return bool((await scene.state())["duration"] >= seconds)


async def test_nothing_recorded_and_nothing_readable_are_said_in_words_of_either_language(
    web: RunningWeb, browser: Browser
) -> None:
    async with scene_of(web, browser) as scene:
        await go(scene)
        await scene.page.get_by_text("该行动还没有录像。").wait_for()
        await scene.page.click("#switch-language")
        await scene.page.get_by_text("There are no recordings of this operation yet.").wait_for()
        recording = await scene.record(1, 4.0)
        for path in scene.root.rglob(f"{recording}*"):
            path.unlink()
        await scene.page.click(f'[data-recording="{recording}"]')
        await scene.page.get_by_text("The store doesn't have this recording.").first.wait_for()
        scene.watched.errors.clear()  # the browser writes the 503 down itself
