"""One track of a publisher, from packets as they arrive to frames in order."""

from __future__ import annotations

from collections.abc import Callable

from streams.recording.frames import Depacketiser, Frame
from streams.recording.h264 import H264Depacketiser
from streams.recording.opus import OpusDepacketiser
from streams.recording.packets import Reorder, RtpPacket
from streams.recording.vp8 import Vp8Depacketiser
from streams.sfu.track import Kind, Track


class Stream:
    """One track of the publisher on its way to frames."""

    def __init__(self, track: Track, take: Callable[[Kind, Frame], None]) -> None:
        self.depacketiser = _depacketiser(track)
        self.ssrc: int | None = None
        self.lost_packets = 0
        self.was_dropped = False
        """Whether the recorder's own queue dropped packets since the last frame."""
        self.last_at_ns: int | None = None
        self.missing_until_ns: int | None = None
        """Up to where a pause that lasts has been written down."""
        self.last_arrival_ns = 0
        self._kind: Kind = track.kind
        self._take = take
        self.reorder = Reorder(self._release, self._lost)

    def _release(self, packet: RtpPacket) -> None:
        for frame in self.depacketiser.push(packet):
            self._take(self._kind, frame)

    def _lost(self, count: int) -> None:
        self.lost_packets += count
        self.depacketiser.lost()


def _depacketiser(track: Track) -> Depacketiser:
    if track.codec.name == "H264":
        return H264Depacketiser(track.codec.fmtp)
    return Vp8Depacketiser() if track.codec.name == "VP8" else OpusDepacketiser()
