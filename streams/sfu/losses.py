"""Which packets of a stream are missing, and when to ask for each again."""

from __future__ import annotations

FIRST_INTERVAL = 0.04
MAX_TRIES = 10
MAX_AGE = 1.5
MAX_MISSING = 512
MAX_GAP = 256
"""A longer gap is an outage, not a loss: a key frame mends it sooner than so many retransmissions."""


class Losses:
    """The gaps of one stream. Times are monotonic seconds; numbers are unwrapped."""

    __slots__ = (
        "_missing",
        "asked",
        "given_up",
        "highest",
        "last_lost",
        "overflowed",
        "recovered",
        "recovery_seconds",
    )

    def __init__(self) -> None:
        self.highest: int | None = None
        """The highest number so far."""
        # number -> [first seen missing, next asked, tries]
        self._missing: dict[int, list[float]] = {}
        self.asked = self.recovered = self.given_up = self.overflowed = 0
        self.last_lost = -1
        """The highest number that isn't asked for (any more)."""
        self.recovery_seconds: float | None = None

    @property
    def beyond_repair(self) -> int:
        """How many packets aren't asked for (any more); when it grows, only a key frame helps."""
        return self.given_up + self.overflowed

    def __len__(self) -> int:
        return len(self._missing)

    def took(self, last: int) -> None:
        """All that followed the highest number came in order, up to `last`."""
        self.highest = last

    def arrived(self, number: int, now: float) -> bool:
        """Take the number of a packet; True when it opens a gap: ask `due` at once, or after an outage a key frame."""
        highest = self.highest
        if highest is None:
            self.highest = number
            return False
        if number == highest + 1:
            self.highest = number
            return False
        if number <= highest:
            self._came_late(number, now)
            return False
        self.highest = number
        gap = number - highest - 1
        if gap > MAX_GAP:
            self.overflowed += gap + len(self._missing)
            self._missing.clear()
            self.last_lost = number - 1
            return True
        for missing in range(highest + 1, number):
            self._missing[missing] = [now, now, 0]
        while len(self._missing) > MAX_MISSING:
            self._give_up(next(iter(self._missing)))
            self.overflowed += 1
        return True

    def _came_late(self, number: int, now: float) -> None:
        entry = self._missing.pop(number, None)
        if entry is None or not entry[2]:
            return
        self.recovered += 1
        took = min(0.5, now - entry[0])
        before = self.recovery_seconds
        self.recovery_seconds = took if before is None else before + (took - before) / 8

    def _give_up(self, number: int) -> None:
        del self._missing[number]
        self.last_lost = max(self.last_lost, number)

    @property
    def interval(self) -> float:
        """How long to wait for an answer: what answers took of late, 20 to 300 ms."""
        took = self.recovery_seconds
        return FIRST_INTERVAL if took is None else min(0.3, max(0.02, took * 1.25))

    def due(self, now: float) -> list[int]:
        """The 16-bit numbers to ask for now. What was asked for often enough or is too old is given up."""
        wanted: list[int] = []
        over: list[int] = []
        interval = self.interval
        for number, entry in self._missing.items():
            if entry[2] >= MAX_TRIES or now - entry[0] > MAX_AGE:
                over.append(number)
            elif entry[1] <= now:
                entry[1] = now + interval
                entry[2] += 1
                wanted.append(number & 0xFFFF)
        for number in over:
            self._give_up(number)
        self.given_up += len(over)
        self.asked += len(wanted)
        return wanted
