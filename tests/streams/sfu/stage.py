"""A feed whose publisher sends three layers, and what a decoder relies on in what comes of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from streams.rtp.header import TRANSPORT_CC
from streams.rtp.payload import KEY_FRAME_TESTS, vp8_numbers
from streams.rtp.rtcp import PictureLoss, build
from streams.sfu.track import Codec, CodecName, Layer
from streams.sfu.viewer import Viewer
from tests.streams.sfu.conftest import VIEWER_VIDEO, Bench
from tests.support.layers import LayeredStream, layered_track, mark_of
from tests.support.outlets import PeerOutlet, header_of, payload_of

FRAME = 1 / 30


@dataclass
class Stage:
    """A publisher of three layers on a feed; key frames come only when they are asked for."""

    bench: Bench
    stream: LayeredStream
    codec: CodecName = "VP8"
    asked: list[tuple[float, Layer]] = field(default_factory=list)

    def begin(self) -> Stage:
        """Let the publisher take the feed."""
        self.bench.feed.publish([layered_track(self.codec)], self.bench.publisher, self.bench.now)
        return self

    def watch(self, wanted: Layer = "high", *, transport_cc: bool = False) -> tuple[Viewer, PeerOutlet]:
        """A viewer that wants this layer."""
        extensions = {TRANSPORT_CC: 5} if transport_cc else {}
        codec = Codec(self.codec, 90_000, 100, 101)
        track = replace(VIEWER_VIDEO, codec=codec, extensions=extensions, transport_cc=transport_cc)
        viewer, outlet = self.bench.watch(track)
        self.bench.feed.want(viewer, wanted, self.bench.now)
        return viewer, outlet

    def run(self, frames: int, *, without: Iterable[Layer] = (), reports: bool = False) -> None:
        """Let so many frames come; a request for a key frame is met with the next one."""
        for _ in range(frames):
            keys = []
            for report in self.bench.publisher.reports:
                layer = self.stream.layer_of(report.media_ssrc) if isinstance(report, PictureLoss) else None
                if layer is not None:
                    keys.append(layer)
                    self.asked.append((self.bench.now, layer))
            self.bench.publisher.reports.clear()
            if reports and self.stream.frame % 15 == 1:
                self.bench.feed.rtcp_received(build(self.stream.reports()), self.bench.now)
            self.bench.send(*self.stream.next_frame(keys=keys, without=without))
            self.bench.tick(FRAME)

    def want(self, viewer: Viewer, layer: Layer) -> None:
        """Let a viewer say what it wants."""
        self.bench.feed.want(viewer, layer, self.bench.now)


def stage(bench: Bench, codec: CodecName = "VP8", *, is_wide: bool = True, seed: int = 1) -> Stage:
    return Stage(bench, LayeredStream(seed, codec=codec, is_wide=is_wide), codec).begin()


def layers_in(packets: list[bytes]) -> list[Layer]:
    """The layers in their order, each run of them once."""
    return [layer for layer, _ in itertools.groupby(mark_of(payload_of(packet)).layer for packet in packets)]


def assert_continuous(packets: list[bytes], codec: CodecName, *, bits: int = 15) -> None:
    """Check packet by packet what a decoder relies on."""
    starts = KEY_FRAME_TESTS[codec]
    assert len({header_of(packet).ssrc for packet in packets}) == 1
    for before, packet in itertools.pairwise(packets):
        one, two = header_of(before), header_of(packet)
        old, new = mark_of(payload_of(before)), mark_of(payload_of(packet))
        assert (two.sequence - one.sequence) & 0xFFFF == 1
        is_new_frame = (old.layer, old.frame) != (new.layer, new.frame)
        step = (two.timestamp - one.timestamp) & 0xFFFFFFFF
        assert 0 < step <= 90_000 if is_new_frame else step == 0
        if old.layer != new.layer:
            assert starts(packet, two.payload_start, two.payload_end)
        if codec == "VP8":
            first = vp8_numbers(before, one.payload_start, one.payload_end)
            second = vp8_numbers(packet, two.payload_start, two.payload_end)
            assert first is not None
            assert second is not None
            assert second.is_wide == (bits == 15)
            assert (second.picture - first.picture) % (1 << bits) == is_new_frame
            assert (second.base - first.base) & 0xFF == is_new_frame
