"""Clients by other hands publish to a node and play from it; they come from npm, so they stand apart from the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.independent_client import install, running_client
from tests.support.node import running_node
from tests.support.rtc import Publisher, Watcher
from tests.support.waiting import until

ENOUGH_FRAMES = 30
SECONDS = 40


@pytest.fixture
async def clients(tmp_path: Path) -> Path:
    """Where the clients are installed."""
    folder = tmp_path / "clients"
    folder.mkdir()
    reason = await install(folder)
    if reason is not None:
        pytest.skip(reason)
    return folder


async def test_libwebrtc_publishes_and_plays(tmp_path: Path, clients: Path) -> None:
    async with running_node(tmp_path / "node") as running:
        token, sessions = running.token(), running.node.sessions
        publish = (f"{running.url}/whip/site-1", token)
        async with running_client(clients, "libwebrtc.js", "publish", *publish) as publisher:
            await until(lambda: "site-1" in sessions.feeds and sessions.feeds["site-1"].is_live, SECONDS)
            watcher = Watcher(running.url, token)
            await watcher.watch("site-1")
            async with running_client(clients, "libwebrtc.js", "play", f"{running.url}/whep/site-1", token) as player:
                await until(lambda: (player.last("frames") or 0) > ENOUGH_FRAMES, SECONDS)
                await until(lambda: watcher.frames > ENOUGH_FRAMES, SECONDS)
                assert player.last("state") == publisher.last("state") == "connected"
                assert player.last("width") > 0
            await watcher.close()
        assert not sessions.feeds["site-1"].is_live


async def test_libdatachannel_plays_one_feed_and_publishes_it_as_another(tmp_path: Path, clients: Path) -> None:
    async with running_node(tmp_path / "node") as running:
        token, sessions = running.token(), running.node.sessions
        publisher = Publisher(running.url, token, codec="VP8")
        await publisher.publish("site-1")
        await until(lambda: sessions.feeds["site-1"].is_live, SECONDS)
        feeds = (f"{running.url}/whep/site-1", f"{running.url}/whip/site-2")
        async with running_client(clients, "libdatachannel.js", *feeds, token) as client:
            await until(lambda: "site-2" in sessions.feeds and sessions.feeds["site-2"].is_live, SECONDS)
            watcher = Watcher(running.url, token)
            await watcher.watch("site-2")
            await until(lambda: watcher.frames > ENOUGH_FRAMES, SECONDS)
            await until(lambda: (client.last("packets") or 0) > ENOUGH_FRAMES, SECONDS)
            await watcher.close()
        assert not sessions.feeds["site-2"].is_live
        await publisher.close()
