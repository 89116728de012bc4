"""Packets taken several at a time come to the same as packets taken one by one, whatever is unusual about them."""

from __future__ import annotations

import dataclasses
import random
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from streams.rtp.header import ABS_CAPTURE_TIME, TRANSPORT_CC, build_packet
from streams.sfu.fanout import WORTH_WAITING
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.source import Source
from streams.sfu.track import LAYERS, Codec, CodecName, Kind, Track
from streams.sfu.viewer import Viewer
from tests.support.batch import Batch, needs_loops
from tests.support.layers import EXTENSIONS, NAMED_PACKETS, LayeredStream
from tests.support.outlets import PeerOutlet, header_of, payload_of

pytestmark = needs_loops

CAPTURE_ID = 6
ROUNDS = 250
UNSEGMENTED = {3}
"""Seeds of worlds whose kernel doesn't cut datagrams: no two packets may go as one."""


class Kept:
    """A recording's sink that keeps what it is given."""

    def __init__(self) -> None:
        self.packets: list[tuple[Kind, bytes, int]] = []

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int) -> None:
        self.packets.append((kind, packet, arrival_ns))

    def report(self, kind: Kind, ntp: int, rtp_timestamp: int) -> None:
        """Reports don't come this way."""


class World:
    """A feed of three layers with viewers and a recording; a seed says what comes, and how it is disturbed."""

    def __init__(self, seed: int, codec: CodecName) -> None:
        random.seed(seed)  # numbers that are drawn by lot shall be the same in both worlds
        self.chance = random.Random(seed)
        self.codec: CodecName = codec
        self.now = 1000.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.forwarder = Forwarder(self.socket, clock=lambda: self.now)
        self.feed = Feed("site-1", self.forwarder, wall_ns=lambda: round(self.now * 1e9))
        self.sink = Kept()
        self.feed.sink = self.sink
        self.publisher = PeerOutlet()
        self.viewers: list[tuple[Viewer, PeerOutlet]] = []
        self.got: list[list[bytes]] = []
        self.forwarder.segmentation = seed not in UNSEGMENTED
        self.stream = LayeredStream(seed, codec=codec, is_wide=self.chance.random() < 0.5)
        for layer in self.stream.layers.values():
            layer.parts = self.chance.randint(3, 12)
        self.rounds: list[object] = []
        self.transport = self.chance.getrandbits(16)
        self.waiting: list[bytes] = []
        extensions = {**EXTENSIONS, ABS_CAPTURE_TIME: CAPTURE_ID}
        track = Track(
            "video",
            "0",
            Codec(codec, 90_000, 96, 97),
            extensions,
            nack=True,
            pli=True,
            transport_cc=True,
            rids=("l", "m", "h"),
        )
        self.track = track
        self.publish()

    def publish(self) -> None:
        """A publisher takes the feed, in place of the one before; its first packets name their layers."""
        for layer in self.stream.layers.values():
            layer.named = NAMED_PACKETS
        assert self.feed.publish([self.track], self.publisher, self.now) == []

    def watch(self) -> None:
        """Another viewer, of one of three layouts."""
        number = len(self.viewers)
        extensions = self.chance.choice(({}, {TRANSPORT_CC: 5}, {TRANSPORT_CC: 5, ABS_CAPTURE_TIME: 7}))
        outlet = PeerOutlet()
        track = Track(
            "video",
            "0",
            Codec(self.codec, 90_000, 100, 101),
            extensions,
            2000 + number,
            3000 + number,
            nack=True,
            pli=True,
            transport_cc=TRANSPORT_CC in extensions,
        )
        viewer = Viewer([track], outlet)
        self.feed.add_viewer(viewer, self.now)
        self.viewers.append((viewer, outlet))
        self.got.append([])

    def dress(self, packet: bytes) -> bytes:
        """The packet as it might come: numbered, stamped, padded, longer."""
        chance, header = self.chance, header_of(packet)
        extensions = [(CAPTURE_ID, chance.randbytes(8))] if chance.random() < 0.05 else []
        if chance.random() < 0.97:
            extensions.append((EXTENSIONS[TRANSPORT_CC], self.transport.to_bytes(2, "big")))
            self.transport = (self.transport + 1) & 0xFFFF
        # What names the stream stands in its first packets only.
        names = [(4, b"0"), (10, packet_rid(packet))] if header.extension_profile else []
        longer = chance.randbytes(chance.choice((0, 0, 0, 30, 900, 1500))) if chance.random() < 0.2 else b""
        return build_packet(
            payload_type=header.payload_type if chance.random() < 0.998 else 99,
            sequence=header.sequence,
            timestamp=header.timestamp,
            ssrc=header.ssrc,
            marker=header.marker and chance.random() < 0.99,
            payload=payload_of(packet) + longer,
            extensions=[*names, *extensions],
            padding=chance.randrange(1, 20) if chance.random() < 0.01 else 0,
        )

    def next_frames(self) -> list[bytes]:
        """What a round brings: a frame of all layers, sometimes two, the layers' packets in any order."""
        frames: list[bytes] = []
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            keys = [layer for layer in LAYERS if self.chance.random() < 0.1]
            frames += self.stream.next_frame(keys=keys)
        if self.chance.random() < 0.3:
            frames.sort(key=lambda packet: header_of(packet).ssrc)
        return [self.dress(packet) for packet in frames]

    def disturb(self, packets: list[bytes]) -> list[bytes]:
        """Lose some, repeat some, change the order of some, and keep some back for the next round."""
        chance = self.chance
        packets, self.waiting = self.waiting + packets, []
        came: list[bytes] = []
        for packet in packets:
            fate = chance.random()
            if fate < 0.02:
                continue
            if fate < 0.03:
                self.waiting.append(packet)
                continue
            came += [packet, packet] if fate < 0.04 else [packet]
        if chance.random() < 0.1 and len(came) > 1:
            at = chance.randrange(len(came) - 1)
            came[at], came[at + 1] = came[at + 1], came[at]
        return came

    def change(self) -> None:
        """Let now and then a viewer come, want something else, go, or let the publisher count anew."""
        chance, event = self.chance, self.chance.random()
        if event < 0.03 and len(self.viewers) < 24:
            self.watch()
        elif event < 0.08 and self.viewers:
            self.feed.want(chance.choice(self.viewers)[0], chance.choice(LAYERS), self.now)
        elif event < 0.09 and len(self.feed.viewers) > 1:
            self.feed.remove_viewer(chance.choice(self.feed.viewers))
        elif event < 0.1:
            layer = self.stream.layers[chance.choice(LAYERS)]
            layer.sequence = (layer.sequence + 20_000) & 0xFFFF
        elif event < 0.11:
            self.feed.unpublish(self.now)
            self.publish()

    def collect(self) -> None:
        """Open what came to the viewers."""
        for got, (_, outlet) in zip(self.got, self.viewers, strict=True):
            got += outlet.received()

    def note(self) -> None:
        """How things stand in the middle of a round, before what gathered goes out."""
        feed = self.feed
        upstream = feed.upstream
        arrivals = None if upstream is None or upstream.arrivals is None else dict(upstream.arrivals._ticks)
        fans = [source.fan_out for source in self.sources]
        ways = [(fan.awaits_more, fan.reminded, fan._gathered, fan._closed) for fan in fans]
        frames = [(s.last_frame_at, s.key_frames.wanted) for s in self.sources]
        self.rounds.append((ways, frames, arrivals, dataclasses.astuple(feed.counters)))

    @property
    def sources(self) -> Sequence[Source]:
        """Of the layers that are known."""
        return self.feed.layers.sources

    def told(self) -> dict[str, Any]:
        """All that may not differ."""
        feed = self.feed
        inlets = feed._inlets.all()
        sources = self.sources
        return {
            "rounds": self.rounds,
            "sent": dataclasses.astuple(self.forwarder.counters),
            "viewers": self.got,
            "reports": self.publisher.compounds,
            "recorded": self.sink.packets,
            "counters": dataclasses.astuple(feed.counters),
            "delays": self.forwarder.delays.total,
            "receptions": [(i.ssrc, i.last_at, i.reception.block(self.now)) for i in inlets],
            "losses": [None if i.losses is None else (i.losses.highest, i.losses._missing) for i in inlets],
            "sources": [
                (s.last_number, s.last_timestamp, s.last_at, s.last_frame_at, s.packets, s.octets, s.duplicates)
                for s in sources
            ],
            "frames": [(s.boundaries.frames, s.key_frame_count, s.key_frame_number) for s in sources],
            "rings": [(s.ring.numbers, s.ring.lengths, s.ring.octets) for s in sources],
        }

    def close(self) -> None:
        for _, outlet in self.viewers:
            outlet.close()
        self.publisher.close()
        self.socket.close()


def packet_rid(packet: bytes) -> bytes:
    """The rid in a packet of the prepared layers, whose only other element is the mid."""
    return packet[19:20]


def play(seed: int, codec: CodecName, *, in_runs: bool) -> tuple[dict[str, Any], int]:
    """Let it all happen; what came of it, and how many packets were taken several at a time."""
    world, batch, in_many = World(seed, codec), Batch(), 0
    try:
        for _ in range(world.chance.choice((1, 3, WORTH_WAITING + 1))):
            world.watch()
        for _ in range(ROUNDS):
            world.change()
            packets = world.disturb(world.next_frames())
            times = [world.now + 0.0001 * place for place in range(len(packets))]
            if in_runs:
                in_many += batch.deliver(world.feed, list(zip(packets, times, strict=True)))
            else:
                for packet, at in zip(packets, times, strict=True):
                    world.feed.rtp_received(bytearray(packet) + bytearray(600), len(packet), at)
            world.note()
            world.forwarder.flush()
            world.now += world.chance.choice((0.01, 0.033, 0.04))
            world.feed.tick(world.now)
            world.collect()
        return world.told(), in_many
    finally:
        world.close()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("seed", range(6))
def test_in_runs_as_one_by_one(seed: int, codec: CodecName) -> None:
    singly, _ = play(seed, codec, in_runs=False)
    together, in_many = play(seed, codec, in_runs=True)
    for name, expected in singly.items():
        assert together[name] == expected, name
    assert in_many > ROUNDS if seed not in UNSEGMENTED else in_many == 0
    assert sum(map(len, singly["viewers"])) > ROUNDS
