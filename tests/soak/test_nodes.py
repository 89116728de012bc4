"""Two media nodes, five demonstration officers: a node is killed, or hangs, and every picture goes on at the other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, NODE_KEY, FeedPhase, FeedState
from tests.support.stack import Stack
from tests.support.waiting import until

MOVED_SECONDS = 10.0
ROUNDS = int(os.environ.get("SOAK_NODES_ROUNDS", "3"))
NODES = ("node-1", "node-2")

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
async def hub(two_nodes: Stack) -> AsyncIterator[Hub]:
    """The stack's own hub."""
    password = (two_nodes.data / "keys" / "hub-password").read_text().strip()
    hub = Hub(f"redis://:{password}@127.0.0.1:{two_nodes.redis_port}/0")
    yield hub
    await hub.close()


@pytest.fixture
def two_nodes(tmp_path: Path) -> Iterator[Stack]:
    """`command-center run` with two media nodes."""
    stack = Stack(tmp_path / "var", nodes=2)
    stack.start()
    yield stack
    stack.end()


async def _live(hub: Hub, node: str, since_ms: int = 0) -> set[str]:
    states = [FeedState.model_validate_json(text) for text in (await hub.fields(FEEDS_KEY.format(node=node))).values()]
    return {state.feed for state in states if state.phase is FeedPhase.LIVE and state.published_at >= since_ms}


async def _all_on(hub: Hub, node: str) -> bool:
    return len(await _live(hub, node)) == 5


async def _all_again(hub: Hub, victim: str, other: str, since_ms: int) -> bool:
    """Whether all are live: on the other node, or on the killed one's successor, which may be up before they ask."""
    return len(await _live(hub, other) | await _live(hub, victim, since_ms)) == 5


async def _are_whole(hub: Hub) -> bool:
    """Both nodes beat and each feed is told live by one of them: what a killed one still says is forgotten."""
    beats = await hub.values(NODE_KEY.format(node="*"))
    told = [feed for node in NODES for feed in await _live(hub, node)]
    return len(beats) == len(NODES) and len(told) == len(set(told)) == 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_five_feeds_go_on_at_the_other_node(two_nodes: Stack, hub: Hub, number: signal.Signals) -> None:
    for _ in range(ROUNDS):
        await until(lambda: _are_whole(hub), 60)
        counts = {node: len(await _live(hub, node)) for node in NODES}
        victim = max(NODES, key=lambda node: counts[node])
        other = next(node for node in NODES if node != victim)
        pid = two_nodes.pid(victim)
        os.kill(pid, number)
        started, killed_ms = time.monotonic(), int(time.time() * 1000)
        again = partial(_all_again, hub, victim, other, killed_ms)
        await until(again if number is signal.SIGKILL else partial(_all_on, hub, other), 60)
        moved = time.monotonic() - started
        there = len(await _live(hub, other))
        print(f"{number.name} of {victim} with {counts[victim]} feeds to five live: {moved:.2f} s, {there} on {other}")
        assert moved <= MOVED_SECONDS
        if number is signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)

            async def has_let_go(victim: str = victim) -> bool:
                return not await _live(hub, victim)

            await until(has_let_go, 20)
            assert await _all_on(hub, other)
