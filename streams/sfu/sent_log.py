"""What was sent to one viewer when, until its transport-wide feedback says what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streams.rtp.transport_feedback import TICKS_PER_REFERENCE, TICKS_PER_SECOND, TransportFeedback

ENTRIES_KEPT = 1024
"""Some seconds of the fastest stream; the oldest are forgotten, and what comes of them is not known then."""
OVERHEAD = 44
"""What SRTP, UDP and IP add to each packet."""
_LAP = 1 << 24
"""The reference time begins anew after so many of its units."""

Entry = tuple[int, int, int, float]
"""One flush: its last transport-wide number, how many packets it has, their bytes together, when it went out."""


@dataclass(slots=True)
class Acknowledged:
    """What one feedback says: of packets that it covers, in the order in which they were sent."""

    octets: int = 0
    """Of the packets that arrived, with all headers."""
    received: int = 0
    lost: int = 0
    delays: tuple[tuple[float, float], ...] = ()
    """For each flush that arrived: when it was sent, and how long its first packet took by the viewer's clock."""
    last_arrival: float = 0.0
    """By the viewer's clock, in seconds; what this clock shows is worth nothing but by comparison."""


class SentLog:
    """A bounded log; the fan-out appends one `Entry` for each flush, `acknowledge` takes out what was answered."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=ENTRIES_KEPT)
        self.append = self.entries.append
        self._reference: int | None = None

    def acknowledge(self, feedback: TransportFeedback) -> Acknowledged:
        """Take out what this feedback covers; what it passes over is forgotten.

        It is read twice without harm: what was taken out before doesn't count again.
        """
        # Twenty times a second for each viewer: every name is local, and nothing is looked at packet by packet
        # unless some of a flush were lost.
        entries = self.entries
        arrivals: Sequence[Any] = feedback.arrivals
        base, total = feedback.base_sequence, len(arrivals)
        is_whole = feedback.is_whole
        origin = self._seconds(feedback.reference_time)
        octets = received = lost = last = 0
        delays: list[tuple[float, float]] = []
        while entries:
            number, size, flushed, sent_at = entries[0]
            end = ((number - base + 0x8000) & 0xFFFF) - 0x7FFF
            start = end - size
            if start >= total:
                break
            if end > total:
                # The rest of this flush is told of later.
                rest = end - total
                entries[0] = (number, rest, flushed * rest // size, sent_at)
                size, flushed, end = size - rest, flushed - flushed * rest // size, total
            else:
                entries.popleft()
            if end <= 0:
                continue
            told = arrivals[max(0, start) : end]
            count = len(told)
            if not is_whole:
                told = [arrival for arrival in told if arrival is not None]
                lost += count - len(told)
                count = len(told)
            if count:
                received += count
                octets += flushed * count // size + OVERHEAD * count
                delays.append((sent_at, origin + told[0] / TICKS_PER_SECOND - sent_at))
                if told[-1] > last:
                    last = told[-1]
        return Acknowledged(octets, received, lost, tuple(delays), origin + last / TICKS_PER_SECOND)

    def _seconds(self, reference: int) -> float:
        """The reference time in seconds, counting on where it begins anew."""
        if self._reference is not None:
            step = ((reference - self._reference + _LAP // 2) & (_LAP - 1)) - _LAP // 2
            reference = self._reference + step
        self._reference = reference
        return reference * TICKS_PER_REFERENCE / TICKS_PER_SECOND
