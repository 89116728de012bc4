"""How much one page's line carries, judged by the roads of all its sessions. Time is handed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

from streams.sfu.road import QUEUE_SECONDS, Road

SHARE = 0.85
"""Of what a full line was seen to carry: the rest lets its queue drain."""
QUEUE_PRICE, DEAREST_QUEUE = 0.25, 0.12
"""For each second of its queue this much less, up to that: a long one must drain sooner than it would by itself."""
DRAIN_SHARE = 0.5
DRAIN_QUEUE = 1.0
"""A queue of more seconds is emptied first: what is sent meanwhile would come too late."""
DRAIN_SECONDS_BOUND = 2.0
PAUSE_SECONDS = 0.4
"""Between two reductions: the first must have shown its effect."""
SURE_LOOKS = 3
"""So often in a row a line must be found full before it is limited at all: a starved machine looks so at times."""
LEAST_BPS = 50_000.0
LOSS_WINDOW = 0.5
LOSS_PACKETS = 40
LOSS_WITH_QUEUE = 0.10
"""So much loss on a line that queues comes of its fullness; without a queue it is the air's."""
LOSS_ALONE = 0.30
"""So much loss comes of fullness even where nothing queues."""
FLAT_SECONDS = 1.5
"""A queue that neither grows nor shrinks for so long, with nothing lost, isn't one: the road itself became longer."""
HISTORY = 12
GROWTH_SECONDS = 0.19
LEAST_GROWTH, GROWTH_SHARE = 0.02, 1.08
LOSS_OF_FULLNESS = 0.01
"""A queue that stands and loses so much is full."""
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
        self._flat_since: float | None = None
        # What was seen since the queue stands: when, its length, packets received and lost, bytes received.
        self._seen: deque[tuple[float, float, int, int, int]] = deque(maxlen=HISTORY)
        self._calm_since: float | None = None
        self._loss_at: float | None = None
        self._counted = (0, 0)
        self._heavy = 0
        self._full_looks = 0

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
        # Where all is paused nothing is heard, and nothing queues either.
        self.queue_seconds = median(road.queue_seconds for road in heard) if heard else 0.0
        self.stands = 2 * sum(road.stands for road in heard) > len(heard)
        if self.queue_seconds <= QUEUE_SECONDS:
            self._drained_at = min(self._drained_at, now)
        if self.stands or self.queue_seconds > QUEUE_SECONDS:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        self._note(roads, now)
        is_full = self._is_full(roads, now)
        self._doubt(roads, is_full, now)
        if is_full and self._is_sure() and now - self._reduced_at >= PAUSE_SECONDS:
            self._reduce(heard, now)

    def _is_full(self, roads: Sequence[Road], now: float) -> bool:
        is_full = self._loses(roads, now) or (self.stands and self._overflows())
        self._full_looks = self._full_looks + 1 if is_full else 0
        return is_full

    def _is_sure(self) -> bool:
        return self.bps is not None or self._full_looks >= SURE_LOOKS or self._heavy >= 2

    def _note(self, roads: Sequence[Road], now: float) -> None:
        if not self.stands:
            self._seen.clear()
        received, lost = sum(road.received for road in roads), sum(road.lost for road in roads)
        self._seen.append((now, self.queue_seconds, received, lost, sum(road.octets for road in roads)))

    def _overflows(self) -> bool:
        """Whether the queue that stands grows, or loses what it can't take."""
        at, queue, received, lost, _ = self._seen[-1]
        before = next((seen for seen in reversed(self._seen) if at - seen[0] >= GROWTH_SECONDS), None)
        if before is None:
            return False
        gone = lost - before[3]
        loses = gone > 1 and gone > LOSS_OF_FULLNESS * (received - before[2] + gone)
        return loses or queue > max(before[1] + LEAST_GROWTH, before[1] * GROWTH_SHARE)

    def _reduce(self, heard: Sequence[Road], now: float) -> None:
        rate = self._carried(heard, now)
        if rate is None:
            return
        share = SHARE - min(DEAREST_QUEUE, QUEUE_PRICE * self.queue_seconds)
        carried = max(LEAST_BPS, share * rate)
        if self.bps is None or carried < self.bps:
            self.bps = carried
            self.reductions += 1
        self._reduced_at = now
        if self.queue_seconds > DRAIN_QUEUE and now >= self._drained_at:
            self._drained_at = now + min(DRAIN_SECONDS_BOUND, self.queue_seconds / (1 - DRAIN_SHARE))

    def _carried(self, heard: Sequence[Road], now: float) -> float | None:
        """What the line delivers, by the arrivals on each road; where those are too few, by what was heard of them."""
        rates = [rate for road in heard if (rate := road.rate_bps(now)) is not None]
        if 2 * len(rates) >= len(heard) > 0:
            return sum(rates) * len(heard) / len(rates)
        seconds = self._seen[-1][0] - self._seen[0][0]
        if seconds < 1:
            return None
        octets = self._seen[-1][4] - self._seen[0][4]
        # A tile that left took its count along: what is below nothing tells nothing.
        return octets * 8 / seconds if octets > 0 else None

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

    def _doubt(self, roads: Sequence[Road], is_full: bool, now: float) -> None:
        """Give up a base that the road doesn't come back to, though nothing points to a queue but the time it takes."""
        if not self.stands or is_full or self.queue_seconds < 0.9 * self._seen[0][1]:
            self._flat_since = None
        elif self._flat_since is None:
            self._flat_since = now
        elif now - self._flat_since >= FLAT_SECONDS:
            self._flat_since = None
            for road in roads:
                road.forget()
