"""A real Chromium, driven by Playwright, with what a test wants to know of its pages."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Frame, Page, Request, async_playwright

from tests.support.waiting import until

EXECUTABLE = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
CAMERA_FLAGS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@asynccontextmanager
async def chromium(
    *, camera: Path | None = None, fake_camera: bool = False, camera_fps: int | None = None
) -> AsyncIterator[Browser]:
    """A browser of its own process. `camera` is a .y4m or .mjpeg file that plays as its camera.

    `camera_fps` slows the built-in camera down, for a test that is about something else than its picture: phones have
    an encoder for three layers, a browser here takes a core for them.
    """
    flags = [*FLAGS, *(CAMERA_FLAGS if camera or fake_camera else [])]
    if camera_fps:
        flags.append(f"--use-fake-device-for-media-stream=fps={camera_fps}")
    if camera:
        flags.append(f"--use-file-for-fake-video-capture={camera}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def emptied(browser: Browser) -> AsyncIterator[None]:
    """Close after the block what was opened in it, and leave what others opened before."""
    before = set(browser.contexts)
    try:
        yield
    finally:
        for context in set(browser.contexts) - before:
            await context.close()


@dataclass
class Watched:
    """What went wrong on a page: errors on its console, exceptions, requests to other hosts."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note everything from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in {"127.0.0.1", "localhost"}:
            self.foreign.append(request.url)


async def holds(page: Page | Frame, expression: str, argument: Any = None, seconds: float = 5.0) -> None:
    """Wait until a JavaScript expression is true on the page.

    Playwright's `wait_for_function` polls by `eval`, which our pages' Content Security Policy forbids.
    """
    await until(lambda: page.evaluate(expression, argument), seconds)


async def sign_in(page: Page, url: str, username: str, password: str, then: str = "/") -> None:
    """Sign in by the API from the page's own origin, so that its cookies are set, and go on to `then`."""
    await page.goto(f"{url}/sign-in")
    status = await page.evaluate(
        """async ([username, password]) => (await fetch('/api/session', {
            method: 'POST', headers: {'Content-Type': 'application/json'},
            body: JSON.stringify({username, password}),
        })).status""",
        [username, password],
    )
    assert status == 200, f"sign-in answered {status}"
    await page.goto(f"{url}{then}")
