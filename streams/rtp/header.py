"""RTP headers and their extensions (RFC 3550 §5.1, RFC 8285), read without trusting a byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence

FIXED_SIZE = 12
ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

_FIXED = struct.Struct("!BBHII")
_PAIR = struct.Struct("!HH")

Buffer = bytes | bytearray | memoryview


class Header:
    """One reusable view of a packet's header; `read` fills it, nothing is allocated a packet."""

    __slots__ = (
        "_elements",
        "extension_end",
        "extension_profile",
        "extension_start",
        "marker",
        "payload_end",
        "payload_start",
        "payload_type",
        "sequence",
        "ssrc",
        "timestamp",
    )

    def __init__(self) -> None:
        self.payload_type = self.sequence = self.timestamp = self.ssrc = 0
        self.marker = False
        self.payload_start = self.payload_end = 0
        self.extension_profile = self.extension_start = self.extension_end = 0
        self._elements: Sequence[tuple[int, int, int]] | None = ()

    def read(self, buffer: Buffer, length: int) -> bool:
        """Read the header of the first `length` bytes; False for what is no RTP packet.

        `payload_start` to `payload_end` is the payload without padding. `extension_profile` is 0 when there is
        no extension block.
        """
        if length < FIXED_SIZE or length > len(buffer):
            return False
        first, second, self.sequence, self.timestamp, self.ssrc = _FIXED.unpack_from(buffer)
        if first & 0xC0 != 0x80:
            return False
        self.marker = second > 0x7F
        self.payload_type = second & 0x7F
        start = FIXED_SIZE + 4 * (first & 0x0F)
        self.extension_profile = 0
        self._elements = ()
        if first & 0x10:
            if start + 4 > length:
                return False
            profile, words = _PAIR.unpack_from(buffer, start)
            self.extension_profile = profile
            self._elements = None
            self.extension_start = start + 4
            start = self.extension_end = start + 4 + 4 * words
        end = length
        if first & 0x20 and end > start:
            padding = buffer[end - 1]
            if padding == 0:
                return False
            end -= padding
        if start > end:
            return False
        self.payload_start, self.payload_end = start, end
        return True

    def elements(self, buffer: Buffer) -> Sequence[tuple[int, int, int]]:
        """The extension elements of the packet that was read, looked for once; see `find_extensions`."""
        if self._elements is None:
            self._elements = find_extensions(self, buffer)
        return self._elements


def find_extensions(header: Header, buffer: Buffer) -> list[tuple[int, int, int]]:
    """The extension elements as (id, start, length) within `buffer`, in both forms of RFC 8285.

    A malformed block yields the elements before the fault.
    """
    found: list[tuple[int, int, int]] = []
    profile = header.extension_profile
    position, end = header.extension_start, header.extension_end
    if profile == ONE_BYTE_PROFILE:
        while position < end:
            head = buffer[position]
            position += 1
            if head == 0:
                continue
            number, size = head >> 4, (head & 0x0F) + 1
            if number == 15 or position + size > end:
                break
            if number:
                found.append((number, position, size))
            position += size
    elif profile & 0xFFF0 == TWO_BYTE_PROFILE:
        while position < end:
            number = buffer[position]
            position += 1
            if number == 0:
                continue
            if position >= end:
                break
            size = buffer[position]
            position += 1
            if position + size > end:
                break
            found.append((number, position, size))
            position += size
    return found


def build_extensions(elements: Sequence[tuple[int, bytes]]) -> bytes:
    """The whole extension block, its four-byte head included, padded to words; the one-byte form where it fits.

    No elements give no bytes: the X bit must then stay clear.
    """
    if not elements:
        return b""
    body = bytearray()
    if all(0 < number < 15 and 0 < len(value) <= 16 for number, value in elements):
        profile = ONE_BYTE_PROFILE
        for number, value in elements:
            body.append(number << 4 | len(value) - 1)
            body += value
    else:
        profile = TWO_BYTE_PROFILE
        for number, value in elements:
            body += bytes((number, len(value)))
            body += value
    body += bytes(-len(body) % 4)
    return _PAIR.pack(profile, len(body) // 4) + body


def build_packet(
    *,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    marker: bool = False,
    extensions: Sequence[tuple[int, bytes]] = (),
    padding: int = 0,
) -> bytes:
    """A whole RTP packet; `padding` counts the bytes to add after the payload."""
    block = build_extensions(extensions)
    first = 0x80 | (0x10 if block else 0) | (0x20 if padding else 0)
    fixed = _FIXED.pack(first, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    tail = bytes(padding - 1) + bytes((padding,)) if padding else b""
    return fixed + block + payload + tail
