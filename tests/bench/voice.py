"""From the key on the centre's screen to the tone in the phone's received track: `python -m tests.bench.voice`.

The whole product, the centre's page and an officer's page in Chromium, all on this machine; the two pages share one
clock. The first press opens the microphone (here a tone that is made in the page), the others find it open. Measured
with the officer's camera alone on the wall, then with the demonstration's five beside it: on two cores two browsers
that encode one picture and decode six leave no time over, and a phone's buffer for sound grows with that.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.bench.latency import summary
from tests.support import tone
from tests.support.browser import chromium, holds
from tests.support.centre import open_centre
from tests.support.phone import open_phone
from tests.support.stack import Stack
from tests.support.waiting import until

PRESSES = 20
BAR_MS = 400.0
QUIET_SECONDS = 1.0
CAMERA_FPS = 5
LEFT_ALONE = "document.querySelectorAll('#wall .tile[data-phase=live]').length === 1"
ALL_PLAY = "document.querySelectorAll('#wall .tile[data-phase=live]').length === 6"


async def press(centre: Page, phone: Page) -> float:
    """Hold the key until the tone is heard; seconds between the two."""
    await tone.forget(phone)
    await centre.keyboard.down("t")
    await until(lambda: tone.heard_at(phone), 20)
    down = float(await centre.evaluate("keydownAt"))
    heard = await tone.heard_at(phone)
    await centre.keyboard.up("t")
    assert heard is not None
    await until(lambda: tone.is_quiet(phone, QUIET_SECONDS), 20)
    return (heard - down) / 1000


@contextmanager
def demonstration_stopped(stack: Stack) -> Iterator[None]:
    """The demonstration's five cameras stand still meanwhile: nothing of them is decoded."""
    agents = stack.pid("field_agent.agent")
    os.kill(agents, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(agents, signal.SIGCONT)


async def presses(centre: Page, phone: Page, loaded: str) -> list[dict[str, object]]:
    """So many presses of an open microphone."""
    warm = [await press(centre, phone) for _ in range(PRESSES)]
    return [summary(f"voice: key to tone, {loaded}", warm, BAR_MS) | {"load": round(os.getloadavg()[0], 1)}]


async def measure(stack: Stack) -> list[dict[str, object]]:
    """One cold press, then the warm ones."""
    async with chromium() as browser, chromium(fake_camera=True, camera_fps=CAMERA_FPS) as phone_browser:
        centre = (await open_centre(browser, stack, script=tone.MICROPHONE)).page
        phone = await open_phone(phone_browser, stack, "officer6", device="bench-voice", script=tone.EAR)
        await phone.go_live(0)
        connected = "ears.length > 0 && ears[0].peer.connectionState === 'connected'"
        await until(lambda: phone.page.evaluate(connected), 30)
        await centre.select_option(".talk-target", value="all")
        await holds(centre, "!document.querySelector('.talk-key').disabled", seconds=30)
        await centre.locator("body").press("Shift")
        with demonstration_stopped(stack):
            await holds(centre, LEFT_ALONE, seconds=60)
            cold = await press(centre, phone.page)
            figures = await presses(centre, phone.page, "one camera on the wall")
        await holds(centre, ALL_PLAY, seconds=60)
        figures += await presses(centre, phone.page, "six cameras on the wall")
    return [*figures, summary("voice: key to tone, first press", [cold], BAR_MS)]


async def main() -> int:
    """Print the figures and how busy the machine was."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "var")
        stack.start()
        try:
            figures = await measure(stack)
        finally:
            stack.end()
    for figure in figures:
        print(json.dumps(figure | {"cores": os.cpu_count()}))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
