"""The centre talks: from the key on the centre's screen to the tone in the chosen phone's received track."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser

from tests.support import tone
from tests.support.browser import holds
from tests.support.centre import Centre, open_centre
from tests.support.phone import Phone, open_phone
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="package")]


async def live_phone(browser: Browser, stack: Stack, username: str, site: int) -> Phone:
    """A phone on the air that can hear the centre."""
    phone = await open_phone(browser, stack, username, device=f"voice-{username}", script=tone.EAR)
    await phone.go_live(site)
    await until(lambda: phone.page.evaluate("ears.length > 0 && ears[0].peer.connectionState === 'connected'"), 20)
    return phone


async def choose(centre: Centre, label: str) -> None:
    """Choose whom the key is for, once the line stands."""
    await holds(centre.page, "!document.querySelector('.talk-key').textContent.match(/接通|Connecting/)", seconds=20)
    await centre.page.select_option(".talk-target", label=label)
    await holds(centre.page, "!document.querySelector('.talk-key').disabled", seconds=20)


async def test_the_key_is_heard_at_the_chosen_site_alone_and_is_recorded(
    stack: Stack, browser: Browser, phone_browser: Browser
) -> None:
    centre = await open_centre(browser, stack, script=tone.MICROPHONE)
    chosen = await live_phone(phone_browser, stack, "officer6", 0)
    other = await live_phone(phone_browser, stack, "officer1", 1)
    page = centre.page
    site = await chosen.page.locator("#chip-site").inner_text()
    await choose(centre, site.replace(" · ", " "))
    await page.locator("body").press("Shift")  # the page has the keys
    await page.keyboard.down("t")
    await until(lambda: tone.heard_at(chosen.page), 10)
    assert await page.evaluate("askedFor.audio.echoCancellation")
    await until(lambda: chosen.page.locator("#voice").is_visible(), 5)
    assert re.search("指挥中心正在讲话|The centre is speaking", await chosen.page.inner_text("#voice"))
    await page.keyboard.up("t")
    await until(lambda: chosen.page.locator("#voice").is_hidden(), 5)
    assert await tone.packets_heard(other.page) == 0
    assert await tone.heard_at(other.page) is None
    assert await other.page.locator("#voice").is_hidden()

    async with stack.signed_in("commander") as commander:
        operation = await page.evaluate("document.querySelector('#operation').value")

        async def recorded() -> dict[str, object] | None:
            answer = await commander.get("/api/recordings", params={"operation_id": operation})
            return next((one for one in answer.json()["items"] if one["kind"] == "voice" and one["seconds"]), None)

        recording = await until(recorded, 20)
    assert recording
    assert (recording["audio"], recording["video"]) == ("opus", None)
    for each in (centre, chosen, other):
        assert each.watched.errors == []
    for phone in (chosen, other):
        await phone.context.close()
    await page.context.close()
