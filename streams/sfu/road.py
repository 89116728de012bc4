"""The way to one viewer, as its transport-wide feedback shows it: how long packets queue, and how many arrive."""

from __future__ import annotations

from collections import deque

from streams.sfu.sent_log import Acknowledged

QUEUE_SECONDS = 0.1
"""Packets that take so much longer than the quickest ones wait for others."""
BELIEVED_SECONDS = 0.25
"""A queue that stands for less is a key frame, or a machine that was busy."""
BASE_SECONDS = 10.0
"""How long the quickest packet is remembered at least; twice that at most. The two clocks drift apart."""
HEARD_SECONDS = 1.0
"""Older feedback says nothing about now."""
USUAL_SILENCE = 0.15
"""Between two feedbacks of a road on which much comes."""
POINTS_KEPT = 32
RATE_SECONDS = 1.0
LEAST_SPAN = 0.1
"""Seconds between two arrivals from which a rate is read."""


class Train:
    """A few packets sent at once to learn how quickly the narrowest place on the road lets them through."""

    def __init__(self, count: int, octets: int, first_at: float, last_at: float) -> None:
        self.count = count
        self.octets = octets
        self.first_at, self.last_at = first_at, last_at
        self.arrivals: list[float] = []
        self.is_passed = False
        """Whether something arrived that was sent after it, so that what is missing is lost."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it is to be expected."""
        return self.is_passed or len(self.arrivals) >= self.count

    def rate_bps(self) -> float | None:
        """How fast they came; None if too few did."""
        came = len(self.arrivals)
        if came < 3 or came < 0.7 * self.count:
            return None
        span = max(self.arrivals) - min(self.arrivals)
        return self.octets * 8 * (came - 1) / self.count / max(span, 0.001)


class Road:
    """What is known of one session's way; `take` costs a few comparisons as long as nothing queues."""

    def __init__(self) -> None:
        self.heard_at: float | None = None
        self.queue_seconds = 0.0
        self.received = self.lost = self.octets = 0
        self.train: Train | None = None
        self._base = self._base_next = float("inf")
        self._base_until = 0.0
        self._queued_since: float | None = None
        self._queued_until = 0.0
        # Arrival of the last packet of a feedback, and all bytes that had arrived with it.
        self._points: deque[tuple[float, int]] = deque(maxlen=POINTS_KEPT)

    def forget(self) -> None:
        """The viewer came to another road: what was the quickest on the old one says nothing."""
        self._base = self._base_next = float("inf")
        self._queued_since = None
        self.queue_seconds = 0.0
        self._points.clear()

    def take(self, told: Acknowledged, now: float) -> bool:
        """Take what one feedback said; true when something isn't as it should be."""
        if not told.received:
            self.lost += told.lost
            return told.lost > 0
        self.heard_at = now
        self.received += told.received
        self.lost += told.lost
        self.octets += told.octets
        was_queued = self._queued_since is not None
        if now >= self._base_until:
            self._base, self._base_next = self._base_next, float("inf")
            self._base_until = now + BASE_SECONDS
        for sent_at, delay in told.delays:
            self._delay(sent_at, delay)
        if self.train is not None:
            self._note_train(self.train, told)
        if self._queued_since is not None and not was_queued:
            # From here on what arrives is what the road carries.
            self._points.clear()
        self._points.append((told.last_arrival, self.octets))
        return self._queued_since is not None or told.lost * 10 > told.received

    def _delay(self, sent_at: float, delay: float) -> None:
        if delay < self._base_next:
            self._base_next = delay
            self._base = min(self._base, delay)
        self.queue_seconds = queue = delay - self._base
        if queue <= QUEUE_SECONDS:
            self._queued_since = None
            return
        if self._queued_since is None:
            self._queued_since = sent_at
        self._queued_until = sent_at

    def _note_train(self, train: Train, told: Acknowledged) -> None:
        for sent_at, delay in told.delays:
            if sent_at > train.last_at:
                train.is_passed = True
            elif sent_at >= train.first_at:
                train.arrivals.append(sent_at + delay)

    @property
    def stands(self) -> bool:
        """Whether packets have queued for so long that it must be believed."""
        return self._queued_since is not None and self._queued_until - self._queued_since >= BELIEVED_SECONDS

    def is_heard(self, now: float) -> bool:
        """Whether there was feedback lately."""
        return self.heard_at is not None and now - self.heard_at < HEARD_SECONDS

    def rate_bps(self, now: float) -> float | None:
        """What arrived lately in bits a second, with all headers; while packets queue only since they do.

        A road on which nothing comes any more doesn't keep the rate that it had.
        """
        points = self._points
        if len(points) < 2:
            return None
        last, total = points[-1]
        first, before = next(point for point in points if point[0] >= last - RATE_SECONDS)
        silent = 0.0 if self.heard_at is None else now - self.heard_at - USUAL_SILENCE
        span = last - first + max(0.0, silent)
        return (total - before) * 8 / span if span >= LEAST_SPAN else None
