"""The way to one viewer, as its transport-wide feedback shows it: how long packets queue, and how many arrive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
_NEVER = float("inf")


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


class RoadState:
    """What `Road` remembers, in the shape of `struct road` (native.h), which stands in its place where it can."""

    __slots__ = (
        "answered_at",
        "awaits_train",
        "base",
        "base_next",
        "base_until",
        "feedbacks",
        "first_point",
        "heard_at",
        "lost",
        "octets",
        "point_at",
        "point_octets",
        "points",
        "queue_seconds",
        "queued_since",
        "queued_until",
        "received",
    )

    def __init__(self) -> None:
        self.heard_at = self.answered_at = self.base = self.base_next = self.base_until = 0.0
        self.queue_seconds = self.queued_since = self.queued_until = 0.0
        self.received = self.lost = self.octets = self.feedbacks = 0
        # A ring of the newest: the arrival of the last packet of a feedback, and all bytes that had come with it.
        self.first_point = self.points = self.awaits_train = 0
        self.point_at = [0.0] * POINTS_KEPT
        self.point_octets = [0] * POINTS_KEPT


class Road:
    """What is known of one session's way; `take` costs a few comparisons as long as nothing queues."""

    def __init__(self, state: Any = None) -> None:
        self._state: Any = RoadState() if state is None else state
        self._state.heard_at = self._state.answered_at = float("-inf")
        self._state.base_until = 0.0
        self._train: Train | None = None
        self.forget()

    @property
    def train(self) -> Train | None:
        """The train that is under way."""
        return self._train

    @train.setter
    def train(self, train: Train | None) -> None:
        self._train = train
        self._state.awaits_train = train is not None

    @property
    def heard_at(self) -> float | None:
        """When the last feedback came that told of any arrival."""
        at: float = self._state.heard_at
        return at if at > float("-inf") else None

    @property
    def answered_at(self) -> float:
        """When the last feedback came; minus infinity before the first."""
        return float(self._state.answered_at)

    @property
    def queue_seconds(self) -> float:
        """How much longer the last packet took than the quickest one."""
        return float(self._state.queue_seconds)

    @property
    def received(self) -> int:
        """Packets that arrived."""
        return int(self._state.received)

    @property
    def lost(self) -> int:
        """Packets that did not."""
        return int(self._state.lost)

    @property
    def octets(self) -> int:
        """Bytes that arrived, with all headers."""
        return int(self._state.octets)

    @property
    def feedbacks(self) -> int:
        """How many feedbacks were taken."""
        return int(self._state.feedbacks)

    def forget(self) -> None:
        """The viewer came to another road: what was the quickest on the old one says nothing."""
        state = self._state
        state.base = state.base_next = state.queued_since = float("inf")
        state.queue_seconds = 0.0
        state.points = 0

    def take(self, told: Acknowledged, now: float) -> bool:
        """Take what one feedback said; true when something isn't as it should be. Twin of `take_road` in native.c."""
        state = self._state
        state.feedbacks += 1
        state.answered_at = now
        state.lost += told.lost
        if not told.received:
            return told.lost > 0
        was_queued = state.queued_since < _NEVER
        state.heard_at = now
        state.received += told.received
        state.octets += told.octets
        if now >= state.base_until:
            state.base, state.base_next = state.base_next, _NEVER
            state.base_until = now + BASE_SECONDS
        for sent_at, delay in told.delays:
            self._delay(state, sent_at, delay)
        if self._train is not None:
            self.note_train(told.delays)
        is_queued = state.queued_since < _NEVER
        if is_queued and not was_queued:
            # From here on what arrives is what the road carries.
            state.points = 0
        _note_point(state, told.last_arrival)
        return is_queued or told.lost * 10 > told.received

    @staticmethod
    def _delay(state: Any, sent_at: float, delay: float) -> None:
        if delay < state.base_next:
            state.base_next = delay
            state.base = min(state.base, delay)
        state.queue_seconds = queue = delay - state.base
        if queue <= QUEUE_SECONDS:
            state.queued_since = _NEVER
            return
        if state.queued_since == _NEVER:
            state.queued_since = sent_at
        state.queued_until = sent_at

    def note_train(self, delays: Iterable[tuple[float, float]]) -> None:
        """Note what came of the train that is under way: for each flush when it was sent, and how long it took."""
        train = self._train
        if train is None:
            return
        for sent_at, delay in delays:
            if sent_at > train.last_at:
                train.is_passed = True
            elif sent_at >= train.first_at:
                train.arrivals.append(sent_at + delay)

    @property
    def stands(self) -> bool:
        """Whether packets have queued for so long that it must be believed."""
        state = self._state
        return bool(state.queued_until - state.queued_since >= BELIEVED_SECONDS)

    def is_heard(self, now: float) -> bool:
        """Whether there was feedback lately."""
        return bool(now - self._state.heard_at < HEARD_SECONDS)

    def rate_bps(self, now: float) -> float | None:
        """What arrived lately in bits a second, with all headers; while packets queue only since they do.

        A road on which nothing comes any more doesn't keep the rate that it had.
        """
        state = self._state
        if state.points < 2:
            return None
        places = [(state.first_point + place) % POINTS_KEPT for place in range(state.points)]
        last = state.point_at[places[-1]]
        first = next(place for place in places if state.point_at[place] >= last - RATE_SECONDS)
        silent = 0.0 if self.heard_at is None else now - self.heard_at - USUAL_SILENCE
        span = last - state.point_at[first] + max(0.0, silent)
        octets = state.point_octets[places[-1]] - state.point_octets[first]
        return float(octets * 8 / span) if span >= LEAST_SPAN else None


def _note_point(state: Any, at: float) -> None:
    if state.points == POINTS_KEPT:
        state.first_point = (state.first_point + 1) % POINTS_KEPT
        state.points -= 1
    place = (state.first_point + state.points) % POINTS_KEPT
    state.points += 1
    state.point_at[place] = at
    state.point_octets[place] = state.octets
