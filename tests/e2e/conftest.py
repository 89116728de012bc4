"""The whole product and its browsers, started once for all tests of this folder; each leaves them as it found them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from command_center.evidence.verifier import verify
from command_center.launcher.parts import DEMONSTRATION_FEEDS
from tests.support.browser import chromium, emptied
from tests.support.stack import Stack

CAMERA_FPS = 10


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`command-center run`, ready, with five live feeds; ended with this folder, for others promise times too."""
    folder: Path = tmp_path_factory.mktemp("stack") / "var"
    started = Stack(folder)
    started.start()
    yield started
    started.end()
    # Whatever all these tests did to it: what was recorded and noted is whole.
    report = verify(folder)
    assert report.exit_code != 1, report.text("en")
    assert len(report.recordings) >= DEMONSTRATION_FEEDS


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def started_browser() -> AsyncIterator[Browser]:
    """A Chromium, for what is shared by the tests of a module; other pages are opened in `browser`."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def started_phone_browser() -> AsyncIterator[Browser]:
    """A Chromium with a camera, as slow as a test needs: phones have an encoder for three layers, this machine none."""
    async with chromium(fake_camera=True, camera_fps=CAMERA_FPS) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="package")
async def browser(started_browser: Browser) -> AsyncIterator[Browser]:
    """A Chromium of the centre's, without the pages of the tests before."""
    async with emptied(started_browser):
        yield started_browser


@pytest_asyncio.fixture(loop_scope="package")
async def phone_browser(started_phone_browser: Browser) -> AsyncIterator[Browser]:
    """A Chromium with a camera that shows a moving test picture: the officer's phone, another for each context."""
    async with emptied(started_phone_browser):
        yield started_phone_browser
