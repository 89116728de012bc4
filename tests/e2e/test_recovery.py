"""What breaks comes back by itself: the media node, the hub, the phone's network; no order and no second is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import sign_in
from tests.support.centre import open_centre
from tests.support.phone import HUIMIN, Phone, open_phone
from tests.support.review_scene import give_purpose
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="package")]

INSTRUCTIONS = 20
OFFLINE_SECONDS = 15.0
"""The soak stays away for a minute."""


async def test_a_killed_media_node_is_back_with_all_tiles_and_the_recording_of_before_plays(
    stack: Stack, browser: Browser
) -> None:
    centre = await open_centre(browser, stack)
    before = {tile["feed"] for tile in await centre.playing(5)}
    os.kill(stack.pid("streams"), signal.SIGKILL)
    started = time.monotonic()

    async def all_stopped() -> bool:
        return all(tile["phase"] != "live" for tile in await centre.tiles())

    await until(all_stopped, 10)
    assert any(tile["cause"] in {"node", "node-back"} for tile in await centre.tiles())
    playing = await centre.playing(5, 20)
    print(f"kill -9 of the media node to five playing tiles: {time.monotonic() - started:.1f} s")
    assert {tile["feed"] for tile in playing} == before

    async with stack.signed_in("supervisor") as supervisor:
        operation = (await supervisor.get("/api/operations")).json()["items"][0]["id"]

        async def indexed() -> list[dict[str, Any]]:
            answer = await supervisor.get("/api/recordings", params={"operation_id": operation})
            items: list[dict[str, Any]] = answer.json()["items"]
            return [item for item in items if item["state"] == "node"]

        recordings = await until(indexed, 20)
    assert len({item["feed"] for item in recordings}) >= 5
    first = next(item for item in recordings if ".officer1." in item["feed"])
    begun = datetime.fromisoformat(first["started_at"])
    await _plays_in_review(browser, stack, operation, first["feed"], round(begun.timestamp() * 1000))


async def _plays_in_review(browser: Browser, stack: Stack, operation: str, feed: str, at: int) -> None:
    page = await (await browser.new_context(viewport={"width": 1920, "height": 1080})).new_page()
    account = stack.accounts("supervisor")[0]
    query = f"?operation={operation}&at={at}"
    await sign_in(page, stack.url, account["username"], account["password"], f"/review{query}")
    await give_purpose(page)
    await page.wait_for_selector(f".tile[data-feed='{feed}'][data-phase='live']")
    await page.keyboard.press("Space")
    await _video_advances(page, feed)
    frame = await until(lambda: next((each for each in page.frames if "/map/review" in each.url), None))
    where = (
        "() => [...mapFrame.markers.values()].filter((m) => m.isPlaced).map((m) => [m.place.lat, m.place.lng]).join()"
    )
    first = await until(lambda: frame.evaluate(where), 10)

    async def has_moved() -> bool:
        return bool(await frame.evaluate(where) != first)

    await until(has_moved, 15)


async def _video_advances(page: Page, feed: str) -> None:
    moment = f"document.querySelector('.tile[data-feed=\"{feed}\"][data-phase=live] video')?.currentTime"
    first = await until(lambda: page.evaluate(moment), 15)
    await until(lambda: page.evaluate(f"{moment} > {first + 1}"), 15)


async def _walk(phone: Phone, walked: list[float]) -> None:
    """Take a step each second, as a GPS receiver would tell it; `walked` gathers the latitudes."""
    while True:
        walked.append(HUIMIN["latitude"] + 1e-4 * (len(walked) + 1))
        await phone.move(walked[-1], HUIMIN["longitude"])
        await asyncio.sleep(1)


async def test_twenty_instructions_arrive_once_and_in_order_through_a_dead_hub_and_an_offline_phone(
    stack: Stack, browser: Browser, phone_browser: Browser
) -> None:
    await live_through_an_outage(stack, browser, phone_browser, OFFLINE_SECONDS)


async def live_through_an_outage(
    stack: Stack, browser: Browser, phone_browser: Browser, offline_seconds: float
) -> None:
    """Kill the hub, take the phone's network away, send instructions and walk on; nothing may be missing after."""
    centre = await open_centre(browser, stack)
    phone = await open_phone(phone_browser, stack, can_be_cut=True)
    await phone.go_live()
    await centre.playing(6)
    async with stack.signed_in("commander") as commander:
        operation = (await commander.get("/api/operations")).json()["items"][0]
        feeds = (await commander.get("/api/feeds", params={"operation_id": operation["id"]})).json()["items"]
        feed = next(each for each in feeds if ".officer6." in each["feed"])
        walked: list[float] = []
        cut_off = datetime.now(UTC)
        await phone.cut_network()
        walk = asyncio.create_task(_walk(phone, walked))
        os.kill(stack.hub_pid(), signal.SIGKILL)
        texts = [f"第{number}号指令 {uuid.uuid4().hex[:6]}" for number in range(1, INSTRUCTIONS + 1)]
        for text in texts:
            answer = await commander.post(
                "/api/instructions",
                json={
                    "operation_id": operation["id"],
                    "scope": "officer",
                    "officer_id": feed["officer_id"],
                    "priority": "routine",
                    "text": text,
                    "idempotency_key": str(uuid.uuid4()),
                },
            )
            assert answer.is_success, answer.text

        async def shows_undelivered() -> bool:
            shown = await centre.page.inner_text("#instructions")
            return texts[-1] in shown and await centre.page.locator("[data-verdict='offline']").count() > 0

        await until(shows_undelivered, 15)
        await until(lambda: datetime.now(UTC) > cut_off + timedelta(seconds=offline_seconds), offline_seconds + 5)
        await phone.mend_network()

        async def states() -> list[str]:
            answer = await commander.get("/api/instructions", params={"operation_id": operation["id"]})
            by_text = {item["text"]: item["deliveries"][0]["state"] for item in answer.json()["items"]}
            return [by_text.get(text, "missing") for text in texts]

        async def all_arrived() -> bool:
            return all(state not in {"sent", "missing"} for state in await states())

        await until(all_arrived, 40)
        assert await phone.accept_all(len(texts)) == texts

        walk.cancel()
        steps = {round(latitude, 6) for latitude in walked[:-1]}
        assert len(steps) > offline_seconds / 2

        async def no_step_is_missing() -> bool:
            answer = await commander.get("/api/positions", params={"feed": feed["feed"], "since": cut_off.isoformat()})
            return steps <= {round(item["latitude"], 6) for item in answer.json()["items"]}

        await until(no_step_is_missing, 30)
    await phone.stop()
