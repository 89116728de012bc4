"""An operation to be reviewed, in a real web process: cameras whose frames carry their time, tracks, and the page."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from playwright.async_api import Browser, Page
from sqlalchemy import select

from command_center.accounts.tables import MediaToken
from command_center.evidence.index import index_events
from command_center.operations.tables import Feed, PositionRecord, Site
from streams.recording.events import RecordingEvent
from streams.recording.writer import Counters, FeedWriter
from streams.voice_protocol import grant_name, talk_line, talk_name
from tests.streams.recording.publisher import OPUS, Publisher, tone
from tests.streams.recording.reading import place
from tests.support.browser import Watched, holds, sign_in
from tests.support.long_operation import Camera, record
from tests.support.manifests import Made
from tests.support.waiting import until
from tests.support.web import RunningWeb

PROBE = (Path(__file__).parent / "review_probe.js").read_text(encoding="utf-8")
TIME_CODE = (Path(__file__).parent / "time_code.js").read_text(encoding="utf-8").replace("export ", "")
BEGUN_APART_MS = (0, 137, 3_210, 61_040, 20, 500)
"""How much later than the first each camera began."""


@dataclass
class Scene:
    """The operation, its feeds, and when it began (Unix ms)."""

    web: RunningWeb
    began: int
    feeds: list[str] = field(default_factory=list)
    made: dict[str, list[Made]] = field(default_factory=dict)

    @property
    def operation_id(self) -> UUID:
        """The city's."""
        return self.web.world.operation_id

    def begins(self, number: int) -> int:
        """When the so-manieth camera (from 0) began."""
        return self.began + BEGUN_APART_MS[number % len(BEGUN_APART_MS)]

    async def add_feeds(self, count: int) -> None:
        """An officer with a camera at each of the first sites."""
        database = self.web.web.database
        async with database.write() as session:
            own = select(Site).where(Site.operation_id == self.operation_id).order_by(Site.ordinal)
            sites = list(await session.scalars(own))
            for number in range(1, count + 1):
                feed = Feed(
                    id=uuid4(),
                    name=f"review-{number}",
                    operation_id=self.operation_id,
                    site_id=sites[(number - 1) % len(sites)].id,
                    officer_id=self.web.world.users[f"officer{number}"],
                    device=f"review-{number}",
                    created_at=datetime.now(UTC),
                )
                session.add(feed)
                self.feeds.append(feed.name)

    async def record(self, number: int, minutes: int, **changes: Any) -> list[Made]:
        """Recordings of the so-manieth camera (from 0), indexed: by what was told at their segments' ends."""
        root = self.web.web.settings.recordings
        root.mkdir(parents=True, exist_ok=True)
        feed = self.feeds[number]
        made = record(root, Camera(feed, self.begins(number), minutes, **changes))
        self.made[feed] = made
        await index_events(
            self.web.web.database, [event for one in made for event in one.events if event.line.type != "fragment"]
        )
        return made

    async def note(self, seconds: range) -> None:
        """A bookmark of the judge at each of these seconds."""
        client = await self.web.signed_in("judge")
        for second in seconds:
            at = datetime.fromtimestamp(self.began / 1000 + second, UTC).isoformat()
            answer = await client.post(
                f"/api/operations/{self.operation_id}/notes", json={"at": at, "text": f"{second}"}
            )
            assert answer.status_code == 201, answer.text

    async def speak(self, begins: int, seconds: float) -> None:
        """The commander says something to the officers, recorded as a node does it."""
        line = talk_line(self.operation_id, "nonce")
        database = self.web.web.database
        async with database.write() as session:
            known = select(MediaToken).where(MediaToken.feed == grant_name(line))
            if await session.scalar(known.limit(1)) is None:
                at = datetime.now(UTC)
                session.add(
                    MediaToken(
                        id=uuid4(), user_id=self.web.world.users["commander"], feed=grant_name(line),
                        may_publish=True, issued_at=at, expires_at=at,
                    )
                )  # fmt: skip
        events: list[RecordingEvent] = []
        root = self.web.web.settings.recordings
        writer = FeedWriter(
            place(root), talk_name(line, "node-1"), [OPUS], Counters(), events.append, lambda: None, uuid4()
        )
        for packet in Publisher(list(tone(seconds)), start_ns=begins * 1_000_000).packets():
            writer.take(packet)
        writer.close("ended")
        await index_events(database, events)

    async def site_of(self, number: int) -> tuple[float, float]:
        """Where the site of the so-manieth camera is."""
        async with self.web.web.database.read() as session:
            feed = (await session.scalars(select(Feed).where(Feed.name == self.feeds[number]))).one()
            site = await session.get_one(Site, feed.site_id)
            return site.latitude, site.longitude

    async def walk(self, number: int, seconds: int, *, without: range = range(0)) -> None:
        """A fix each second, of a phone whose clock is ten minutes ahead."""
        start = datetime.fromtimestamp(self.began / 1000, UTC)
        ahead = timedelta(minutes=10)
        async with self.web.web.database.write() as session:
            feed = (await session.scalars(select(Feed).where(Feed.name == self.feeds[number]))).one()
            site = await session.get_one(Site, feed.site_id)
            for second in range(seconds):
                if second in without:
                    continue
                latitude, longitude = place_of(site.latitude, site.longitude, number, second)
                at = start + timedelta(seconds=second)
                session.add(
                    PositionRecord(
                        id=uuid4(), feed_id=feed.id, latitude=latitude, longitude=longitude, accuracy_m=6,
                        heading_deg=float(second % 360), taken_at=at + ahead, received_at=at,
                        clock_offset_ms=-600_000, road="channel",
                    )
                )  # fmt: skip


def place_of(latitude: float, longitude: float, number: int, second: int) -> tuple[float, float]:
    """Where the officer of the so-manieth camera is so many seconds after the beginning."""
    turn = second / 97 + number
    return latitude + 0.004 * math.sin(turn) + second * 1e-6, longitude + 0.005 * math.cos(turn)


@dataclass
class ReviewPage:
    """The review in a browser, with the probe in it."""

    page: Page
    watched: Watched
    scene: Scene

    async def tell(self, expression: str, argument: Any = None) -> Any:
        """Evaluate on the page, where `probe` is what `review_probe.js` makes."""
        return await self.page.evaluate(
            f"(argument) => {{ const probe = window.probe; return {expression}; }}", argument
        )

    async def ready(self, tiles: int, seconds: float = 30.0) -> None:
        """Wait until so many cameras stand in step."""
        await until(lambda: self.tell(f"probe.live() === {tiles}"), seconds)

    async def seek(self, at: int) -> dict[str, Any]:
        """Jump, and tell how long it took until every picture stood, and what they show."""
        found: dict[str, Any] = await self.tell("probe.seek(argument)", at)
        return found


@asynccontextmanager
async def reviewing(
    browser: Browser,
    scene: Scene,
    username: str = "commander",
    *,
    viewport: tuple[int, int] = (1920, 1080),
    english: bool = False,
    query: str = "",
) -> AsyncIterator[ReviewPage]:
    """The page of this person, once the purpose is given."""
    context = await browser.new_context(viewport={"width": viewport[0], "height": viewport[1]})
    page, watched = await context.new_page(), Watched()
    watched.watch(page)
    web = scene.web
    await sign_in(page, web.url, username, web.world.passwords[username], "/sign-in")
    await page.evaluate(
        """async (language) => (await fetch('/api/session', {
            method: 'PATCH', headers: {'Content-Type': 'application/json', 'X-CSRFToken':
                decodeURIComponent(document.cookie.match(/_csrf_token=([^;]*)/)[1])},
            body: JSON.stringify({language}),
        })).status""",
        "en" if english else "zh",
    )
    await page.goto(f"{web.url}/review{query}")
    await give_purpose(page)
    await page.evaluate(f"() => {{ {TIME_CODE}\n{PROBE}\nwindow.probe = makeProbe(read); }}")
    if scene.made:
        await holds(page, "() => commandReview.clock.until > 0 && commandReview.isSettled", seconds=60)
    review = ReviewPage(page, watched, scene)
    try:
        yield review
    finally:
        await context.close()


async def give_purpose(page: Page) -> None:
    """Answer what the review is for."""
    await page.wait_for_selector("dialog.purpose[open]", timeout=30_000)
    await page.click("dialog.purpose button[type=submit]")
    await holds(page, "() => !document.querySelector('dialog.purpose')")
