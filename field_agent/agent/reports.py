"""The few RTCP packets that a sender writes and reads (RFC 3550, 4585, 5104)."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

_SENDER_REPORT, _SOURCE_DESCRIPTION, _GOODBYE, _TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK = 200, 202, 203, 205, 206
_NACK, _PLI, _FIR = 1, 1, 4
_NTP_EPOCH_SECONDS = 2_208_988_800


@dataclass(frozen=True, slots=True)
class Lost:
    """The server asks for these packets again."""

    ssrc: int
    sequence_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyFrameWanted:
    """The server asks for a key frame."""

    ssrc: int


def sender_report(
    ssrc: int, rtp_time: int, packets: int, payload_bytes: int, cname: str, unix_seconds: float | None = None
) -> bytes:
    """A compound of a sender report and the source's name."""
    now = time.time() if unix_seconds is None else unix_seconds
    ntp = int((now + _NTP_EPOCH_SECONDS) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    report = struct.pack(
        "!BBHIQIII",
        0x80,
        _SENDER_REPORT,
        6,
        ssrc,
        ntp,
        rtp_time & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        payload_bytes & 0xFFFFFFFF,
    )
    name = cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    chunk += bytes(-len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, _SOURCE_DESCRIPTION, len(chunk) // 4) + chunk


def goodbye(ssrc: int) -> bytes:
    """The source ends."""
    return struct.pack("!BBHI", 0x81, _GOODBYE, 1, ssrc)


def feedback(compound: bytes) -> Iterator[Lost | KeyFrameWanted]:
    """What the server asks for in one compound; everything else, and garbage, is passed over."""
    at = 0
    while at + 4 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, at)
        end = at + 4 + words * 4
        if first >> 6 != 2 or end > len(compound):
            return
        count, body = first & 31, compound[at + 4 : end]
        at = end
        if len(body) < 8:
            continue
        media_ssrc = int.from_bytes(body[4:8], "big")
        if kind == _TRANSPORT_FEEDBACK and count == _NACK:
            yield Lost(media_ssrc, tuple(_named(body[8:])))
        elif kind == _PAYLOAD_FEEDBACK and count == _PLI:
            yield KeyFrameWanted(media_ssrc)
        elif kind == _PAYLOAD_FEEDBACK and count == _FIR and len(body) >= 16:
            yield KeyFrameWanted(int.from_bytes(body[8:12], "big"))


def _named(fields: bytes) -> Iterator[int]:
    for start in range(0, len(fields) - 3, 4):
        first, mask = struct.unpack_from("!HH", fields, start)
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) & 0xFFFF
