"""An officer's phone beside the five sites: live in three taps, and each way to lose its picture named on both ends."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.centre import Centre, open_centre
from tests.support.phone import Phone, open_phone
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="package")]

PHONE = ".officer6.phone-test."
LOST_PHONE = ".officer6.phone-lost."


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def centre(stack: Stack, started_browser: Browser) -> AsyncIterator[Centre]:
    """The screen of one commander, opened once: what it knows of a phone before is a phone's past on any long day."""
    centre = await open_centre(started_browser, stack)
    yield centre
    await centre.page.context.close()


async def _live_phone(stack: Stack, centre: Centre, phone_browser: Browser, feed: str = PHONE) -> tuple[Phone, float]:
    """A live phone beside the centre, and the seconds from the last tap to its moving tile."""
    await centre.playing(5)
    phone = await open_phone(phone_browser, stack, can_be_cut=True, device=feed.split(".")[2])
    await phone.go_live()
    started = time.monotonic()
    counts: list[int] = []

    async def shown() -> bool:
        tile = await centre.tile(feed)
        if tile is None or tile["phase"] != "live":
            return False
        counts.append(tile["frames"])  # of a session before, or anew from none
        return counts[-1] > min(counts)

    try:
        await until(shown, 20)
    except AssertionError:
        raise AssertionError(f"tile {await centre.tile(feed)}, strip {await phone.strip()}") from None
    return phone, time.monotonic() - started


async def _both_say(centre: Centre, phone: Phone, cause: str, strip: tuple[str, str]) -> None:
    """Within five seconds the tile names the cause and the phone's strip says the same."""

    async def said() -> bool:
        tile = await centre.tile(PHONE)
        return tile is not None and tile["cause"] == cause and await phone.strip() == strip

    try:
        await until(said, 5)
    except AssertionError:
        raise AssertionError(f"tile {await centre.tile(PHONE)}, strip {await phone.strip()}") from None


async def test_a_phone_is_the_sixth_tile_after_three_taps(stack: Stack, centre: Centre, phone_browser: Browser) -> None:
    phone, seconds = await _live_phone(stack, centre, phone_browser)
    print(f"last tap to moving tile: {seconds:.2f} s")
    assert phone.taps <= 3
    assert (await phone.strip())[0] == "live"
    assert len(await centre.tiles()) == 6
    assert phone.watched.errors == []
    assert phone.watched.foreign == []
    await phone.stop()
    await _both_say(centre, phone, "officer", ("stopped", "officer"))


async def test_a_camera_taken_away_is_named_on_both_ends(stack: Stack, centre: Centre, phone_browser: Browser) -> None:
    phone, _ = await _live_phone(stack, centre, phone_browser)
    await phone.take_camera_away()
    await _both_say(centre, phone, "camera", ("stopped", "camera"))


async def test_a_phone_cut_from_the_network_is_named_on_both_ends_and_comes_back(
    stack: Stack, centre: Centre, phone_browser: Browser
) -> None:
    phone, _ = await _live_phone(stack, centre, phone_browser)
    await phone.cut_network()
    await _both_say(centre, phone, "network", ("reconnecting", "network"))
    await phone.mend_network()
    await centre.playing(6, 20)


async def test_a_revoked_phone_is_gone_within_two_seconds(stack: Stack, centre: Centre, phone_browser: Browser) -> None:
    phone, _ = await _live_phone(stack, centre, phone_browser, LOST_PHONE)
    tile = await centre.tile(LOST_PHONE)
    assert tile is not None
    async with stack.signed_in("commander") as commander:
        answer = await commander.delete(f"/api/feeds/{tile['feed']}")
    assert answer.is_success, answer.text

    async def is_gone() -> bool:
        shown = await centre.tile(LOST_PHONE)
        return shown is None or (shown["cause"] == "revoked" and shown["width"] == 0)

    await until(is_gone, 2)

    async def is_told() -> bool:
        return (await phone.strip())[0] == "stopped" or await phone.page.locator("#view-sign-in").is_visible()

    await until(is_told, 5)
