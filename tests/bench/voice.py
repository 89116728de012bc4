"""From the key on the centre's screen to the tone in the phone's received track: `python -m tests.bench.voice`.

The whole product with its five cameras, the centre's page and an officer's page in Chromium, all on this machine; the
two pages share one clock. The first press opens the microphone (here a tone that is made in the page), the others
find it open.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
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
        cold = await press(centre, phone.page)
        warm = [await press(centre, phone.page) for _ in range(PRESSES)]
    return [
        summary("voice: key to tone, microphone open", warm, BAR_MS),
        summary("voice: key to tone, first press", [cold], BAR_MS),
    ]


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
        print(json.dumps(figure | {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
