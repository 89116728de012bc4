"""VP8 out of RTP (RFC 7741)."""

from __future__ import annotations

from streams.recording.frames import FRAME_BOUND, Frame, VideoFormat
from streams.recording.packets import RtpPacket


class Vp8Depacketiser:
    """Collects the partitions of one frame until the marker or the next timestamp."""

    def __init__(self) -> None:
        self.format: VideoFormat | None = None
        self._parts: list[bytes] = []
        self._timestamp: int | None = None
        self._arrival_ns = 0
        self._length = 0
        self._is_damaged = False

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; return the frames that are complete with it."""
        if not packet.payload:
            return []
        frames: list[Frame] = []
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            frames += self._finish()
        start = _descriptor_length(packet.payload)
        is_first = packet.payload[0] & 0x17 == 0x10  # start of partition 0
        if self._timestamp is None:
            self._timestamp = packet.timestamp
            self._arrival_ns = packet.arrival_ns
            self._is_damaged = not is_first
        self._length += len(packet.payload)
        if start is None or self._length > FRAME_BOUND:
            self._is_damaged = True
            self._parts.clear()
        else:
            self._parts.append(packet.payload[start:])
        if packet.marker:
            frames += self._finish()
        return frames

    def lost(self) -> None:
        """A frame that is under way has a hole; one whose start is missing is seen by its first packet."""
        if self._timestamp is not None:
            self._is_damaged = True

    def _finish(self) -> list[Frame]:
        data, timestamp, arrival_ns = b"".join(self._parts), self._timestamp, self._arrival_ns
        is_whole = not self._is_damaged
        self._parts, self._timestamp, self._is_damaged, self._length = [], None, False, 0
        if not is_whole or not data or timestamp is None:
            return []
        is_key = not data[0] & 1
        if is_key:
            if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
                return []
            width = int.from_bytes(data[6:8], "little") & 0x3FFF
            height = int.from_bytes(data[8:10], "little") & 0x3FFF
            self.format = VideoFormat("VP8", width, height, "vp8")
        return [Frame(timestamp, arrival_ns, data, is_key)]


def _descriptor_length(payload: bytes) -> int | None:
    """Where the frame's bytes begin, or None in a packet that ends before them."""
    length = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        extensions = payload[1]
        length = 2
        if extensions & 0x80:
            if len(payload) < 3:
                return None
            length += 2 if payload[2] & 0x80 else 1
        if extensions & 0x40:
            length += 1
        if extensions & 0x30:
            length += 1
    return length if length < len(payload) else None
