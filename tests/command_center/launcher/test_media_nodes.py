"""Several media nodes on one machine: each a child of its own, watched and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from command_center.config import HTTP_PORT_STEP, Settings
from command_center.launcher.child import Child, ChildState, Part
from command_center.launcher.parts import installation, live_feeds
from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, NODE_KEY, FeedPhase, FeedState
from streams.signalling.tokens import make_keys
from tests.support.ports import free_row
from tests.support.valkey import Valkey
from tests.support.waiting import until

PATIENCE_SECONDS = 30.0


def parts_of(settings: Settings, hub: Hub) -> dict[str, Part]:
    parts = installation(settings, hub, demonstration=False)
    return {part.name: part for part in parts if part.name.startswith("media")}


def test_one_node_is_plainly_the_media_part(tmp_path: Path, hub: Hub) -> None:
    (part,) = parts_of(Settings(data=tmp_path, redis_url="redis://hub"), hub).values()
    assert (part.name, part.command[part.command.index("--node-id") + 1]) == ("media", "node-1")


async def test_the_demonstration_is_live_when_its_feeds_are_on_whichever_node(hub: Hub) -> None:
    settings = Settings(media_nodes=2)
    for node, feed, phase in (("node-1", "a", FeedPhase.LIVE), ("node-2", "b", FeedPhase.LIVE)):
        state = FeedState(feed=feed, node=node, phase=phase, since=1)
        await hub.put_field(FEEDS_KEY.format(node=node), feed, state.model_dump_json())
    # Left by a node that hung, while the feed is live on the other.
    await hub.put_field(
        FEEDS_KEY.format(node="node-2"),
        "a",
        FeedState(feed="a", node="node-2", phase=FeedPhase.LIVE, since=1).model_dump_json(),
    )
    assert await live_feeds(hub, settings.local_nodes) == 2


@pytest.mark.timeout(120)
async def test_each_node_is_started_and_one_that_is_killed_comes_back_without_touching_the_other(
    tmp_path: Path, hub: Hub, valkey: Valkey
) -> None:
    settings = Settings(
        data=tmp_path,
        redis_url=valkey.url,
        media_nodes=2,
        media_port=free_row(1),
        media_http_port=free_row(HTTP_PORT_STEP),
    )
    make_keys(settings.keys)
    (tmp_path / "logs").mkdir()
    children = {name: Child(part, tmp_path / "logs", lambda _: None) for name, part in parts_of(settings, hub).items()}
    assert list(children) == ["media-node-1", "media-node-2"]
    first, second = children.values()
    watching: list[asyncio.Task[None]] = []
    try:
        for child in children.values():
            await child.start()
            watching.append(asyncio.create_task(child.watch()))
        before = first.pid, second.pid
        assert before[0] is not None
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: first.restarts == 1 and first.state is ChildState.RUNNING, PATIENCE_SECONDS)
        assert (first.pid != before[0], second.pid, second.restarts) == (True, before[1], 0)

        async def both_tell() -> bool:
            beats = await hub.values(NODE_KEY.format(node="*"))
            return {json.loads(beat)["signalling_url"] for beat in beats.values()} == {
                local.url for local in settings.local_nodes
            }

        await until(both_tell, PATIENCE_SECONDS)
    finally:
        for child in children.values():
            await child.end()
        await asyncio.gather(*watching)
