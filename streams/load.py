"""How busy a node is, measured between two of its heartbeats."""

from __future__ import annotations

import time
from collections.abc import Callable


class Load:
    """Packets and processor time since the last time that it was asked."""

    def __init__(
        self,
        packets: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self._packets, self._clock, self._processor_seconds = packets, clock, processor_seconds
        self._before = (clock(), packets(), processor_seconds())
        self.packets_per_second = 0
        self.cpu_share = 0.0
        """Of one core, all threads of the process together."""

    def measure(self) -> None:
        """Close the present stretch of time and begin the next."""
        at, packets, seconds = self._clock(), self._packets(), self._processor_seconds()
        was_at, packets_before, seconds_before = self._before
        span = at - was_at
        if span <= 0:
            return
        self._before = (at, packets, seconds)
        self.packets_per_second = round((packets - packets_before) / span)
        self.cpu_share = round((seconds - seconds_before) / span, 3)
