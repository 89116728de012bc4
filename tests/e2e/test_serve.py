"""An empty installation, started and ended as an administrator does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`command-center serve` on an empty folder; the last test ends it."""
    stack = Stack(tmp_path_factory.mktemp("serve") / "var", command="serve")
    stack.start()
    yield stack
    stack.end()


@pytest.mark.asyncio(loop_scope="package")
async def test_an_empty_installation_makes_its_first_administrator_once(empty: Stack, browser: Browser) -> None:
    link = re.search(r"http://\S+/setup/\S+", empty.shown())
    assert link, empty.shown()
    page = await browser.new_page()
    await page.goto(link[0])
    assert await page.locator("form").count() == 1
    assert not (empty.data / "demo-accounts.json").exists()
    assert "demonstration" not in (await page.inner_text("body")).lower()


def test_ctrl_c_ends_every_child(empty: Stack) -> None:
    children = [empty.pid("streams"), empty.pid("command_center"), empty.hub_pid()]
    assert empty.end() == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
