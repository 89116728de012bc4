"""The whole product, started once for all tests of this folder; each test leaves it as it found it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import chromium
from tests.support.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`command-center run`, ready, with five live feeds."""
    folder: Path = tmp_path_factory.mktemp("stack") / "var"
    started = Stack(folder)
    started.start()
    yield started
    started.end()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of the centre's."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def phone_browser() -> AsyncIterator[Browser]:
    """A Chromium with a camera that shows a moving test picture: the officer's phone."""
    async with chromium(fake_camera=True) as browser:
        yield browser
