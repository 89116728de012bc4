"""WebRTC clients by other hands, from npm (libwebrtc and libdatachannel): processes that talk WHIP and WHEP."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "independent"
INSTALL_SECONDS = 180.0
END_SECONDS = 10.0


async def install(folder: Path) -> str | None:
    """Install the clients into a folder; returns why they can't be had, None when they are there."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "Node.js and npm are not on this machine"
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    command = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(INSTALL_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return "npm did not answer in time"
    return None if process.returncode == 0 else f"npm: {said.decode(errors='replace')[-200:]}"


class Client:
    """What a client's process has said so far."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def last(self, name: str) -> Any:
        """The newest word under this name; None before the first."""
        return next((line[name] for line in reversed(self.said) if name in line), None)

    async def listen(self, stdout: asyncio.StreamReader) -> None:
        """Take what it says until it ends."""
        async for line in stdout:
            self.said.append(json.loads(line))


@asynccontextmanager
async def running_client(folder: Path, script: str, *arguments: str) -> AsyncIterator[Client]:
    """Run a client; it ends its sessions and itself afterwards."""
    client = Client()
    command = ("node", script, *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    listening = asyncio.create_task(client.listen(process.stdout))
    try:
        yield client
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await listening
