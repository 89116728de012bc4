"""The key to talk on the centre's screen, in a real Chromium, with a played node at the line's other end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from command_center.accounts.permissions import Role
from tests.support import tone
from tests.support.browser import Watched, holds
from tests.support.played_centre import NODE, PlayedCentre, milliseconds, played_centre
from tests.support.small_line import SmallLine
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

SCREEN: Any = {"width": 1920, "height": 1080}
SMALL: Any = {"width": 1366, "height": 768}
SLOW = 30.0
REFUSING = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
BUSY = [{"feed": "feed-0", "speaker": "李法官"}]
ANSWERS: list[tuple[dict[str, Any], str]] = [
    ({"type": "refused", "code": "busy", "busy": BUSY}, "李法官 正在对其讲话"),
    ({"type": "refused", "code": "not-in-operation", "busy": []}, "不属于本次行动"),
    ({"type": "hushed", "reason": "limit"}, "讲话时限"),
    ({"type": "hushed", "reason": "silent"}, "没有声音传出"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def centre() -> AsyncIterator[PlayedCentre]:
    async with played_centre() as centre:
        # Nobody sends a picture: what is on the air is so by its word alone, and no viewing session is opened.
        centre.feeds = [centre.feed(index, "connecting") for index in range(3)]
        yield centre


@asynccontextmanager
async def opened(
    browser: Browser, centre: PlayedCentre, script: str = tone.MICROPHONE, viewport: Any = SCREEN
) -> AsyncIterator[tuple[Page, Watched]]:
    """The centre's page with its tiles."""
    context = await browser.new_context(viewport=viewport)
    await context.add_init_script(script)
    page = await context.new_page()
    watched = Watched()
    watched.watch(page)
    await page.goto(centre.url)
    await page.wait_for_selector(".tile >> nth=2", timeout=SLOW * 1000)
    try:
        yield page, watched
    finally:
        await context.close()


async def news(page: Page, text: str) -> None:
    """Wait until the bar says so."""
    await holds(page, "(text) => document.querySelector('.talk').textContent.includes(text)", text, SLOW)


async def ready(page: Page, target: str = "all") -> None:
    """Wait for the line, and choose whom the key is for."""
    await page.select_option(".talk-target", value=target)
    await holds(page, "!document.querySelector('.talk-key').disabled", seconds=SLOW)


async def said(centre: PlayedCentre, kind: str, count: int = 1, node: str = NODE) -> dict[str, Any]:
    """What the page said last of this kind."""
    heard = centre.lines[node].heard
    await until(lambda: len([one for one in heard if one["type"] == kind]) >= count, SLOW)
    return [one for one in heard if one["type"] == kind][-1]


def carry(centre: PlayedCentre, *nodes: str) -> None:
    """Let there be these nodes, and let each carry one of the feeds."""
    for node in nodes:
        centre.lines.setdefault(node, SmallLine(sends=False))
    for feed, node in zip(centre.feeds, nodes, strict=False):
        feed["node"] = node
    centre.parts = [part(node) for node in nodes]


def part(node: str) -> dict[str, Any]:
    """What the page is told of a node that runs."""
    return {"type": "part", "name": f"media-{node}", "state": "running", "since": milliseconds()}


def answer(centre: PlayedCentre, node: str, talk: dict[str, Any], *heard: str) -> None:
    """A node says who hears the talk by it."""
    centre.lines[node].say(type="talking", id=talk["id"], heard=heard, busy=[], seconds_left=120)


async def test_a_key_or_a_button_talks_to_the_chosen_while_it_is_held(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, watched):
        await ready(page, f"site:{centre.sites[1]['id']}")
        await page.keyboard.down("t")
        talk = await said(centre, "talk")
        assert talk["to"] == ["feed-1"]
        centre.line.say(type="talking", id=talk["id"], heard=["feed-1"], busy=[], seconds_left=120)
        await news(page, "1/1")
        await page.wait_for_selector(".tile[data-feed='feed-1'] .tile-voice")
        centre.line.say(type="ending", id=talk["id"], seconds_left=15)
        await news(page, "秒后自动结束")
        await page.keyboard.up("t")
        assert (await said(centre, "hush"))["id"] == talk["id"]
        await page.wait_for_selector(".tile-voice", state="detached")

        await page.keyboard.down("t")
        await said(centre, "talk", 2)
        await page.evaluate("dispatchEvent(new Event('blur'))")
        await said(centre, "hush", 2)
        await page.keyboard.up("t")
        await page.press("#instruction-text", "t")
        assert await page.input_value("#instruction-text") == "t"

        button = page.locator(".tile[data-feed='feed-2'] .tile-talk")
        await button.hover()
        await page.mouse.down()
        assert (await said(centre, "talk", 3))["to"] == ["feed-2"]
        await page.mouse.up()
        await said(centre, "hush", 3)
        await button.focus()
        await page.keyboard.down("Enter")
        await said(centre, "talk", 4)
        await page.keyboard.up("Enter")
        await said(centre, "hush", 4)
        assert await page.locator(".tile.is-spotlit").count() == 0, "the tile took the press for its own"
        assert watched.errors == []


async def test_why_it_does_not_go_on_is_said_in_words(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        await ready(page)
        for count, (answer, words) in enumerate(ANSWERS, 1):
            await page.keyboard.down("t")
            talk = await said(centre, "talk", count)
            centre.line.say(**answer, id=talk["id"])
            await news(page, words)
            await page.keyboard.up("t")
        await page.keyboard.down("t")
        await said(centre, "talk", len(ANSWERS) + 1)
        await centre.line.close()
        await news(page, "语音线路断开")
        await page.keyboard.up("t")
        await ready(page)
        assert centre.line.begun == 2


async def test_a_refused_microphone_is_said_in_words_and_nobody_is_talked_to(
    browser: Browser, centre: PlayedCentre
) -> None:
    async with opened(browser, centre, REFUSING) as (page, _):
        await ready(page)
        await page.keyboard.down("t")
        await news(page, "请在地址栏旁允许话筒")
        await page.keyboard.up("t")
        assert not [one for one in centre.line.heard if one["type"] == "talk"]


async def test_nodes_that_are_full_or_hang_keep_nobody_from_the_others(browser: Browser, centre: PlayedCentre) -> None:
    carry(centre, "one", "two", "three")
    centre.full, centre.hung = {"two"}, {"three"}
    async with opened(browser, centre) as (page, watched):
        await ready(page, f"site:{centre.sites[1]['id']}")
        await news(page, "3 个媒体节点中接通 1 个，未接通：2 某现场2、3 某现场3")
        await page.keyboard.down("t")
        await news(page, "暂时接不通：2 某现场2")
        await page.keyboard.up("t")
        assert not centre.line.heard

        await ready(page)
        await page.keyboard.down("t")
        talk = await said(centre, "talk")
        assert talk["to"] == ["feed-0", "feed-1", "feed-2"]
        answer(centre, "one", talk, "feed-0")
        await news(page, "1/3")
        await news(page, "3 个媒体节点中接通 1 个")
        # Room again at the second, while the key is down: it carries the rest.
        centre.full.clear()
        assert await said(centre, "talk", node="two") == talk
        answer(centre, "two", talk, "feed-1")
        await news(page, "2/3")
        await news(page, "3 个媒体节点中接通 2 个，未接通：3 某现场3")
        centre.hung.clear()
        assert await said(centre, "talk", node="three") == talk
        await page.keyboard.up("t")
        for node in ("one", "two", "three"):
            assert (await said(centre, "hush", node=node))["id"] == talk["id"]
        await holds(page, "!document.querySelector('.talk').textContent.includes('媒体节点')", seconds=SLOW)
        assert centre.line.begun == 1, "the first node's line was opened anew"
        assert not [error for error in watched.errors if "503" not in error]


WALL_HEAD = """() => {
    const head = document.querySelector('.panel-wall .panel-head');
    const box = (one) => one.getBoundingClientRect();
    const parts = [...head.querySelectorAll('h2, button, select, .state, .talk-trouble')];
    const isCut = (one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflow === 'hidden';
    return {
        cut: parts.filter((one) => box(one).right > box(head).right || isCut(one)).map((one) => one.textContent),
        title: box(head.querySelector('h2')).height,
    };
}"""


async def test_the_walls_head_cuts_nothing_off_on_a_small_screen(browser: Browser, centre: PlayedCentre) -> None:
    centre.language = "en"
    centre.feeds = [centre.feed(0, "connecting"), centre.feed(1, "lost", "network"), centre.feed(2, "ended", "officer")]
    carry(centre, "one", "two")
    centre.full = {"two"}
    async with opened(browser, centre, viewport=SMALL) as (page, _):
        await ready(page, "all")
        await news(page, "1 of 2 media nodes reached; not reached: 2")
        await page.keyboard.down("t")
        answer(centre, "one", await said(centre, "talk"), "feed-0")
        await news(page, "1/2 listening")
        head = await page.evaluate(WALL_HEAD)
        await page.keyboard.up("t")
        assert head["cut"] == []
        assert head["title"] < 30, "the title stands on several lines"


async def test_a_talk_goes_on_at_the_nodes_that_still_carry_it(browser: Browser, centre: PlayedCentre) -> None:
    carry(centre, "one", "two", "three")
    async with opened(browser, centre) as (page, _):
        await ready(page)
        await until(lambda: all(line.is_open for line in centre.lines.values()), SLOW)
        await page.keyboard.down("t")
        talk = await said(centre, "talk")
        answer(centre, "one", talk, "feed-0")
        answer(centre, "two", talk, "feed-1")
        await news(page, "2/3")
        # The third never answers, the first breaks off; its line comes back, and it is told again.
        await news(page, "3 个媒体节点中接通 2 个，未接通：3 某现场3")
        await centre.line.close()
        assert await said(centre, "talk", 2) == talk
        answer(centre, "one", talk, "feed-0")
        await news(page, "2/3")
        centre.line.say(type="hushed", id=talk["id"], reason="silent")
        await news(page, "1/3")
        centre.lines["two"].say(type="hushed", id=talk["id"], reason="silent")
        await news(page, "没有声音传出")
        await page.keyboard.up("t")


async def test_a_node_that_comes_up_later_gets_a_line_too(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, watched):
        await ready(page)
        carry(centre, "one", "two")
        await centre.tell(part("two"))
        await until(lambda: centre.lines["two"].is_open, SLOW)
        # Another one while the page's socket is away.
        carry(centre, "one", "two", "three")
        for socket in list(centre.sockets):
            await socket.close()
        await until(lambda: centre.lines["three"].is_open, SLOW)
        # And one of which only a feed tells.
        carry(centre, "four", "two", "three")
        await centre.tell(centre.feeds[0])
        await until(lambda: centre.lines["four"].is_open, SLOW)
        assert [line.begun for line in centre.lines.values()] == [1, 1, 1, 1]
        assert centre.rights_to_talk == 4
        assert watched.errors == []


async def test_everybody_sees_who_talks_also_who_has_no_key(browser: Browser, centre: PlayedCentre) -> None:
    centre.role = Role.JUDGE
    async with opened(browser, centre) as (page, watched):
        await until(lambda: centre.sockets, SLOW)
        assert await page.locator(".talk-key").count() == 0
        view = {
            "type": "talk", "talk_id": str(uuid4()), "speaker_id": str(UUID(int=9)), "speaker": "李法官",
            "to": ["feed-0", "feed-1", "feed-2"], "heard": ["feed-0"], "began_at": milliseconds(), "is_over": False,
        }  # fmt: skip
        seen = "() => document.querySelector('.talk').textContent.includes('李法官 正在对 全体 讲话')"

        async def is_told() -> bool:
            await centre.tell(view)
            return bool(await page.evaluate(seen))

        await until(is_told, SLOW)
        assert await page.locator(".tile[data-feed='feed-0'] .tile-voice").count() == 1
        await centre.tell(view | {"is_over": True})
        await page.wait_for_selector(".tile-voice", state="detached", timeout=SLOW * 1000)
        assert watched.errors == []
