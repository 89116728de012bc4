"""How much one page's line carries, judged by the roads of all its sessions. Time is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from streams.sfu.road import QUEUE_SECONDS, Road

SHARE = 0.85
"""Of what a full line was seen to carry: the rest lets its queue drain."""
DRAIN_SHARE = 0.5
DRAIN_QUEUE = 0.25
"""A queue of more seconds is emptied first: what is sent meanwhile would come too late."""
DRAIN_SECONDS_BOUND = 2.0
PAUSE_SECONDS = 0.4
"""Between two reductions: the first must have shown its effect."""
LEAST_BPS = 50_000.0
LOSS_WINDOW = 0.5
LOSS_PACKETS = 40
LOSS_WITH_QUEUE = 0.10
"""So much loss on a line that queues comes of its fullness; without a queue it is the air's."""
LOSS_ALONE = 0.30
"""So much loss comes of fullness even where nothing queues."""
STUBBORN_SECONDS = 3.0
"""A queue that is still as long so long after less was sent isn't ours: the road itself became longer."""
FREE_SECONDS = 10.0
"""A line that has carried all that is wanted for so long is not held to a figure any more."""


class Estimate:
    """`bps` is what all sessions of the page together may take; None as long as nothing limits them."""

    def __init__(self) -> None:
        self.bps: float | None = None
        self.reductions = 0
        self.queue_seconds = 0.0
        self.stands = False
        """Whether the line's queue stands."""
        self._reduced_at = -PAUSE_SECONDS
        self._drained_at = 0.0
        self._stood_since: float | None = None
        self._stood_queue = 0.0
        self._calm_since: float | None = None
        self._loss_at: float | None = None
        self._counted = (0, 0)
        self._heavy = 0

    def budget_bps(self, now: float) -> float | None:
        """What may be sent now: less than the estimate while a long queue is emptied."""
        if self.bps is None or now >= self._drained_at:
            return self.bps
        return self.bps * DRAIN_SHARE / SHARE

    def is_calm(self, now: float, seconds: float) -> bool:
        """Whether nothing has queued for so long."""
        return self._calm_since is not None and now - self._calm_since >= seconds

    def raise_to(self, bps: float) -> None:
        """A probe has shown that more fits."""
        if self.bps is not None:
            self.bps = max(self.bps, bps)

    def free(self) -> None:
        """Nothing limits any more."""
        self.bps = None
        self._drained_at = 0.0

    def look(self, roads: Sequence[Road], now: float) -> None:
        """Judge anew; a few times a second, and only while something is the matter."""
        heard = [road for road in roads if road.is_heard(now)]
        if not heard:
            return
        self.queue_seconds = median(road.queue_seconds for road in heard)
        self.stands = 2 * sum(road.stands for road in heard) > len(heard)
        if self.queue_seconds <= QUEUE_SECONDS:
            self._drained_at = min(self._drained_at, now)
        if self.stands or self.queue_seconds > QUEUE_SECONDS:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        loses = self._loses(roads, now)
        if (self.stands or loses) and now - self._reduced_at >= PAUSE_SECONDS:
            self._reduce(heard, now)
        self._doubt(roads, now)

    def _reduce(self, heard: Sequence[Road], now: float) -> None:
        rates = [rate for road in heard if (rate := road.rate_bps()) is not None]
        if not rates or 2 * len(rates) < len(heard):
            return
        carried = max(LEAST_BPS, SHARE * sum(rates) * len(heard) / len(rates))
        if self.bps is None or carried < self.bps:
            self.bps = carried
            self.reductions += 1
        self._reduced_at = now
        if self.queue_seconds > DRAIN_QUEUE and now >= self._drained_at:
            self._drained_at = now + min(DRAIN_SECONDS_BOUND, self.queue_seconds / (1 - DRAIN_SHARE))

    def _loses(self, roads: Sequence[Road], now: float) -> bool:
        """Whether more is lost than the air's share, counted over windows of enough packets."""
        received, lost = sum(road.received for road in roads), sum(road.lost for road in roads)
        if self._loss_at is None or now - self._loss_at > 4 * LOSS_WINDOW:
            self._loss_at, self._counted, self._heavy = now, (received, lost), 0
            return False
        came, gone = received - self._counted[0], lost - self._counted[1]
        if now - self._loss_at < LOSS_WINDOW or came + gone < LOSS_PACKETS:
            return False
        self._loss_at, self._counted = now, (received, lost)
        share = gone / (came + gone)
        self._heavy = self._heavy + 1 if share > LOSS_ALONE else 0
        return (share > LOSS_WITH_QUEUE and self.queue_seconds > QUEUE_SECONDS / 2) or self._heavy >= 2

    def _doubt(self, roads: Sequence[Road], now: float) -> None:
        """Give up a base that the road doesn't come back to, however little is sent."""
        if not self.stands:
            self._stood_since = None
        elif self._stood_since is None or self.queue_seconds < 0.9 * self._stood_queue:
            self._stood_since, self._stood_queue = now, self.queue_seconds
        elif now - self._stood_since > STUBBORN_SECONDS and not self._heavy:
            self._stood_since = None
            for road in roads:
                road.forget()
