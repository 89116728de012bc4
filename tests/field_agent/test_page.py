"""The officer's page in a real Chromium with a camera: what an officer does and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from streams.protocol import CameraState
from tests.support.browser import Watched, chromium, holds
from tests.support.node import running_node
from tests.support.phone import CAMERA_SWITCH
from tests.support.relay import relayed
from tests.support.small_centre import SmallCentre, small_centre
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

PLACE = {"latitude": 40.8426, "longitude": 111.7492, "accuracy": 7.0}
TOO_SMALL = """() => [...document.querySelectorAll('button, input, textarea')]
    .filter((one) => one.offsetParent !== null)
    .map((one) => [one.id || one.className, one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 48 || box.width < 48)
    .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.id || one.className || one.tagName)"""
WHOLE_SITE = "document.querySelector('#chip-site').scrollWidth <= document.querySelector('#chip-site').clientWidth"

KEPT_POSITIONS = """() => new Promise((resolve) => {
    const opening = indexedDB.open('field');
    opening.onsuccess = () => {
        const all = opening.result.transaction('outbox').objectStore('outbox').getAll();
        all.onsuccess = () => {
            opening.result.close();
            resolve(all.result.filter((one) => one.message.type === 'position').length);
        };
    };
})"""


NO_LAYERS = """(() => {
    const add = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (track, init) {
        if (init.sendEncodings?.length > 1) throw new TypeError('one encoding, please');
        return add.call(this, track, init);
    };
})()"""
NETWORK_CHANGE = "() => dispatchEvent(new Event('online'))"


@pytest_asyncio.fixture(loop_scope="module")
async def centre() -> AsyncIterator[SmallCentre]:
    async with small_centre() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all phones of the module: each is a context of its own, with a storage of its own."""
    async with chromium(fake_camera=True) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        geolocation=PLACE,
        permissions=["camera", "microphone", "geolocation"],
    )
    yield context
    await context.close()


async def sign_in(context: BrowserContext, centre: SmallCentre) -> Page:
    page = await context.new_page()
    await page.goto(f"{centre.url}/field")
    await page.fill("#username", "officer")
    await page.fill("#password", "right")
    await page.click("#sign-in")
    await page.wait_for_selector(".site")
    return page


async def go_live(page: Page, site: int = 2) -> None:
    await page.click(f"[data-site-ordinal='{site}']")
    await page.click("#allow")
    await page.click("#go-live")
    await phase(page, "live", 15)


async def phase(page: Page, wanted: str, seconds: float = 10, reason: str = "") -> None:
    selector = f"#strip[data-phase='{wanted}']" + (f"[data-reason='{reason}']" if reason else "")
    await page.wait_for_selector(selector, timeout=seconds * 1000)


async def move(context: BrowserContext, step: int) -> None:
    await context.set_geolocation({**PLACE, "latitude": PLACE["latitude"] + step * 1e-5})


async def walk(context: BrowserContext, centre: SmallCentre, step: int = 1) -> None:
    """Take a step and wait until the centre knows."""
    await move(context, step)
    await until(lambda: any(abs(p.latitude - PLACE["latitude"] - step * 1e-5) < 1e-9 for p in centre.positions), 10)


async def kept(page: Page, least: int) -> None:
    """Wait until the phone keeps so many positions."""

    async def are_kept() -> bool:
        return int(await page.evaluate(KEPT_POSITIONS)) >= least

    await until(are_kept, 10)


async def test_three_taps_lead_to_a_live_picture_with_sound_and_position(
    context: BrowserContext, centre: SmallCentre
) -> None:
    watched = Watched()
    context.on("page", watched.watch)
    page = await sign_in(context, centre)
    await go_live(page, site=4)
    await until(lambda: centre.frames["video"] > 10 and centre.frames["audio"] > 10, 15)
    await until(lambda: centre.size == (1280, 720), 15)
    await walk(context, centre)
    assert centre.feeds[0]["site_id"] == centre.operations[0]["sites"][3]["id"]
    assert "m=video" in centre.offers[0]
    assert "a=simulcast:send l;m;h" in centre.offers[0], "this centre takes one of them, in full size"
    assert centre.offers[0].index("H264/90000") < centre.offers[0].index("VP8/90000")
    assert [status.state for status in centre.camera] == [CameraState.LIVE]
    assert await page.evaluate("navigator.serviceWorker.ready.then((r) => new URL(r.scope).pathname)") == "/field"
    assert watched.errors == []
    assert watched.foreign == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_view_fits_a_phone_with_large_targets(
    language: str, context: BrowserContext, centre: SmallCentre
) -> None:
    async def fits(name: str) -> None:
        assert await page.evaluate(TOO_WIDE) == [], name
        assert await page.evaluate(TOO_SMALL) == [], name
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390, name

    page = await context.new_page()
    await page.goto(f"{centre.url}/field")
    await page.wait_for_selector("#username:visible")
    if language == "en":
        await page.click("#view-sign-in .language")
        await holds(page, "document.documentElement.lang === 'en'")
    await fits("sign-in")
    await page.fill("#username", "officer")
    await page.fill("#password", "right")
    await page.click("#sign-in")
    await page.wait_for_selector(".site")
    await fits("sites")
    await page.click("[data-site-ordinal='1']")
    await fits("before the permission")
    await page.click("#allow")
    await page.wait_for_selector("#go-live:visible")
    await fits("ready")
    await page.click("#go-live")
    await phase(page, "live", 15)
    await fits("live")
    assert await page.evaluate(WHOLE_SITE), "the site's name is cut off"
    await centre.instruct("对被执行人名下车辆 蒙A·12345 采取查封措施并全程录像。" * 6, priority="critical")
    await page.wait_for_selector(".instruction")
    await fits("instruction")
    assert await page.locator("#stop").evaluate("(one) => one.getBoundingClientRect().bottom <= innerHeight")
    await page.click(".refuse")
    await fits("refusal")
    await page.click("#sheet-refuse .close")
    await page.click("#history")
    await fits("history")
    words = await page.locator("#strip-word").inner_text()
    assert words == {"zh": "直播中", "en": "LIVE"}[language]


async def test_instructions_are_answered_with_one_tap_and_told_in_order(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    routine = await centre.instruct("核对门牌", priority="routine")
    await page.click("#assets")
    await page.wait_for_selector("#sheet-assets[open]")
    critical = await centre.instruct("立即停止靠近", priority="critical")
    await page.wait_for_selector("#sheet-assets:not([open])", state="attached")
    await page.wait_for_selector(f".instruction[data-delivery='{critical.delivery_id}']")
    await until(lambda: [r.state.value for r in centre.receipts].count("seen") == 1, 5)
    await page.click(".refuse")
    await page.click(".reason >> nth=1")
    await page.click("#refuse-send")
    await page.wait_for_selector(f".instruction[data-delivery='{routine.delivery_id}']")
    await page.click(".accept")
    await page.click(".accepted .done")
    await until(lambda: any(receipt.state.value == "done" for receipt in centre.receipts), 5)

    def told(delivery: Any) -> list[str]:
        return [r.state.value for r in centre.receipts if r.delivery_id == delivery.delivery_id]

    assert told(critical) == ["delivered", "seen", "refused"]
    assert told(routine)[0] == "delivered"
    assert told(routine)[-2:] == ["accepted", "done"]
    refusal = next(receipt for receipt in centre.receipts if receipt.state.value == "refused")
    assert refusal.reason == "通道被堵，需要增援"


async def test_what_was_not_uploaded_survives_a_reload_and_arrives_once_in_order(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    await walk(context, centre)
    delivery = await centre.instruct("清点设备")
    await page.wait_for_selector(".instruction")
    centre.acknowledges = False
    await page.click(".accept")
    for step in range(2, 6):
        await move(context, step)
        await kept(page, step - 1)
    await page.reload()
    centre.acknowledges = True
    await phase(page, "live", 20)
    await until(lambda: len({p.latitude for p in centre.positions}) >= 5, 15)
    await until(lambda: any(receipt.state.value == "accepted" for receipt in centre.receipts), 10)
    steps = [round((p.latitude - PLACE["latitude"]) * 1e5) for p in centre.positions]
    assert steps == sorted(steps)
    assert len({p.id for p in centre.positions}) == len(centre.positions)
    states = [r.state.value for r in centre.receipts if r.delivery_id == delivery.delivery_id]
    assert states.count("accepted") == 1
    assert await page.locator(".accepted").count() == 1


async def test_a_phone_without_network_keeps_everything_and_comes_back(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    await walk(context, centre)
    await context.set_offline(True)
    await centre.lose_sessions()
    await phase(page, "reconnecting", 8, "network")
    await page.wait_for_selector("#chip-socket[data-state='away']")
    for step in range(2, 5):
        await move(context, step)
        await kept(page, step - 1)
    delivery = await centre.instruct("恢复后立即报告")
    await context.set_offline(False)
    await phase(page, "live", 15)
    await page.wait_for_selector(f".instruction[data-delivery='{delivery.delivery_id}']")
    await until(lambda: len({p.latitude for p in centre.positions}) >= 4, 10)
    steps = [round((p.latitude - PLACE["latitude"]) * 1e5) for p in centre.positions]
    assert steps == sorted(steps)


async def test_a_lost_session_is_opened_again_by_itself(context: BrowserContext, centre: SmallCentre) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    centre.takes_sessions = False
    await centre.lose_sessions()
    await phase(page, "reconnecting", 8)
    centre.takes_sessions = True
    await phase(page, "live", 15)
    frames = centre.frames["video"]
    await until(lambda: centre.frames["video"] > frames + 5, 10)


@pytest.mark.alone
async def test_stopping_says_so_to_the_centre_and_ends_the_session(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    await page.click("#stop")
    await page.click("#confirm-yes")
    await phase(page, "stopped", 5, "officer")
    await until(lambda: centre.camera[-1].state is CameraState.STOPPED_BY_OFFICER, 5)
    await until(lambda: len(centre.ended) == 1, 5)
    await holds(page, "document.querySelector('#preview').srcObject === null")
    await page.click("#resume")
    await phase(page, "live", 15)


@pytest.mark.alone
async def test_a_camera_that_stops_is_named_on_both_ends_and_comes_back(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    # What a phone call does: the track says that it lives, and no picture comes.
    await page.evaluate("document.querySelector('#preview').srcObject.getVideoTracks()[0].stop()")
    await phase(page, "stopped", 6, "camera")
    await until(lambda: centre.camera[-1].state is CameraState.STOPPED_BY_SYSTEM, 3)
    assert len(centre.sessions) == 1
    await phase(page, "live", 12)
    await until(lambda: centre.camera[-1].state is CameraState.LIVE, 5)
    frames = centre.frames["video"]
    await until(lambda: centre.frames["video"] > frames + 5, 10)
    assert len(centre.offers) == 1


async def test_signing_out_uploads_what_is_left_and_wipes_the_phone(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    await centre.instruct("清点设备")
    await page.click(".accept")
    await page.click("#history")
    await page.click("#sheet-history .sign-out")
    await page.click("#confirm-yes")
    await page.wait_for_selector("#username:visible")
    assert any(receipt.state.value == "accepted" for receipt in centre.receipts)
    left = await page.evaluate(
        """() => new Promise((resolve) => {
            const opening = indexedDB.open('field');
            opening.onsuccess = () => {
                const names = ['outbox', 'values'];
                const counts = names.map((name) => opening.result.transaction(name).objectStore(name).getAllKeys());
                counts[1].onsuccess = () => resolve(counts.map((one) => one.result.length));
            };
        })"""
    )
    assert left == [0, 0]
    assert not centre.is_signed_in


async def test_a_wrong_password_is_said_in_words(context: BrowserContext, centre: SmallCentre) -> None:
    page = await context.new_page()
    await page.goto(f"{centre.url}/field")
    await page.fill("#username", "officer")
    await page.fill("#password", "wrong")
    await page.click("#sign-in")
    await page.wait_for_selector("#sign-in-notice:visible")
    assert await page.inner_text("#sign-in-notice") == "用户名或密码不正确。"


async def test_a_refused_camera_is_explained(centre: SmallCentre) -> None:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, permissions=[])
        page = await sign_in(context, centre)
        await page.click("[data-site-ordinal='1']")
        await page.click("#allow")
        await page.wait_for_selector("#ready-notice:visible")
        await until(lambda: page.is_enabled("#allow"), 15)
        assert await page.is_hidden("#go-live")
        assert "摄像头" in await page.inner_text("#ready-notice")


@pytest.mark.alone
async def test_a_cut_network_is_named_within_five_seconds_and_mended_by_itself(
    context: BrowserContext, centre: SmallCentre, tmp_path: Path
) -> None:
    async with running_node(tmp_path) as node, relayed(node.node.port.number) as relay:
        centre.node = (node.url, node.token())
        await context.add_init_script(relay.script)
        page = await sign_in(context, centre)
        await go_live(page)
        relay.is_cut = True
        await context.set_offline(True)
        await phase(page, "reconnecting", 5, "network")
        assert await page.locator("#chip-socket").get_attribute("data-state") == "away"
        relay.is_cut = False
        await context.set_offline(False)
        await phase(page, "live", 15)


@pytest.mark.alone
async def test_a_camera_that_is_kept_away_stays_named_until_it_may_be_used(
    context: BrowserContext, centre: SmallCentre
) -> None:
    await context.add_init_script(CAMERA_SWITCH)
    page = await sign_in(context, centre)
    await go_live(page)
    await page.evaluate("takeCamera()")
    await phase(page, "stopped", 5, "camera")
    await page.click("#restore")
    await until(lambda: page.evaluate("asked > 2"), 10)
    assert await page.get_attribute("#strip", "data-reason") == "camera"
    await page.evaluate("giveCamera()")
    await phase(page, "live", 10)


async def sends(page: Page, size: str) -> None:
    """Wait until the page says that this is the largest picture that flows."""
    await page.locator("#picture-note", has_text=size).wait_for(timeout=20_000)


async def test_three_layers_are_sent_and_those_that_nobody_wants_rest(
    context: BrowserContext, centre: SmallCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.sfu.wanted.IDLE_SECONDS", 1e9)  # the node shall say nothing of its own
    async with running_node(tmp_path) as node:
        centre.node = (node.url, node.token())
        page = await sign_in(context, centre)
        await go_live(page)
        (feed,) = node.node.sessions.feeds.values()
        (session,) = node.node.sessions.by_id.values()
        low, middle, high = feed.media.layers.sources
        await until(lambda: low.packets and middle.packets and high.packets, 20)
        await sends(page, "1280×720")
        session.want_layers(("low",))
        await sends(page, "320×180")
        assert await page.locator("#chip-network").is_hidden(), "a rested layer is no weak network"
        session.want_layers(("high",))
        await sends(page, "1280×720")
        assert await page.get_attribute("#strip", "data-phase") == "live"
        assert [status.state for status in centre.camera if status.state is not CameraState.LIVE] == []
        rested = low.packets
        node.node.sessions.end(session, "deleted")
        # A new session knows nothing of what the last one was told.
        await until(lambda: low.packets > rested + 5, 20)


async def test_a_browser_that_knows_no_layers_sends_one_picture(context: BrowserContext, centre: SmallCentre) -> None:
    await context.add_init_script(NO_LAYERS)
    page = await sign_in(context, centre)
    await go_live(page)
    await until(lambda: centre.size == (1280, 720), 20)
    assert "a=simulcast" not in centre.offers[0]


async def test_another_network_is_taken_within_the_session_and_a_refusal_costs_nothing(
    context: BrowserContext, centre: SmallCentre, tmp_path: Path
) -> None:
    async with running_node(tmp_path) as node:
        centre.node = (node.url, node.token())
        page = await sign_in(context, centre)
        await go_live(page)
        (session,) = node.node.sessions.by_id.values()
        (feed,) = node.node.sessions.feeds.values()
        low = feed.media.layers.sources[0]
        centre.refuses_restarts = 503
        await page.evaluate(NETWORK_CHANGE)
        await until(lambda: 503 in centre.restarts, 10)
        centre.refuses_restarts = 0
        for _ in range(2):
            address, packets, restarted = session.link.address, low.packets, centre.restarts.count(200)
            await page.evaluate(NETWORK_CHANGE)
            await until(lambda restarted=restarted: centre.restarts.count(200) > restarted, 20)
            await until(lambda address=address: session.link.address != address, 20)
            await until(lambda packets=packets: low.packets > packets + 20, 20)
        assert list(node.node.sessions.by_id.values()) == [session]


async def test_a_session_that_the_node_has_forgotten_is_opened_again_at_once(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    centre.refuses_restarts = 404
    await page.evaluate(NETWORK_CHANGE)
    await until(lambda: 404 in centre.restarts, 10)
    centre.refuses_restarts = 0
    await until(lambda: len(centre.offers) > 1, 15)
    await phase(page, "live", 15)


async def test_who_of_the_centre_speaks_is_shown_and_a_lost_line_is_opened_again(
    context: BrowserContext, centre: SmallCentre
) -> None:
    page = await sign_in(context, centre)
    await go_live(page)
    await until(lambda: centre.voice.is_open, 15)
    centre.voice.say(type="speaking", id=str(uuid4()), speaker="王法官")
    await page.wait_for_selector("#voice:not([hidden])")
    assert "指挥中心正在讲话" in await page.inner_text("#voice")
    assert "王法官" in await page.inner_text("#voice")
    centre.voice.say(type="speaking", id=None, speaker="")
    await page.wait_for_selector("#voice[hidden]", state="attached")
    await centre.voice.close()
    await until(lambda: centre.voice.begun > 1 and centre.voice.is_open, 20)
    await page.click("#stop")
    await page.click("#confirm-yes")
    await until(lambda: centre.voice.sessions == 0, 10)
