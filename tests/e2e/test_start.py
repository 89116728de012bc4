"""The whole product, started: ready when it says so, and a part that dies is started again."""

from __future__ import annotations

import os
import signal

import httpx
import pytest
from playwright.async_api import Browser

from tests.support.centre import open_centre
from tests.support.stack import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300)]


def test_ready_means_five_live_feeds(stack: Stack) -> None:
    account = stack.accounts("commander")[0]
    with httpx.Client(base_url=stack.url, timeout=10, trust_env=False) as client:
        token = client.post("/api/token", json={key: account[key] for key in ("username", "password")}).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        feeds = client.get("/api/feeds").json()["items"]
    assert len([feed for feed in feeds if feed["phase"] == "live"]) >= 5


def test_the_accounts_are_for_the_owner_alone(stack: Stack) -> None:
    assert (stack.data / "demo-accounts.json").stat().st_mode & 0o777 == 0o600
    assert {account["role"] for account in stack.accounts("commander")} == {"commander"}
    assert (stack.data / "keys").stat().st_mode & 0o077 == 0


@pytest.mark.asyncio(loop_scope="package")
async def test_a_killed_part_is_started_again_and_the_screen_says_so(stack: Stack, browser: Browser) -> None:
    centre = await open_centre(browser, stack)
    await centre.playing(5)
    await centre.page.evaluate(
        """() => {
            const strip = document.querySelector('#connection');
            window.said = new Set([strip.textContent]);
            new MutationObserver(() => window.said.add(strip.textContent))
                .observe(strip, {childList: true, subtree: true, characterData: true});
        }"""
    )
    first = stack.pid("assets.simulators")
    os.kill(first, signal.SIGKILL)
    await until(lambda: stack.pid_or_none("assets.simulators", unlike=first), 15)
    await until(lambda: centre.page.evaluate("[...window.said].some((words) => words.includes('正在重启'))"), 15)
    await until(
        lambda: centre.page.evaluate("document.querySelector('#connection').textContent.includes('已连接')"), 15
    )
