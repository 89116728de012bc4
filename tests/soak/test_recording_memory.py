"""An hour of five feeds that are recorded: segments come and go, and the node's memory stays what it was."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.recording.manifest import read_manifest
from streams.recording.recovery import manifests
from tests.support.node_process import NodeProcess, node_process
from tests.support.recorded_load import FEEDS, five_phones, thread_seconds
from tests.support.valkey import Valkey

MINUTES = float(os.environ.get("SOAK_MEMORY_MINUTES", "60"))
GROWTH = 0.05
CODEC = "H264"

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A hub."""
    server = Valkey()
    server.start()
    yield server
    server.stop()


async def test_memory_is_flat_while_five_feeds_are_recorded(valkey: Valkey, tmp_path: Path) -> None:
    memory: list[float] = []
    dropped = 0.0
    async with node_process(tmp_path, valkey.url) as node, five_phones(node, CODEC):
        for minute in range(max(2, round(MINUTES))):
            before = sum(thread_seconds(node.pid).values())
            await asyncio.sleep(60 if MINUTES >= 2 else 30 * MINUTES)
            line, held, dropped = await _look(node, before)
            memory.append(held)
            print(f"\nminute {minute + 1:2d}: {line}", end="", flush=True)
    segments = _segments(tmp_path / "node" / "recordings")
    print(f"\nsegments of each feed: {segments}")
    assert len(segments) == FEEDS
    assert min(segments) >= int(MINUTES * 60 / 64), "key frames come every 2 s, so a segment has 62 s at most"
    early = max(memory[: max(1, len(memory) // 6)])
    assert dropped == 0, "the disk stalled for longer than the queues hold: what memory did then tells nothing"
    assert memory[-1] <= early * (1 + GROWTH)


async def _look(node: NodeProcess, before: float) -> tuple[str, float, float]:
    """What the node holds now and the last minute cost, its memory, and how many packets weren't kept."""
    found = await node.metrics()
    memory = found["process_resident_memory_bytes"]
    recorder = {
        name: found[f'media_node_recorder_total{{what="{name}"}}'] for name in ("files", "bytes", "dropped_packets")
    }
    assert found["media_node_recordings"] == FEEDS
    line = (
        f"{memory / 1e6:.1f} MB, {recorder['files']:.0f} files, {recorder['bytes'] / 1e6:.0f} MB written, "
        f"{sum(thread_seconds(node.pid).values()) - before:.1f} s of processor time, "
        f"{found['process_open_fds']:.0f} descriptors"
    )
    return line, memory, recorder["dropped_packets"]


def _segments(root: Path) -> list[int]:
    """How many files each feed has."""
    found: dict[str, int] = {}
    for path in manifests(root):
        manifest = read_manifest(path)
        assert manifest is not None
        found[manifest.opened.feed] = found.get(manifest.opened.feed, 0) + len(manifest.segments)
    return list(found.values())
