"""A minute without network on the phone and a killed hub: what the quicker test tries, for as long as is promised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_recovery import live_through_an_outage
from tests.support.browser import chromium
from tests.support.stack import Stack

OFFLINE_SECONDS = 60.0


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """`command-center run`, ready."""
    stack = Stack(tmp_path / "var")
    stack.start()
    yield stack
    stack.end()


async def test_a_minute_offline_loses_no_order_and_no_position(own_stack: Stack) -> None:
    async with chromium() as browser, chromium(fake_camera=True) as phone_browser:
        await live_through_an_outage(own_stack, browser, phone_browser, OFFLINE_SECONDS)
