"""Opus out of RTP (RFC 7587): one packet is one frame."""

from __future__ import annotations

from streams.recording.frames import Frame
from streams.recording.packets import RtpPacket

CLOCK_RATE = 48_000
_SILK_MS = (10, 20, 40, 60)
_CELT_MS = (2.5, 5, 10, 20)


class OpusDepacketiser:
    """Nothing is split and nothing joined."""

    format = None

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet as a frame."""
        if not packet.payload:
            return []
        return [Frame(packet.timestamp, packet.arrival_ns, packet.payload, is_key=True)]

    def lost(self) -> None:
        """No frame spans packets, so none is damaged."""


def duration(packet: bytes) -> int:
    """How long an Opus packet sounds, in ticks of 48 kHz.

    Source: RFC 6716 §3.1.
    """
    configuration, count_code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        milliseconds: float = _SILK_MS[configuration & 3]
    elif configuration < 16:
        milliseconds = (10, 20)[configuration & 1]
    else:
        milliseconds = _CELT_MS[configuration & 3]
    count = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 0)[count_code]
    return int(milliseconds * count * CLOCK_RATE / 1000)
