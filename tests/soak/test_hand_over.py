"""200 address changes and 100 ICE restarts of publishers and viewers, seeded: none stuck, and how long each took."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.hand_over import Times, Walk, walking
from tests.support.node import running_node
from tests.support.relay import relayed

MOVES = int(os.environ.get("SOAK_MOVES", "200"))
RESTARTS = int(os.environ.get("SOAK_RESTARTS", "100"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
FEEDS = 4

pytestmark = pytest.mark.timeout(3600)


async def _walk(walk: Walk, number: int, times: dict[str, Times]) -> None:
    """This feed's share, in the order that its seed gives."""
    events = ["move"] * (MOVES // FEEDS) + ["restart"] * (RESTARTS // FEEDS)
    walk.chance.shuffle(events)
    for event in events:
        await asyncio.sleep(walk.chance.uniform(1.2, 2.0))  # a key frame is asked for once a second at most
        kind = walk.chance.choice(("viewer", "publisher"))
        peer = walk.viewer if kind == "viewer" else walk.publisher
        if event == "move":
            await walk.move(peer, times[f"{kind} moves"], checks_at_once=walk.chance.random() < 0.5)
        else:
            moves = walk.chance.random() < 0.5
            await walk.restart(peer, times[f"{kind} restarts{' and moves' if moves else ''}"], moves=moves)


async def test_no_session_is_stuck_after_any_move_or_restart(tmp_path: Path) -> None:
    names = ("moves", "restarts", "restarts and moves")
    times = {f"{kind} {name}": Times(f"{kind} {name}") for kind in ("viewer", "publisher") for name in names}
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_node(tmp_path))
        relay = await stack.enter_async_context(relayed(running.node.port.number, seed=SEED))
        walks = [
            await stack.enter_async_context(walking(running, relay, f"site-{number}", SEED + number))
            for number in range(FEEDS)
        ]
        async with asyncio.TaskGroup() as group:
            for number, walk in enumerate(walks):
                group.create_task(_walk(walk, number, times))
        assert len(running.node.sessions.by_id) == 2 * FEEDS
        assert running.node.sessions.ended == {}
        assert running.node.port.refused["unhandled"] == 0
    print()
    for one in times.values():
        print(one.line())
