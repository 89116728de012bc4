"""Which SCTP packets may reach aiortc: it believes the lengths and numbers in them, some of them without end."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_CHUNKS = 64
"""More data chunks than this fit no packet of 1200 bytes."""
MAX_CONTROL_CHUNKS = 8
"""Each may be answered by a packet of its own."""
MAX_ACKNOWLEDGED = 4096
"""Numbers that the gap blocks of one packet may name; aiortc counts them one by one, up to 65 536 a block."""
MAX_SKIPPED_STREAMS = 64
WINDOW = 128
"""How far ahead of the next data chunk one may be. aiortc sorts all that waits for each that comes; what lies further
ahead isn't acknowledged, so that the peer sends it again."""

_DATA, _INIT, _SACK, _FORWARD_TSN = 0, 1, 3, 192
_PARAMETERS_AT = {1: 20, 2: 20, 4: 4, 5: 4, 6: 4, 9: 4, 130: 4}
"""Where the parameters of each kind of chunk begin that has any."""
_LEAST_SIZE = {_DATA: 17, _INIT: 20, 2: 20, _SACK: 16, 7: 8, _FORWARD_TSN: 8}
"""A data chunk without data is forbidden (RFC 9260 §3.3.1), and would take no room in the window."""

_CHUNK = struct.Struct("!BBH")
_TWO_NUMBERS = struct.Struct("!HH")
_TSN = struct.Struct("!I")


def may_pass(packet: bytes, last_tsn: int | None, *, is_established: bool) -> bool:
    """Whether this packet is well-formed and costs no more than its size is worth.

    `last_tsn` is the last number up to which all data came, None before the association begins.
    """
    data = control = acknowledged = 0
    for kind, chunk in _chunks(packet):
        if len(chunk) < _LEAST_SIZE.get(kind, 4):
            return False
        if kind == _DATA:
            data += 1
            if last_tsn is None or (_TSN.unpack_from(chunk, 4)[0] - last_tsn - 1 + 0x8000_0000) & 0xFFFF_FFFF > (
                0x8000_0000 + WINDOW
            ):
                return False
            continue
        control += 1
        if kind == _SACK:
            acknowledged += _acknowledged(chunk)
        elif kind == _FORWARD_TSN and (len(chunk) % 4 or len(chunk) > 8 + 4 * MAX_SKIPPED_STREAMS):
            return False
        elif kind == _INIT and is_established:
            return False  # a peer starts over by a new session, never inside one
        elif kind in _PARAMETERS_AT and not _are_parameters(chunk, _PARAMETERS_AT[kind]):
            return False
    is_bounded = data <= MAX_CHUNKS and control <= MAX_CONTROL_CHUNKS and acknowledged <= MAX_ACKNOWLEDGED
    return data + control > 0 and is_bounded


def _chunks(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Each chunk's kind and its bytes, head included; one that is cut short comes as it is, and is too short then."""
    position = 12
    while position + 4 <= len(packet):
        kind, _, size = _CHUNK.unpack_from(packet, position)
        if size < 4 or position + size > len(packet):
            yield kind, b""
            return
        yield kind, packet[position : position + size]
        position += size + (-size % 4)


def _are_parameters(chunk: bytes, position: int) -> bool:
    """Whether the parameters lead to the chunk's end: one of no length is where aiortc would stay for ever."""
    while position + 4 <= len(chunk):
        size = _TWO_NUMBERS.unpack_from(chunk, position)[1]
        if size < 4 or position + size > len(chunk):
            return False
        position += size + (-size % 4)
    return True


def _acknowledged(chunk: bytes) -> int:
    """How many numbers the gap blocks name; too many where they don't fit the chunk or run backwards."""
    gaps, duplicates = _TWO_NUMBERS.unpack_from(chunk, 12)
    if 16 + 4 * (gaps + duplicates) > len(chunk):
        return MAX_ACKNOWLEDGED + 1
    named = 0
    for index in range(gaps):
        first, last = _TWO_NUMBERS.unpack_from(chunk, 16 + 4 * index)
        if last < first:
            return MAX_ACKNOWLEDGED + 1
        named += last - first + 1
    return named
