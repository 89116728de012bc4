"""RTP packets as the recorder takes them: the few header fields it needs, put back in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

REORDER_WAIT_NS = 400_000_000
"""How long a missing packet is waited for: two or three retransmissions over a phone network."""
REORDER_BOUND = 1024
"""How many packets wait behind a missing one before it is given up."""
RESTART_DISTANCE = 3000
"""A sequence number this far off is a new stream, not a late or early packet."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet in clear; `timestamp` is the 32-bit one of the header."""

    sequence: int
    timestamp: int
    marker: bool
    ssrc: int
    payload_type: int
    payload: bytes
    arrival_ns: int


def read_rtp(packet: bytes, arrival_ns: int) -> RtpPacket | None:
    """Read a packet; None where it is malformed.

    Source: RFC 3550 §5.1.
    """
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    first = packet[0]
    start = 12 + 4 * (first & 0x0F)
    end = len(packet)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
    if first & 0x20:
        end -= packet[-1]
    if start > end:
        return None
    return RtpPacket(
        sequence=int.from_bytes(packet[2:4]),
        timestamp=int.from_bytes(packet[4:8]),
        marker=bool(packet[1] & 0x80),
        ssrc=int.from_bytes(packet[8:12]),
        payload_type=packet[1] & 0x7F,
        payload=packet[start:end],
        arrival_ns=arrival_ns,
    )


class Reorder:
    """Gives packets on in the order of their numbers, and waits a while for those that are missing.

    `release` gets each packet; `lost` is told how many were given up, before the packet that follows them.
    """

    def __init__(self, release: Callable[[RtpPacket], None], lost: Callable[[int], None]) -> None:
        self._release = release
        self._lost = lost
        self._next: int | None = None
        self._waiting: dict[int, RtpPacket] = {}

    def push(self, packet: RtpPacket) -> None:
        """Take one packet as it arrived."""
        if self._next is None:
            self._next = packet.sequence
        distance = _distance(self._next, packet.sequence)
        if distance == 0:
            self._next = (packet.sequence + 1) & 0xFFFF
            self._release(packet)
            if self._waiting:
                self._release_run()
        elif abs(distance) > RESTART_DISTANCE:
            self.flush()
            self._lost(1)
            self._next = (packet.sequence + 1) & 0xFFFF
            self._release(packet)
        elif distance > 0:
            self._waiting[packet.sequence] = packet
            if len(self._waiting) > REORDER_BOUND:
                self._give_up()
        # A packet from before `next` was given up already, or came twice.

    def expire(self, now_ns: int) -> None:
        """Give up what has been waited for long enough."""
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if now_ns - oldest.arrival_ns < REORDER_WAIT_NS:
                return
            self._give_up()

    def flush(self) -> None:
        """Release all that waits; nothing more is expected."""
        while self._waiting:
            self._give_up()

    def _give_up(self) -> None:
        assert self._next is not None  # noqa: S101 - something waits, so something came before
        lost = 0
        while self._next not in self._waiting:  # at most RESTART_DISTANCE: what lies further off was never put there
            self._next = (self._next + 1) & 0xFFFF
            lost += 1
        self._lost(lost)
        self._release_run()

    def _release_run(self) -> None:
        while self._next is not None and (packet := self._waiting.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._release(packet)


class Unwrap:
    """Turns 32-bit timestamps into ones that go on for ever."""

    def __init__(self) -> None:
        self._last: int | None = None

    def __call__(self, timestamp: int) -> int:
        if self._last is None:
            self._last = timestamp
            return timestamp
        step = (timestamp - self._last) & 0xFFFFFFFF
        extended = self._last + (step if step < 1 << 31 else step - (1 << 32))
        self._last = extended
        return extended


def _distance(expected: int, sequence: int) -> int:
    step = (sequence - expected) & 0xFFFF
    return step if step < 0x8000 else step - 0x10000
