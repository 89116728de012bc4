"""What was sent to one viewer when, until its transport-wide feedback says what became of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from streams.rtp.sequence import distance
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
        entries, arrivals = self.entries, feedback.arrivals
        base, total = feedback.base_sequence, len(feedback.arrivals)
        origin = self._seconds(feedback.reference_time)
        result = Acknowledged()
        delays: list[tuple[float, float]] = []
        last = 0
        while entries:
            number, size, octets, sent_at = entries[0]
            end = distance(number, base) + 1
            start = end - size
            if start >= total:
                break
            if end > total:
                # The rest of this flush is told of later.
                rest = end - total
                entries[0] = (number, rest, octets * rest // size, sent_at)
                size, octets, end = size - rest, octets - octets * rest // size, total
            else:
                entries.popleft()
            if end <= 0:
                continue
            told = [arrival for arrival in arrivals[max(0, start) : end] if arrival is not None]
            result.lost += end - max(0, start) - len(told)
            if told:
                result.received += len(told)
                result.octets += octets * len(told) // size + OVERHEAD * len(told)
                delays.append((sent_at, origin + told[0] / TICKS_PER_SECOND - sent_at))
                last = max(last, told[-1])
        result.delays = tuple(delays)
        result.last_arrival = origin + last / TICKS_PER_SECOND
        return result

    def _seconds(self, reference: int) -> float:
        """The reference time in seconds, counting on where it begins anew."""
        if self._reference is not None:
            step = ((reference - self._reference + _LAP // 2) & (_LAP - 1)) - _LAP // 2
            reference = self._reference + step
        self._reference = reference
        return reference * TICKS_PER_REFERENCE / TICKS_PER_SECOND
