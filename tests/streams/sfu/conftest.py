"""A forwarder on a real socket, and feeds with real SRTP at each end."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from streams import native
from streams.rtp.header import TRANSPORT_CC
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.track import Codec, Track
from streams.sfu.viewer import Viewer
from tests.support.batch import Batch
from tests.support.outlets import PeerOutlet

PUBLISHER_VIDEO = Track(
    "video", "0", Codec("VP8", 90_000, 96, 97), {TRANSPORT_CC: 3}, nack=True, pli=True, transport_cc=True
)
PUBLISHER_AUDIO = Track("audio", "1", Codec("opus", 48_000, 111), {TRANSPORT_CC: 3}, transport_cc=True)
VIEWER_VIDEO = Track("video", "0", Codec("VP8", 90_000, 100, 101), {}, nack=True, pli=True)
VIEWER_AUDIO = Track("audio", "1", Codec("opus", 48_000, 109), {})


@dataclass
class Bench:
    """One feed with its publisher's outlet, the clock of the test, and what is to be closed."""

    forwarder: Forwarder
    feed: Feed
    publisher: PeerOutlet
    now: float = 100.0
    outlets: list[PeerOutlet] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))
    batch: Batch | None = field(default_factory=lambda: None if native.lib is None else Batch())

    def send(self, *packets: bytes) -> None:
        """Let packets come from the publisher in one round of reading."""
        self.take(*packets)
        self.forwarder.flush()

    def take(self, *packets: bytes) -> None:
        """The same, in the middle of a round."""
        if self.batch is not None:
            self.batch.deliver(self.feed, [(packet, self.now) for packet in packets])
        else:
            for packet in packets:
                buffer = bytearray(2048)
                buffer[: len(packet)] = packet
                self.feed.rtp_received(buffer, len(packet), self.now)

    def tick(self, seconds: float = 0.02) -> None:
        """Let time pass and the feed do what is due."""
        self.now += seconds
        self.feed.tick(self.now)

    def watch(self, *tracks: Track, is_open: bool = True) -> tuple[Viewer, PeerOutlet]:
        """Add a viewer with SSRCs of its own."""
        outlet = PeerOutlet(is_open=is_open)
        self.outlets.append(outlet)
        own = [
            replace(
                track,
                ssrc=next(self.numbers),
                rtx_ssrc=next(self.numbers) if track.codec.rtx_payload_type is not None else None,
            )
            for track in tracks or (VIEWER_VIDEO,)
        ]
        viewer = Viewer(own, outlet)
        self.feed.add_viewer(viewer, self.now)
        return viewer, outlet


@pytest.fixture(params=["native", "python"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which loops take, write, seal and send: both do the same."""
    way: str = request.param
    if way == "python":
        monkeypatch.setattr(native, "lib", None)
    elif native.lib is None:
        pytest.skip("the C loops are not built here")
    return way


@pytest.fixture
def bench(loops: str) -> Iterator[Bench]:
    """A feed with a VP8 and Opus publisher on it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    forwarder = Forwarder(sock, clock=lambda: made.now)
    feed = Feed("site-1", forwarder, wall_ns=lambda: int(made.now * 1e9))
    made = Bench(forwarder, feed, PeerOutlet())
    assert feed.publish([PUBLISHER_VIDEO, PUBLISHER_AUDIO], made.publisher, made.now) == []
    yield made
    for outlet in (*made.outlets, made.publisher):
        outlet.close()
    sock.close()
