"""A disk that is full or stalls: viewers miss nothing, an alarm is up within five seconds, the gap has its type."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.ledger import load_signer
from streams.recording.manifest import GapKind, GapLine, read_manifest
from streams.recording.recovery import manifests
from streams.recording.sink import RecordingSink
from streams.rtp.sequence import Unwrapper
from streams.signalling.live_feed import LiveFeed
from tests.streams.recording.reading import check, decode, files
from tests.support.faulty_disk import full_disk, stalled_disk
from tests.support.light_layers import LightLayers
from tests.support.light_peer import LightPeer
from tests.support.light_signalling import Whip
from tests.support.node import running_node
from tests.support.waiting import until

STALL_SECONDS = float(os.environ.get("SOAK_STALL_SECONDS", "5"))
ALARM_SECONDS = 5.0
PACKETS = 100
SMALL_QUEUE_BYTES = 60_000
"""So that a short stall fills it."""


class Counting(LightPeer):
    """A viewer that counts what comes, and asks for nothing twice."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.packets = 0
        self.first: int | None = None
        self.numbers_seen = Unwrapper()

    @property
    def missed(self) -> int:
        """How many numbers haven't come."""
        return 0 if self.first is None else (self.numbers_seen.highest or 0) - self.first + 1 - self.packets

    def rtp_received(self, datagram: bytes) -> None:
        if int.from_bytes(datagram[8:12]) == self.numbers.ssrc:
            number = self.numbers_seen.unwrap(int.from_bytes(datagram[2:4]))
            self.first = number if self.first is None else self.first
            self.packets += 1


@asynccontextmanager
async def watched_feed(path: Path) -> AsyncIterator[tuple[LiveFeed, Counting]]:
    """A feed that is recorded, and a viewer of it."""
    async with running_node(path, records=True) as running:
        server, publisher, viewer = Whip(running.url, running.token()), LightLayers(), Counting()
        try:
            await server.publish("site-1", publisher)
            async with asyncio.timeout(10):
                await publisher.connected.wait()
            publisher.run(publisher.publish())
            feed = running.node.sessions.feeds["site-1"]
            await until(lambda: feed.is_live, seconds=10)
            await server.view("site-1", viewer)
            await until(lambda: feed.is_recording and viewer.packets > PACKETS, seconds=20)
            yield feed, viewer
        finally:
            await viewer.close()
            await publisher.close()
            await server.close()


async def goes_on(feed: LiveFeed, viewer: Counting) -> None:
    """The recording is back by itself, and the viewer missed nothing meanwhile."""
    await until(lambda: feed.trouble is None and feed.is_recording, seconds=15)
    seen = viewer.packets
    await until(lambda: viewer.packets > seen + PACKETS, seconds=10)
    assert viewer.missed == 0


def gaps_in(path: Path) -> list[GapLine]:
    found = [read_manifest(manifest) for manifest in manifests(path / "recordings")]
    return [gap for manifest in found if manifest is not None for gap in manifest.gaps]


def kinds_in(path: Path) -> set[GapKind]:
    return {gap.kind for gap in gaps_in(path)}


async def test_a_full_disk_costs_no_packet_of_the_forwarding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched_feed(tmp_path) as (feed, viewer):
        with full_disk(monkeypatch):
            await until(lambda: feed.trouble == "disk_full", seconds=ALARM_SECONDS)
            seen = viewer.packets
            await until(lambda: viewer.packets > seen + PACKETS, seconds=10)
            assert feed.trouble == "disk_full"
        await goes_on(feed, viewer)
    assert kinds_in(tmp_path) == {"disk_full"}
    check(tmp_path / "recordings", load_signer(tmp_path / "keys" / "recording-test.pem").public)
    assert all(decode(file)["video"] for file in files(tmp_path / "recordings"))
    closed = [read_manifest(manifest) for manifest in manifests(tmp_path / "recordings")]
    assert all(one is not None and one.closed is not None for one in closed), "what was refused is completed later"


@pytest.mark.parametrize("is_small", [False, True])
async def test_a_disk_that_stalls_costs_no_packet_of_the_forwarding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_small: bool
) -> None:
    if is_small:
        defaults = RecordingSink.__init__.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "bound", SMALL_QUEUE_BYTES)
    async with watched_feed(tmp_path) as (feed, viewer):
        with stalled_disk(monkeypatch):
            await until(lambda: feed.trouble == "disk_slow", seconds=ALARM_SECONDS)
            stalled, seen = time.monotonic(), viewer.packets
            await until(lambda: time.monotonic() - stalled > STALL_SECONDS, seconds=STALL_SECONDS + 5)
            assert viewer.packets > seen + PACKETS
        await goes_on(feed, viewer)
    assert kinds_in(tmp_path) == ({"disk_slow"} if is_small else set()), "what the queue holds is not lost"
    check(tmp_path / "recordings", load_signer(tmp_path / "keys" / "recording-test.pem").public)
