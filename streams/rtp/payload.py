"""Where a frame begins and whether it can be decoded alone, told from the payload (RFC 6184, RFC 7741)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from streams.rtp.header import Buffer, Header

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


class PictureNumbers(NamedTuple):
    """Where the numbers of a VP8 descriptor stand, and what they are; a place of 0 means that there is none."""

    picture_at: int
    picture: int
    is_wide: bool
    """Whether the picture's number has 15 bits, not 7."""
    base_at: int
    base: int


class PictureShift(NamedTuple):
    """What is added to the picture's number and to that of the base layer (TL0PICIDX)."""

    picture: int
    base: int


def vp8_numbers(buffer: Buffer, start: int, end: int) -> PictureNumbers | None:
    """The numbers of the VP8 descriptor at `start`; None if it has none, or is cut off."""
    if end - start < 3 or not buffer[start] & 0x80:
        return None
    flags, position = buffer[start + 1], start + 2
    picture_at = picture = base_at = base = 0
    is_wide = False
    if flags & 0x80:
        picture_at, picture = position, buffer[position] & 0x7F
        is_wide = bool(buffer[position] & 0x80)
        position += 1
        if is_wide:
            if position >= end:
                return None
            picture = picture << 8 | buffer[position]
            position += 1
    if flags & 0x40:
        if position >= end:
            return None
        base_at, base = position, buffer[position]
    return PictureNumbers(picture_at, picture, is_wide, base_at, base) if picture_at or base_at else None


def shift_numbers(packet: bytearray | memoryview, numbers: PictureNumbers, shift: PictureShift) -> None:
    """Write shifted numbers where `numbers` were found; they keep their width."""
    at = numbers.picture_at
    if at:
        picture = numbers.picture + shift.picture
        if numbers.is_wide:
            _SIZE.pack_into(packet, at, 0x8000 | picture & 0x7FFF)
        else:
            packet[at] = picture & 0x7F
    if numbers.base_at:
        packet[numbers.base_at] = (numbers.base + shift.base) & 0xFF


def picture_shift(last: Buffer | None, first: Buffer | None, before: PictureShift | None) -> PictureShift | None:
    """The shift that lets the VP8 packet `first` follow on `last`, which went out with the shift `before`.

    Both are whole RTP packets. None if there is nothing to number.
    """
    old, new = (None if packet is None else _numbers_of(packet) for packet in (last, first))
    if new is None:
        return None
    if old is None:
        return before or PictureShift(0, 0)
    by_picture, by_base = before or (0, 0)
    if old.picture_at and new.picture_at:
        by_picture = (old.picture + by_picture + 1 - new.picture) & 0x7FFF
    if old.base_at and new.base_at:
        by_base = (old.base + by_base + 1 - new.base) & 0xFF
    return PictureShift(by_picture, by_base)


def _numbers_of(packet: Buffer) -> PictureNumbers | None:
    header = Header()
    if not header.read(packet, len(packet)):
        return None
    return vp8_numbers(packet, header.payload_start, header.payload_end)


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
