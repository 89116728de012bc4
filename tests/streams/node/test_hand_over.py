"""A peer that changes its address, or its ICE credentials, goes on: a short form of `tests/soak/test_hand_over.py`."""

from __future__ import annotations

from pathlib import Path

from tests.support.hand_over import Times, walking
from tests.support.node import running_node
from tests.support.relay import relayed


async def test_the_picture_goes_on_after_moves_and_restarts_of_either_side(tmp_path: Path) -> None:
    times = Times("short")
    async with (
        running_node(tmp_path) as running,
        relayed(running.node.port.number, seed=5) as relay,
        walking(running, relay, "site-1", 5) as walk,
    ):
        for peer in (walk.viewer, walk.publisher):
            await walk.move(peer, times, checks_at_once=True)
            await walk.restart(peer, times, moves=False)
            await walk.restart(peer, times, moves=True)
        assert len(running.node.sessions.by_id) == 2
    assert len(times.from_event) == 6
