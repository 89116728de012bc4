"""Whether files play to their end: in Chromium, by ffprobe, and decoded whole by a library."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page

PLAY = """async ([urls, rate, patience]) => Promise.all(urls.map((url) => new Promise((done) => {
    const video = document.createElement('video');
    const finish = (how) => {
        const played = { how, seconds: video.currentTime, width: video.videoWidth };
        video.onended = video.onerror = null;
        video.removeAttribute('src');
        video.load();
        video.remove();
        done(played);
    };
    video.muted = true;
    video.defaultPlaybackRate = rate;
    video.onended = () => finish('ended');
    video.onerror = () => finish(`error ${video.error.code}: ${video.error.message}`);
    setTimeout(() => finish('stuck'), patience * 1000);
    document.body.append(video);
    video.src = url;
    video.play().catch(() => {});
})))"""
RATE = 8.0
AT_A_TIME = 4
PATIENCE_SECONDS = 60.0
FFPROBE = shutil.which("ffprobe")
PROBE_SECONDS = 60.0


@dataclass(frozen=True)
class Played:
    """How a file's playing ended: `ended`, `stuck`, or an error's words."""

    how: str
    seconds: float
    width: int


async def played(page: Page, urls: Sequence[str]) -> list[Played]:
    """Play files one batch after the other on a page, faster than they are."""
    found: list[Played] = []
    for start in range(0, len(urls), AT_A_TIME):
        batch = [list(urls[start : start + AT_A_TIME]), RATE, PATIENCE_SECONDS]
        found += [Played(**one) for one in await page.evaluate(PLAY, batch)]
    return found


async def probed(path: Path) -> str:
    """What ffprobe finds wrong with a file, packet by packet; empty where it is whole, and where no ffprobe is."""
    if FFPROBE is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        *(FFPROBE, "-v", "warning", "-show_packets", "-show_streams", "-of", "compact", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PROBE_SECONDS):
        shown, wrong = await process.communicate()
    if process.returncode or not shown:
        return f"ffprobe ended with {process.returncode}: {wrong.decode(errors='replace')}"
    return wrong.decode(errors="replace")
