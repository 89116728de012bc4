"""When to try whether a page's line carries more, and what to make of the answer. Time is handed in."""

from __future__ import annotations

from collections.abc import Callable

from streams.sfu.estimate import SHARE
from streams.sfu.road import Road, Train

CALM_SECONDS = 0.6
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 4.0
BACK_OFF = 1.6
MISLED_SECONDS = 5.0
"""A line that is full so soon after the estimate rose doesn't carry that."""
ANSWER_SECONDS = 1.0
"""A train of which nothing is heard for so long has told enough."""
LEAST_GAIN = 1.1
LARGEST_GAIN = 2.5
TRAINS = 2
"""Two in a row must say so: one alone may have met a machine that read late and all at once."""


class Prober:
    """Sends trains of repeated packets, one after the other, and says to what the estimate may rise."""

    def __init__(self) -> None:
        self.sent = self.raised = self.failed = 0
        self._road: Road | None = None
        self._found: list[float] = []
        self._pause = FIRST_PAUSE
        self._next_at = 0.0
        self._raised_at = float("-inf")

    def wait(self, now: float) -> None:
        """The line was just found to be full: don't try at once, and still later if the last trial led there."""
        self._abandon()
        if now - self._raised_at < MISLED_SECONDS:
            self._pause = LONGEST_PAUSE
            self._next_at = max(self._next_at, now + LONGEST_PAUSE)
        self._next_at = max(self._next_at, now + FIRST_PAUSE)

    def look(
        self, bps: float, is_calm: bool, send: Callable[[], tuple[Road, Train] | None], now: float
    ) -> float | None:
        """Go on; `send` sends a train on some road. Returns what the estimate may rise to, once that is known."""
        if self._road is not None:
            return self._hear(self._road, bps, now)
        if now < self._next_at or not is_calm:
            return None
        sent = send()
        if sent is None:
            self._next_at = now + FIRST_PAUSE
            return None
        self._road, train = sent
        self._road.train = train
        self.sent += 1
        return None

    def _hear(self, road: Road, bps: float, now: float) -> float | None:
        train = road.train
        if train is not None and not train.is_over and now - train.last_at < ANSWER_SECONDS:
            return None
        rate = None if train is None else train.rate_bps()
        self._road, road.train = None, None
        if rate is None or rate * SHARE < bps * LEAST_GAIN:
            self._found.clear()
            self.failed += 1
            self._pause = min(LONGEST_PAUSE, self._pause * BACK_OFF)
            self._next_at = now + self._pause
            return None
        self._found.append(rate)
        if len(self._found) < TRAINS:
            return None
        rate = min(self._found)
        self._found.clear()
        self.raised += 1
        self._raised_at = now
        self._pause = FIRST_PAUSE
        self._next_at = now + self._pause
        return min(rate * SHARE, bps * LARGEST_GAIN)

    def _abandon(self) -> None:
        if self._road is not None:
            self._road.train = None
            self._road = None
        self._found.clear()
