"""What a commander and an officer feel, measured in two real browsers beside the five-site demonstration.

Run alone by `python -m tests.bench.browser`. Each delay is taken on one machine's one clock.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Frame, Page

from tests.support.browser import chromium
from tests.support.camera import make_film
from tests.support.centre import Centre, open_centre
from tests.support.phone import HUIMIN, Phone, open_phone
from tests.support.stack import Stack
from tests.support.waiting import until

ROUNDS = 100
GLASS_SAMPLES = 400
TIME_CODE = Path(__file__).parents[1] / "support" / "time_code.js"

WATCH_MARKER = """(feed) => {
    window.delays = [];
    const body = mapFrame.markers.get(feed).body;
    new MutationObserver(() => window.delays.push(Date.now() - Number(body.dataset.takenAt)))
        .observe(body, {attributes: true, attributeFilter: ['data-taken-at']});
}"""
WATCH_CARDS = """() => {
    window.shown = {};
    new MutationObserver(() => {
        const text = document.querySelector('#cards .instruction .text')?.textContent;
        if (text) window.shown[text] ??= performance.timeOrigin + performance.now();
    }).observe(document.querySelector('#cards'), {childList: true, subtree: true});
}"""
WATCH_CLICKS = """() => {
    window.clicked = {};
    document.addEventListener('click', (event) => {
        if (event.target.closest('form.compose button[type=submit]')) {
            const text = document.querySelector('#instruction-text').value;
            window.clicked[text] = performance.timeOrigin + performance.now();
        }
    }, true);
}"""


def show(name: str, delays: list[float], unit: str = "ms") -> None:
    """One line of figures."""
    ordered = sorted(delays)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(
        f"{name}: p50 {statistics.median(ordered):.0f} {unit}, p95 {p95:.0f} {unit}, "
        f"max {ordered[-1]:.0f} {unit} ({len(ordered)} samples)",
        flush=True,
    )


async def outgoing_picture(stack: Stack, browser: Browser) -> None:
    """With the wall closed: how soon a phone's picture is 1280x720 at 1.2 Mbit/s or more."""
    phone = await open_phone(browser, stack)
    started = time.monotonic()
    await phone.go_live()
    best: tuple[float, str] | None = None
    note = ""
    while time.monotonic() - started < 25 and best is None:
        note = await phone.page.inner_text("#picture-note")
        if "1280×720" in note and float(note.split("·")[1].split()[0]) >= 1.2:
            best = (time.monotonic() - started, note)
        await asyncio.sleep(0.2)
    found = f"reached after {best[0]:.1f} s ({best[1].strip()})" if best else f"not reached in 25 s ({note.strip()})"
    print(f"outgoing picture of 1280x720 at 1.2 Mbit/s: {found}", flush=True)
    await phone.stop()
    await phone.context.close()


async def positions(centre: Centre, phone: Phone, feed: str) -> None:
    """From the phone's fix to the marker at its new place."""
    frame: Frame = next(each for each in centre.page.frames if "/map/centre" in each.url)
    await until(lambda: frame.evaluate("(feed) => mapFrame.markers.has(feed)", feed), 15)
    await frame.evaluate(WATCH_MARKER, feed)
    for step in range(ROUNDS):
        await phone.move(HUIMIN["latitude"] + step * 1e-5, HUIMIN["longitude"])
        wanted = step + 1

        async def seen(count: int = wanted) -> bool:
            return bool(await frame.evaluate("(count) => window.delays.length >= count", count))

        await until(seen, 10)
    show("position sent to marker moved", [float(each) for each in await frame.evaluate("window.delays")])


async def instructions(centre: Centre, phone: Phone, officer_id: str) -> None:
    """From the click on the centre to the words on the phone."""
    await phone.page.evaluate(WATCH_CARDS)
    await centre.page.evaluate(WATCH_CLICKS)
    for number in range(ROUNDS):
        await centre.page.select_option("#target", f"officer:{officer_id}")
        await centre.page.fill("#instruction-text", f"Instruction {number}")
        await centre.page.click("form.compose button[type=submit]")
        await phone.accept_all(1)
    clicked: dict[str, float] = await centre.page.evaluate("window.clicked")
    shown: dict[str, float] = await phone.page.evaluate("window.shown")
    show("instruction clicked to shown on the phone", [shown[text] - at for text, at in clicked.items()])


async def glass_to_glass(stack: Stack, centre: Centre, phone: Phone) -> None:
    """A time code drawn in a publisher's picture, read back from its tile, with five other tiles playing."""
    source = TIME_CODE.read_text()
    page: Page = await phone.context.new_page()
    await page.goto(f"{stack.url}/field")
    token = await _publishing_right(page)
    await _load(page, source)
    await page.evaluate("([url, token]) => timeCode.publish(url, token)", [token["url"], token["access_token"]])

    async def playing() -> bool:
        tile = await centre.tile(token["feed"])
        return tile is not None and tile["phase"] == "live" and tile["frames"] > 30

    await until(playing, 20)
    await centre.playing(6)
    await asyncio.sleep(5)  # the publisher's bitrate settles; not a wait for a condition
    await _load(centre.page, source)
    measured: dict[str, Any] = await centre.page.evaluate(
        "([feed, count]) => timeCode.measure(document.querySelector(`.tile[data-feed='${feed}'] video`), count, 60)",
        [token["feed"], GLASS_SAMPLES],
    )
    tiles = len([tile for tile in await centre.tiles() if tile["phase"] == "live"])
    show(f"glass to glass with {tiles} tiles playing", measured["delays"])
    print(f"  frames whose time code could not be read: {measured['unreadable']}", flush=True)


async def _load(page: Page, source: str) -> None:
    """Make the module's functions the page's own; a test may, a page's policy allows no script of another origin."""
    body = source.replace("export ", "")
    await page.evaluate(f"() => {{ {body}; window.timeCode = {{ publish, measure }}; }}")


async def _publishing_right(page: Page) -> dict[str, Any]:
    """Register another feed of the phone's officer and ask for the right to publish it."""
    right: dict[str, Any] = await page.evaluate(
        """async () => {
            const csrf = decodeURIComponent(document.cookie.match(/_csrf_token=([^;]+)/)[1]);
            const headers = {'Content-Type': 'application/json', 'X-CSRFToken': csrf};
            const ask = async (path, body) => (
                await fetch(path, {method: 'POST', headers, body: JSON.stringify(body)})).json();
            const operations = (await (await fetch('/api/operations')).json()).items;
            const {feed} = await ask('/api/feeds', {operation_id: operations[0].id, site_id: operations[0].sites[0].id,
                device: 'time-code', source: 'camera'});
            return {feed, ...await ask('/api/media-tokens', {feed, right: 'publish'})};
        }"""
    )
    return right


async def main() -> None:
    """All of them, on one stack."""
    with tempfile.TemporaryDirectory(prefix="command-center-bench-") as folder:
        stack = Stack(Path(folder) / "var")
        stack.start()
        print(f"first start to ready, with the films at hand: {stack.start_seconds:.1f} s", flush=True)
        stack.end()
        stack.start()
        print(f"second start to ready: {stack.start_seconds:.1f} s", flush=True)
        try:
            async with chromium(camera=make_film(Path(folder) / "camera.mjpeg")) as filming:
                await outgoing_picture(stack, filming)
            async with chromium(fake_camera=True) as phones, chromium() as screens:
                centre = await open_centre(screens, stack)
                await centre.playing(5)
                phone = await open_phone(phones, stack)
                await phone.go_live()
                started = time.monotonic()
                await centre.playing(6)
                print(f"last tap to sixth playing tile: {time.monotonic() - started:.1f} s", flush=True)
                tile = await centre.tile(".officer6.")
                assert tile is not None
                officer = await centre.page.evaluate(
                    "async (feed) => (await (await fetch('/api/feeds')).json()).items"
                    ".find((each) => each.feed === feed).officer_id",
                    tile["feed"],
                )
                await positions(centre, phone, tile["feed"])
                await instructions(centre, phone, officer)
                await phone.stop()
                await glass_to_glass(stack, centre, phone)
        finally:
            stack.end()


if __name__ == "__main__":
    asyncio.run(main())
