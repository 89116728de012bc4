"""How many bits a second a stream takes, smoothed over its key frames."""

from __future__ import annotations

from math import exp

INTERVAL = 0.5
SMOOTHING_SECONDS = 3.0
HEADER_BYTES = 64
"""Header and extensions of a packet, and what SRTP, UDP and IP add."""
SILENT_BPS = 2_000.0
"""A stream that sends less has stopped; what it took before is what it will take again."""


class Rate:
    """`bps` is None until the stream has been seen for a while."""

    __slots__ = ("_at", "_octets", "bps")

    def __init__(self) -> None:
        self.bps: float | None = None
        self._at: float | None = None
        self._octets = 0

    def look(self, packets: int, octets: int, now: float) -> None:
        """Take a stream's counters so far (payload bytes); at most each `INTERVAL` something is done."""
        at = self._at
        if at is not None and now - at < INTERVAL:
            return
        total = octets + packets * HEADER_BYTES
        before, self._octets, self._at = self._octets, total, now
        if at is None or total <= before:
            return
        seconds = now - at
        seen = (total - before) * 8 / seconds
        if seen < SILENT_BPS:
            return
        if self.bps is None or seconds > SMOOTHING_SECONDS:
            self.bps = seen
        else:
            self.bps += (seen - self.bps) * (1 - exp(-seconds / SMOOTHING_SECONDS))
