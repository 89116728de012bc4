"""Address changes and ICE restarts of light peers behind a relay, and how long the picture stays away."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from streams.rtp.rtcp import PictureLoss, ReceiverReport
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_peer import LightPeer
from tests.support.light_signalling import Whip
from tests.support.node import RunningNode
from tests.support.relay import Relay
from tests.support.stream import VP8_KEY
from tests.support.waiting import until

CONNECT_SECONDS = 30
PICTURE_SECONDS = 30
PACKETS_PER_SECOND = 160


class Watcher(LightViewer):
    """Knows whether what it gets could be decoded: whole frames without a hole since a key frame."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.opens_all = True
        self.picture_at = 0.0
        self._is_broken = True
        self._beyond_repair = 0
        self._key_timestamp: int | None = None

    def _read_payload(self, datagram: bytes) -> None:
        packet = self.open_packet(datagram)
        if packet is not None and self._header.read(packet, len(packet)):
            start = self._header.payload_start
            if packet[start : start + len(VP8_KEY)] == VP8_KEY:
                self._key_timestamp = self._header.timestamp

    def _take(self, sequence: int, timestamp: int, marker: bool, now: float) -> None:
        whole = self.frames_whole
        super()._take(sequence, timestamp, marker, now)
        if self._losses.beyond_repair > self._beyond_repair:
            self._beyond_repair = self._losses.beyond_repair
            self._is_broken = True
            self.send_reports(ReceiverReport(self.ssrc), PictureLoss(self.ssrc, self.numbers.ssrc))
        if self.frames_whole > whole:
            if timestamp == self._key_timestamp:
                self._is_broken = False
            if not self._is_broken and not self._losses:
                self.picture_at = now


@dataclass
class Times:
    """Of one kind of event: seconds until the picture was there again."""

    name: str
    from_event: list[float] = field(default_factory=list)
    from_check: list[float] = field(default_factory=list)

    def line(self) -> str:
        """As one row."""
        parts = [
            f"from {what}: p50 {_share(found, 50) * 1000:5.0f} ms, p95 {_share(found, 95) * 1000:5.0f} ms, "
            f"most {max(found) * 1000:5.0f} ms"
            for what, found in (("the check", self.from_check), ("the event", self.from_event))
            if found
        ]
        return f"{self.name:<26} {len(self.from_event):4d}  " + "  ".join(parts)


def _share(found: list[float], percent: int) -> float:
    return sorted(found)[min(len(found) - 1, len(found) * percent // 100)]


@dataclass
class Walk:
    """One feed with its publisher and viewer, both behind the relay."""

    running: RunningNode
    relay: Relay
    server: Whip
    publisher: LightPublisher
    viewer: Watcher
    chance: random.Random

    async def move(self, peer: LightPeer, times: Times, *, checks_at_once: bool) -> None:
        """Give a peer another address; `checks_at_once` as a browser that noticed, else with its next check."""
        link = self._session(peer).link
        version, started = link.address_version, time.monotonic()
        self.relay.move(peer.address)
        if checks_at_once:
            peer.check()
        await until(lambda: link.address_version > version, PICTURE_SECONDS)
        checked = time.monotonic()
        times.from_check.append(await self._picture_after(checked) - checked)
        times.from_event.append(self.viewer.picture_at - started)
        assert link.address == self.relay.address_of(peer.address)

    async def restart(self, peer: LightPeer, times: Times, *, moves: bool) -> None:
        """Give a peer new ICE credentials, now and then on its way to another address."""
        session, started = self._session(peer), time.monotonic()
        if moves:
            self.relay.move(peer.address)
        await self.server.restart(peer)
        peer.check()
        ufrag = peer.remote_ufrag
        await until(lambda: session.link.ufrag == ufrag, PICTURE_SECONDS)
        await self._picture_after(time.monotonic())
        times.from_event.append(self.viewer.picture_at - started)
        assert session.link.next_credentials is None

    async def _picture_after(self, instant: float) -> float:
        await until(lambda: self.viewer.picture_at > instant, PICTURE_SECONDS)
        return self.viewer.picture_at

    def _session(self, peer: LightPeer):  # type: ignore[no-untyped-def]
        return self.running.node.sessions.by_id[self.server.path_of(peer).rsplit("/", 1)[1]]


@asynccontextmanager
async def walking(running: RunningNode, relay: Relay, feed: str, seed: int) -> AsyncIterator[Walk]:
    """A feed whose picture is seen."""
    server = Whip(running.url, running.token(), relay.lead)
    publisher = LightPublisher(seed=seed, parts=4, size=400)
    viewer = Watcher(seed=seed, frame_parts=4)
    try:
        await server.publish(feed, publisher)
        await until(publisher.connected.is_set, CONNECT_SECONDS)
        publisher.run(publisher.publish(PACKETS_PER_SECOND))
        await until(lambda: running.node.sessions.feeds[feed].is_live, CONNECT_SECONDS)
        await server.view(feed, viewer)
        viewer.run(viewer.watch())
        await until(lambda: viewer.picture_at > 0, CONNECT_SECONDS)
        yield Walk(running, relay, server, publisher, viewer, random.Random(seed))
    finally:
        await publisher.close()
        await viewer.close()
        await server.close()
