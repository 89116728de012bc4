"""Retransmission as a stream of its own (RFC 4588): into it and back out of it."""

from __future__ import annotations

import struct

from streams.rtp.header import FIXED_SIZE, Buffer, Header

_FIXED = struct.Struct("!BBHII")
_NUMBER = struct.Struct("!H")
_SSRC = struct.Struct("!I")


def restore(buffer: bytearray, header: Header, *, payload_type: int, ssrc: int) -> int:
    """Turn the retransmission in `buffer` into the packet it repeats, in place.

    Returns the new length, or 0 for padding that probes the path and repeats nothing. Padding is dropped.
    """
    start, end = header.payload_start, header.payload_end
    if end - start < 2:
        return 0
    (original,) = _NUMBER.unpack_from(buffer, start)
    buffer[start : end - 2] = buffer[start + 2 : end]
    first = buffer[0] & 0xDF
    second = payload_type | (0x80 if header.marker else 0)
    _FIXED.pack_into(buffer, 0, first, second, original, header.timestamp, ssrc)
    return end - 2


def encapsulate(packet: Buffer, *, header_size: int, payload_type: int, sequence: int, ssrc: int) -> bytearray:
    """The retransmission of `packet`, whose header with extensions takes `header_size` bytes (12 at least)."""
    repeated = bytearray(packet)
    repeated[header_size:header_size] = packet[2:4]
    repeated[1] = (packet[1] & 0x80) | payload_type
    _NUMBER.pack_into(repeated, 2, sequence & 0xFFFF)
    _SSRC.pack_into(repeated, 8, ssrc)
    return repeated


def header_size(packet: Buffer) -> int:
    """How many bytes header and extensions of a well-formed packet take."""
    size = FIXED_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        size += 4 + 4 * int(_NUMBER.unpack_from(packet, size + 2)[0])
    return size
