"""10 000 peers that come and go, and half an hour of the same ones: the node's memory stays what it was."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.coming_and_going import Crowd
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_signalling import Whip
from tests.support.node_process import NodeProcess, node_process
from tests.support.valkey import Valkey

CYCLES = int(os.environ.get("SOAK_CYCLES", "10000"))
MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
ROUNDS = 10
FEEDS, VIEWERS = 5, 10
PACKETS_PER_SECOND = int(os.environ.get("SOAK_RATE", "240"))
GROWTH = 0.05

pytestmark = pytest.mark.timeout(7200)


async def test_after_ten_thousand_joins_and_leaves_nothing_has_grown(tmp_path: Path) -> None:
    valkey = Valkey()
    valkey.start()
    try:
        async with node_process(tmp_path, valkey.url, "--no-recording") as node, AsyncExitStack() as stack:
            crowd = Crowd(node, SEED)
            stack.push_async_callback(crowd.close)
            await crowd.open()
            await crowd.warm_up(200)
            before = await crowd.settled()
            print(f"\nbefore: {before.line()}")
            for number in range(ROUNDS):
                started, used = time.monotonic(), node.processor_seconds
                await crowd.run(CYCLES // ROUNDS)
                each = (node.processor_seconds - used) / (CYCLES // ROUNDS) * 1000
                rate = CYCLES / ROUNDS / (time.monotonic() - started)
                after = await crowd.settled(before)
                print(f"{number + 1:2d}: {after.line()}; {rate:.0f} cycles/s, {each:.1f} ms of the node each")
    finally:
        valkey.stop()
    assert after.is_back_to(before)
    assert after.memory <= before.memory * (1 + GROWTH)


async def test_memory_and_cost_are_flat_while_the_same_viewers_watch(tmp_path: Path) -> None:
    valkey = Valkey()
    valkey.start()
    peers: list[LightPublisher | LightViewer] = []
    try:
        async with node_process(tmp_path, valkey.url) as node:
            server = Whip(node.url, node.token())
            viewers = await _watch(server, peers)
            await asyncio.sleep(20)
            memory = []
            for minute in range(max(2, round(MINUTES))):
                line, held = await _minute(node, viewers, 60 if MINUTES >= 2 else 30 * MINUTES)
                memory.append(held)
                print(f"\nminute {minute + 1:2d}: {line}", end="", flush=True)
            for peer in peers:
                await peer.close()
            await server.close()
    finally:
        valkey.stop()
    early = max(memory[: max(1, len(memory) // 6)])
    assert memory[-1] <= early * (1 + GROWTH)


async def _watch(server: Whip, peers: list[LightPublisher | LightViewer]) -> list[LightViewer]:
    viewers = []
    for number in range(FEEDS):
        publisher = LightPublisher(seed=number, loss=0.005)
        peers.append(publisher)
        await server.publish(f"site-{number}", publisher)
        await publisher.connected.wait()
        publisher.run(publisher.publish(PACKETS_PER_SECOND))
        await asyncio.sleep(0.5)
        for index in range(VIEWERS):
            viewer = LightViewer(seed=100 * number + index, loss=0.005)
            peers.append(viewer)
            await server.view(f"site-{number}", viewer)
            await viewer.connected.wait()
            viewer.run(viewer.watch())
            viewers.append(viewer)
    return viewers


async def _minute(node: NodeProcess, viewers: list[LightViewer], seconds: float) -> tuple[str, float]:
    """What one minute cost, and the memory at its end."""
    packets, used = sum(viewer.packets for viewer in viewers), node.processor_seconds
    await asyncio.sleep(seconds)
    delivered = sum(viewer.packets for viewer in viewers) - packets
    found = await node.metrics()
    memory = found["process_resident_memory_bytes"]
    each = 1e6 * (node.processor_seconds - used) / max(1, delivered)
    line = (
        f"{memory / 1e6:.1f} MB, {delivered / seconds:.0f} packets/s out, {each:.1f} us each, "
        f"{found['media_node_tasks']:.0f} tasks, "
        f"{found['process_open_fds']:.0f} descriptors"
    )
    return line, memory
