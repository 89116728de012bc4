"""Single modules of the centre's page, called in a real Chromium."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from playwright.async_api import Browser, Error

from tests.command_center.screens.conftest import SLOW, opened
from tests.support.browser import holds
from tests.support.played_centre import PlayedCentre

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


def sdp(*lines: str) -> str:
    """These lines of a description."""
    return "".join(f"{line}\r\n" for line in lines)


async def test_what_the_page_sees_and_what_the_node_says_make_one_verdict(
    browser: Browser, centre: PlayedCentre
) -> None:
    cases: list[tuple[dict[str, Any], tuple[str, str, str | None]]] = [
        ({"phase": "live", "cause": None, "age": 40}, ("normal", "live", None)),
        ({"phase": "live", "cause": None, "age": 1900}, ("caution", "stale", "screen")),
        ({"phase": "live", "cause": None, "age": 4900}, ("serious", "lost", "screen")),
        ({"phase": "stale", "cause": "network", "age": 900}, ("caution", "stale", "network")),
        ({"phase": "lost", "cause": "camera", "age": 5200}, ("serious", "lost", "camera")),
        ({"phase": "live", "cause": None, "age": 2500, "media": "restarting"}, ("caution", "stale", "node")),
        ({"phase": "live", "cause": None, "age": 2500, "restarted": 900}, ("caution", "stale", "node-back")),
        ({"phase": "live", "cause": None, "age": 2500, "restarted": 60_000}, ("caution", "stale", "screen")),
        ({"phase": "stale", "cause": "network", "age": 100}, ("normal", "live", None)),
        ({"phase": "connecting", "cause": None, "age": None}, ("standby", "connecting", None)),
        ({"phase": "waiting", "cause": None, "age": 3000, "media": "away"}, ("serious", "lost", "node")),
        # A muted camera sends black frames; what the phone says goes before what moves.
        ({"phase": "stale", "cause": "camera", "age": 40}, ("caution", "stale", "camera")),
        ({"phase": "stale", "cause": "officer", "age": 40}, ("caution", "stale", "officer")),
        ({"phase": "live", "cause": "camera", "age": 40}, ("caution", "stale", "camera")),
        ({"phase": "lost", "cause": "officer", "age": 40}, ("serious", "lost", "officer")),
        ({"phase": "lost", "cause": "camera", "age": 40}, ("serious", "lost", "camera")),
        ({"phase": "live", "cause": None, "age": 40}, ("normal", "live", None)),
        ({"phase": "ended", "cause": "officer", "age": 50}, ("off", "ended", "officer")),
        # No bandwidth here is no trouble there; a trouble there goes before it.
        ({"phase": "live", "cause": None, "age": 9000, "paused": "bandwidth"}, ("caution", "paused", "bandwidth")),
        ({"phase": "live", "cause": None, "age": None, "paused": "bandwidth"}, ("caution", "paused", "bandwidth")),
        ({"phase": "lost", "cause": "network", "age": 9000, "paused": "bandwidth"}, ("serious", "lost", "network")),
        ({"phase": "ended", "cause": "officer", "age": 50, "paused": "bandwidth"}, ("off", "ended", "officer")),
        ({"phase": "live", "cause": "camera", "age": 9000, "paused": "bandwidth"}, ("serious", "lost", "camera")),
        (
            {"phase": "live", "cause": None, "age": 9000, "paused": "bandwidth", "media": "restarting"},
            ("serious", "lost", "node"),
        ),
        # What was on its way when the node paused it is still shown as it comes.
        ({"phase": "live", "cause": None, "age": 40, "paused": "bandwidth"}, ("normal", "live", None)),
    ]
    async with opened(browser, centre) as (page, _):
        for given, expected in cases:
            verdict = await page.evaluate(
                """async ({phase, cause, age, paused, media, restarted}) =>
                (await import('/static/tile_state.js')).judge({
                    view: {phase, cause}, ageMs: age, waitedMs: 1000, paused, link: "connected", nowMs: 1e6,
                    media: {state: media ?? "running", since: 1e6 - (restarted ?? 1e6)},
                })""",
                given,
            )
            assert (verdict["state"], verdict["phase"], verdict["cause"]) == expected, given


async def test_a_tile_wants_the_layer_of_its_size_and_goes_to_and_fro_for_no_pixel(
    browser: Browser, centre: PlayedCentre
) -> None:
    cases = [
        ((280, False, "low"), "low"),
        ((385, False, "low"), "low"),
        ((385, False, "middle"), "middle"),
        ((310, False, "middle"), "low"),
        ((560, False, "low"), "middle"),
        ((860, False, "middle"), "middle"),
        ((960, False, "middle"), "high"),
        ((860, False, "high"), "high"),
        ((0, False, "high"), "low"),
        ((120, True, "low"), "high"),
    ]
    async with opened(browser, centre) as (page, _):
        for given, expected in cases:
            aim = "async (given) => (await import('/static/tile_aim.js')).aim(...given)"
            wish = await page.evaluate(aim, list(given))
            assert wish == {"layer": expected, "spotlight": given[1]}, given


async def test_an_ice_restart_tells_the_new_credentials_and_takes_the_nodes(
    browser: Browser, centre: PlayedCentre
) -> None:
    local = sdp("m=video 9 X 96", "a=ice-ufrag:new", "a=ice-pwd:secret", "a=mid:0", "m=audio 9 X 97", "a=ice-ufrag:new")
    remote = sdp("m=video 9 X 96", "a=ice-ufrag:old", "a=ice-pwd:gone", "a=candidate:1 1 udp 5 10.0.0.1 7 typ host")
    answer = sdp("a=ice-lite", "a=ice-ufrag:node", "a=ice-pwd:fresh", "a=candidate:1 1 udp 5 10.0.0.2 8 typ host")
    async with opened(browser, centre) as (page, _):
        load = "async ([name, ...given]) => (await import('/static/ice_restart.js'))[name](...given)"
        fragment = await page.evaluate(load, ["restartFragment", local])
        assert fragment == sdp("a=ice-ufrag:new", "a=ice-pwd:secret", "m=video 9 X 96", "a=mid:0")
        renewed = await page.evaluate(load, ["restarted", remote, answer])
        assert "ufrag:node" in renewed
        assert "pwd:fresh" in renewed
        assert "10.0.0.2 8" in renewed
        assert "10.0.0.1" not in renewed
        with pytest.raises(Error, match="without credentials"):
            await page.evaluate(load, ["restarted", remote, sdp("a=ice-lite")])


async def test_the_panel_names_what_is_wrong_with_a_picture_that_comes(browser: Browser, centre: PlayedCentre) -> None:
    live, paused = {"phase": "live", "cause": None}, {"phase": "paused", "cause": "bandwidth"}
    fine = {"verdict": live, "lossPercent": 0.1, "fps": 15, "bufferMs": 40, "rttMs": 30, "given": None}
    low = {"layer": "low", "wanted": "high", "held": "bandwidth", "estimate_kbps": 900}
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({}, None),
        ({"given": low | {"wanted": "low", "held": None}}, None),
        ({"given": low}, "tile.trouble.bandwidth"),
        ({"given": low | {"held": "publisher"}}, "tile.trouble.layer"),
        ({"given": low | {"held": "switching"}}, "tile.trouble.switching"),
        ({"lossPercent": 4.2}, "tile.trouble.loss"),
        ({"rttMs": 900}, "tile.trouble.far"),
        ({"bufferMs": 800}, "tile.trouble.uneven"),
        ({"fps": 2}, "tile.trouble.few"),
        ({"lossPercent": None, "bufferMs": None, "rttMs": None, "fps": 0}, "tile.trouble.few"),
        ({"verdict": paused, "fps": 0}, "tile.cause.bandwidth"),
        ({"verdict": {"phase": "connecting", "cause": None}}, "tile.phase.connecting"),
    ]
    async with opened(browser, centre) as (page, _):
        for change, expected in cases:
            judge = "async (given) => (await import('/static/tile_trouble.js')).troubleOf(given)"
            assert await page.evaluate(judge, fine | change) == expected, change


async def test_the_last_picture_stays_when_the_graphics_process_ends(browser: Browser, centre: PlayedCentre) -> None:
    async with opened(browser, centre) as (page, _):
        await page.evaluate(
            """async () => {
                const { LastPicture } = await import('/static/last_picture.js');
                const video = Object.assign(document.createElement('canvas'), {width: 64, height: 36});
                Object.assign(video, {videoWidth: 64, videoHeight: 36});
                const context = video.getContext('2d');
                context.fillStyle = 'rgb(255, 128, 0)';
                context.fillRect(0, 0, 64, 36);
                window.kept = new LastPicture();
                kept.keep(video);
                document.body.append(kept.element);
                window.losses = 0;
                kept.element.addEventListener('contextlost', () => { losses += 1; });
            }"""
        )
        shows = "[...kept.context().getImageData(32, 18, 1, 1).data].join() === '255,128,0,255'"
        await holds(page, shows)
        session = await browser.new_browser_cdp_session()
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
        os.kill(next(process["id"] for process in processes if process["type"] == "GPU"), signal.SIGKILL)
        await holds(page, "losses === 1", seconds=SLOW)
        await holds(page, shows, seconds=SLOW)
        await page.evaluate("kept.wipe()")
        assert await page.evaluate("kept.element.width === 0 && kept.pixels === null && !kept.isShown")


async def test_a_session_that_ends_during_a_restart_asks_the_node_for_nothing(
    browser: Browser, centre: PlayedCentre
) -> None:
    restart = """async () => {
        const { WhepSession } = await import('/static/whep.js');
        const session = new WhepSession('feed-0', {layer: 'low', spotlight: false}, {onEnd() {}});
        session.location = '/whep/feed-0/node~secret';
        session.peer = {
            remoteDescription: {}, localDescription: {sdp: ''}, signalingState: 'stable',
            async createOffer() {}, async setLocalDescription() { session.end('network'); }, close() {},
        };
        const asked = [];
        window.fetch = async (address) => asked.push(address);
        await session.restart();
        return asked;
    }"""
    async with opened(browser, centre) as (page, _):
        assert await page.evaluate(restart) == []


async def test_tiles_beside_the_spotlight_keep_a_picture_on_a_low_screen(
    browser: Browser, centre: PlayedCentre
) -> None:
    cases = [  # tiles, height of the wall, what is beside or around the enlarged one
        (6, 527, {"columns": 1, "rows": 5, "span": 0}),
        (11, 527, {"columns": 2, "rows": 5, "span": 0}),
        (17, 527, {"columns": 5, "rows": 5, "span": 3}),
        (6, 355, {"columns": 2, "rows": 3, "span": 0}),
        (8, 355, {"columns": 5, "rows": 5, "span": 3}),
    ]
    async with opened(browser, centre) as (page, _):
        for tiles, height, expected in cases:
            grid = "async ([tiles, height]) => (await import('/static/wall.js')).grid(tiles, true, 800, height)"
            assert await page.evaluate(grid, [tiles, height]) == expected, (tiles, height)
