"""When the packets of one transport arrived, for transport-wide feedback."""

from __future__ import annotations

from collections.abc import Sequence

from streams.rtp.sequence import Unwrapper
from streams.rtp.transport_feedback import MAX_SILENCE, MAX_STATUSES, TICKS_PER_SECOND, TransportFeedback

INTERVAL = 0.045
"""A little less than the node's tick, so that each tick finds it over."""
MAX_AT_ONCE = 4
"""Feedback packets at a time: numbers that jump again and again don't make more, they wait for the next time."""
_KEPT_TICKS = TICKS_PER_SECOND // 2
"""Packets that come late are reported together with their neighbours of the last half second."""


class Arrivals:
    """Bounded memory of arrivals of one publisher; `build` makes the feedback that is due."""

    __slots__ = ("_count", "_due_at", "_next", "_ticks", "_unwrapper", "untold")

    def __init__(self) -> None:
        self._unwrapper = Unwrapper()
        self._ticks: dict[int, int] = {}
        self._next: int | None = None
        self._count = 0
        self._due_at = 0.0
        self.untold = 0
        """Arrivals that were forgotten before they were told."""

    def add(self, sequence: int, now: float) -> None:
        """Take the transport-wide number of a packet."""
        self._add(sequence, int(now * TICKS_PER_SECOND))

    def _add(self, sequence: int, tick: int) -> None:
        number = self._unwrapper.unwrap(sequence)
        if number in self._ticks:
            return
        if self._next is None or number < self._next:
            self._next = number
        self._ticks[number] = tick

    def add_run(self, sequence: int, ticks: Sequence[int]) -> None:
        """Take packets of numbers that follow each other from `sequence` on."""
        highest = self._unwrapper.highest
        if highest is None or not 0 < (sequence - highest) & 0xFFFF <= MAX_STATUSES:
            for number, tick in enumerate(ticks, sequence):
                self._add(number & 0xFFFF, tick)
            return
        first = self._unwrapper.unwrap(sequence)
        if self._next is None:
            self._next = first
        self._ticks.update(zip(range(first, first + len(ticks)), ticks, strict=True))
        self._unwrapper.highest = first + len(ticks) - 1

    def build(self, sender_ssrc: int, media_ssrc: int, now: float) -> list[TransportFeedback]:
        """The feedback that is due, as many packets as it takes; none before the interval is over."""
        if now < self._due_at or not self._ticks:
            return []
        self._due_at = now + INTERVAL
        last = self._unwrapper.highest
        made: list[TransportFeedback] = []
        while self._next is not None and last is not None and self._next <= last and len(made) < MAX_AT_ONCE:
            first = self._first_to_tell(self._next, last)
            if first is None:
                break
            feedback, covered = TransportFeedback.of(sender_ssrc, media_ssrc, self._count, first, last, self._ticks)
            self._count = (self._count + 1) & 0xFF
            made.append(feedback)
            self._next = covered + 1
        self._forget(now)
        return made

    def _first_to_tell(self, start: int, last: int) -> int | None:
        """Where to begin: what is lost is told too, unless so much is that it was an outage."""
        arrived = next((n for n in range(start, min(last, start + MAX_SILENCE) + 1) if n in self._ticks), None)
        if arrived is not None:
            return start
        return min((number for number in self._ticks if number > start), default=None)

    def _forget(self, now: float) -> None:
        limit = int(now * TICKS_PER_SECOND) - _KEPT_TICKS
        ticks = self._ticks
        # Arrival order is insertion order, so the old ones stand in front.
        while ticks:
            oldest = next(iter(ticks))
            if ticks[oldest] >= limit and len(ticks) <= MAX_STATUSES:
                break
            if self._next is not None and oldest >= self._next:
                self.untold += 1
            del ticks[oldest]
