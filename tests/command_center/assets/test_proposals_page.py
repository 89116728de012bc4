"""The judge's page of proposals in a real Chromium: what officers propose comes by itself, and is decided there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.command_center.assets.conftest import Court, new_court
from tests.support.pages import NARROW, SLOW_MS, page_as
from tests.support.pictures import look_as_it_is, look_in_each_language
from tests.support.valkey import Valkey

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

RULING = "（2026）内01执123号之一"


@pytest_asyncio.fixture(name="court", loop_scope="module")
async def _court(tmp_path: Path, valkey: Valkey) -> AsyncIterator[Court]:
    async with new_court(tmp_path, valkey.url) as court:
        yield court


async def look(page: Page, name: str) -> None:
    """Take its pictures."""
    ended = ".proposals-ended p, .proposals-ended table"
    waiting = ".proposals-open .proposals-none, .proposals-open tbody tr"
    await look_in_each_language(page, f"proposals-{name}", ended, waiting)


async def propose(officer: httpx.AsyncClient, court: Court, **thing: Any) -> dict[str, Any]:
    body = {"operation_id": str(court.web.world.operation_id), "idempotency_key": str(uuid4()), **thing}
    answer = await officer.post("/api/assets/mine/proposals", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_judge_declines_notes_as_a_clue_orders_and_links(browser: Browser, court: Court) -> None:
    none_waits = ".proposals-open .proposals-none"
    async with page_as(browser, court.web, "judge", "/assets/proposals", none_waits, size=NARROW) as page:
        await look(page, "empty")
        officer, other = await court.web.signed_in("officer1"), await court.web.signed_in("officer2")
        await court.query("0018", "bank")
        await court.until_answered("0018", "bank", "answered")
        account = await court.until_standing("0008", "none")
        car = await propose(
            officer,
            court,
            kind="movable",
            reference="蒙A88888",
            description="门前黑色轿车",
            action="impound",
            words="正要开走",
        )
        freeze = {"action": "freeze", "amount_cents": 5_000_000}
        known = await propose(other, court, asset_id=account["id"], words="柜台看到的存单", **freeze)
        book = await propose(
            other, court, kind="bank_account", reference="0602020809200012345", description="抽屉里的存折", **freeze
        )

        def row(proposal: dict[str, Any]) -> Any:
            return page.locator(f"tr[data-proposal='{proposal['id']}']")

        await expect(page.locator(".proposals-open tbody tr")).to_have_count(3, timeout=SLOW_MS)  # nobody reloaded
        await look(page, "waiting")
        await expect(row(book).locator(".proposals-what")).to_contain_text("****2345")
        await row(car).locator("[data-deed=decline]").click()
        await page.fill("dialog textarea", "车辆登记在他人名下")
        await page.click("dialog button.primary")
        await expect(page.locator(".proposals-ended").locator("tr[data-state=declined]")).to_contain_text(
            "车辆登记在他人名下"
        )
        await row(book).locator("[data-deed=record]").click()
        await expect(page.locator("dialog select[name=gateway]")).to_have_value("bank")
        await look_as_it_is(page, "proposals-record-zh-1920")
        await page.click("dialog button.primary")
        order = row(book).locator("[data-deed=order]")
        await expect(order).to_be_visible()
        address = str(await order.get_attribute("href"))
        assert address.startswith("/assets?case=")
        assert address.endswith(f"&proposal={book['id']}")
        await row(known).locator("[data-deed=order]").click()
        await page.click("[data-action=freeze]", timeout=SLOW_MS)
        await page.fill("dialog [name=ruling]", RULING)
        await page.fill("dialog [name=amount]", "50,000.00")
        await page.click("dialog button.primary")
        await court.until_standing("0008", "controlled")
        await page.goto(f"{court.web.url}/assets/proposals")
        taken = page.locator(".proposals-ended").locator("tr[data-state=taken_up]")
        await expect(taken).to_have_count(1, timeout=SLOW_MS)
        await expect(taken.locator(".proposals-what")).to_contain_text("****0008")
        # Whoever ordered it elsewhere links it here.
        second = await propose(
            other, court, asset_id=(await court.until_standing("1014", "none"))["id"], action="freeze"
        )
        body = {
            "asset_id": second["asset_id"],
            "amount_cents": 100,
            "ruling_number": RULING,
            "idempotency_key": book["id"],
        }
        assert (await court.judge.post("/api/assets/freezes", json=body)).status_code == 202
        await row(second).locator("[data-deed=link]").click(timeout=SLOW_MS)
        await expect(taken).to_have_count(2, timeout=SLOW_MS)
        await expect(page.locator(".proposals-open tbody tr")).to_have_count(1)
        await look(page, "decided")
