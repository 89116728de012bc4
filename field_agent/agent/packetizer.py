"""Encoded frames cut into RTP payloads: H.264 (RFC 6184), VP8 (RFC 7741), Opus (RFC 7587)."""

from __future__ import annotations

from collections.abc import Sequence

PAYLOAD_BYTES = 1_180
"""Leaves room in a 1 280-byte path for RTP header, extension, RTX number, SRTP tag, UDP and IPv6."""

_STAP_A, _FU_A = 24, 28


def h264_payloads(units: Sequence[bytes], limit: int = PAYLOAD_BYTES) -> list[bytes]:
    """One access unit: small neighbours together in a STAP-A, a large unit in FU-A fragments."""
    payloads: list[bytes] = []
    waiting: list[bytes] = []
    room = limit - 1

    def flush() -> None:
        nonlocal room
        if len(waiting) == 1:
            payloads.append(waiting[0])
        elif waiting:
            importance = max(unit[0] & 0x60 for unit in waiting)
            body = b"".join(len(unit).to_bytes(2, "big") + unit for unit in waiting)
            payloads.append(bytes([importance | _STAP_A]) + body)
        waiting.clear()
        room = limit - 1

    for unit in units:
        if len(unit) > limit:
            flush()
            payloads += _fragments(unit, limit)
            continue
        if len(unit) + 2 > room:
            flush()
        waiting.append(unit)
        room -= len(unit) + 2
    flush()
    return payloads


def _fragments(unit: bytes, limit: int) -> list[bytes]:
    indicator = (unit[0] & 0xE0) | _FU_A
    kind, body, step = unit[0] & 0x1F, unit[1:], limit - 2
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    last = len(pieces) - 1
    return [
        bytes([indicator, (0x80 if index == 0 else 0) | (0x40 if index == last else 0) | kind]) + piece
        for index, piece in enumerate(pieces)
    ]


def vp8_payloads(frame: bytes, picture_id: int, limit: int = PAYLOAD_BYTES) -> list[bytes]:
    """One VP8 frame, each piece behind a descriptor that carries the 15-bit picture id."""
    number = (0x8000 | (picture_id & 0x7FFF)).to_bytes(2, "big")
    step = limit - 4
    return [
        bytes([0x90 if start == 0 else 0x80, 0x80]) + number + frame[start : start + step]
        for start in range(0, len(frame), step)
    ]
