"""Where a frame begins and whether it can be decoded alone, told from the payload (RFC 6184, RFC 7741)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from streams.rtp.header import Buffer

_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28
_SIZE = struct.Struct("!H")


def vp8_frame_offset(buffer: Buffer, start: int, end: int) -> int:
    """Where the VP8 data begins if this packet begins a frame (its first partition), else -1."""
    if start >= end:
        return -1
    first = buffer[start]
    if first & 0x17 != 0x10:
        return -1
    position = start + 1
    if first & 0x80:
        if position >= end:
            return -1
        flags = buffer[position]
        position += 1
        if flags & 0x80:
            if position >= end:
                return -1
            position += 2 if buffer[position] & 0x80 else 1
        if flags & 0x40:
            position += 1
        if flags & 0x30:
            position += 1
    return position if position < end else -1


def vp8_starts_key_frame(buffer: Buffer, start: int, end: int) -> bool:
    """Whether this packet is the first of a VP8 key frame."""
    offset = vp8_frame_offset(buffer, start, end)
    return offset >= 0 and not buffer[offset] & 1


def h264_starts_key_frame(buffer: Buffer, start: int, end: int) -> bool:
    """Whether decoding can begin with this packet: an SPS, or the beginning of an IDR picture."""
    if start >= end:
        return False
    kind = buffer[start] & 0x1F
    if kind in (_IDR, _SPS):
        # An IDR slice that isn't the picture's first (first_mb_in_slice != 0) begins nothing.
        return kind == _SPS or (start + 1 < end and bool(buffer[start + 1] & 0x80))
    if kind == _STAP_A:
        return _aggregate_starts(buffer, start + 1, end)
    if kind == _FU_A and start + 2 < end:
        head = buffer[start + 1]
        return bool(head & 0x80) and head & 0x1F == _IDR and bool(buffer[start + 2] & 0x80)
    return False


def _aggregate_starts(buffer: Buffer, position: int, end: int) -> bool:
    while position + 2 < end:
        (size,) = _SIZE.unpack_from(buffer, position)
        position += 2
        if size == 0 or position + size > end:
            return False
        if buffer[position] & 0x1F in (_IDR, _SPS):
            return True
        position += size
    return False


def never_starts(_buffer: Buffer, _start: int, _end: int) -> bool:
    """For audio: there is nothing to wait for."""
    return False


KEY_FRAME_TESTS: dict[str, Callable[[Buffer, int, int], bool]] = {
    "H264": h264_starts_key_frame,
    "VP8": vp8_starts_key_frame,
    "opus": never_starts,
}


class FrameBoundaries:
    """Counts whole frames of one stream by marker and timestamp; a lost marker is made up by the next timestamp."""

    __slots__ = ("frames", "open_timestamp")

    def __init__(self) -> None:
        self.frames = 0
        self.open_timestamp: int | None = None

    def packet(self, timestamp: int, marker: bool) -> bool:
        """Take a packet that is in order; True when it ends a frame or shows that one ended."""
        broken_off = self.open_timestamp is not None and self.open_timestamp != timestamp
        self.open_timestamp = None if marker else timestamp
        self.frames += broken_off + marker
        return broken_off or marker
