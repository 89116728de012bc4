"""What a bad line does to datagrams, drawn from a seed: which are lost, how often each arrives, and when."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Bursts:
    """Gilbert and Elliott's line: good or bad, drawn anew at each datagram; in the bad state `loss` of them is lost."""

    to_bad: float
    to_good: float
    loss: float = 1.0


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction of a line. Shares are of all datagrams, times in seconds; as made it does nothing.

    Datagrams keep their order whatever the jitter, but for the share `reorder`, which is held back for
    `reorder_seconds` more. At most `queue_datagrams` wait for a line of `rate_kbps`; more are dropped.
    """

    loss: float = 0.0
    bursts: Bursts | None = None
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    rate_kbps: float | None = None
    queue_datagrams: int = 100
    reorder: float = 0.0
    reorder_seconds: float = 0.03
    duplicate: float = 0.0


CLEAR = Impairment()


class Line:
    """One direction: tells for each datagram when it arrives, once, twice or not at all.

    The same seed, the same datagrams (times and sizes) and the same settings give the same fates. Each kind of trouble
    draws from a source of its own, once for each datagram, so that changing one leaves the others as they were.
    `counts` tells what was done: passed, lost, burst, full, reordered, duplicated.
    """

    def __init__(self, name: str, seed: int, impairment: Impairment = CLEAR) -> None:
        self.impairment = impairment
        self.counts: Counter[str] = Counter()
        self._draws = {
            kind: Random(f"{seed}/{name}/{kind}")
            for kind in ("loss", "state", "burst", "jitter", "reorder", "duplicate")
        }
        self._is_bad = False
        self._free_at = 0.0
        self._waiting: deque[float] = deque()
        self._latest = 0.0

    def arrivals(self, size: int, now: float) -> list[float]:
        """When a datagram of `size` bytes that is sent at `now` (monotonic seconds) arrives; empty: it never does."""
        what = self.impairment
        drawn = {kind: source.random() for kind, source in self._draws.items()}
        if self._is_lost(what, drawn):
            return []
        sent_at = self._through_the_queue(what, size, now)
        if sent_at is None:
            self.counts["full"] += 1
            return []
        jitter = what.jitter_seconds * (2 * drawn["jitter"] - 1)
        at = max(sent_at + max(0.0, what.delay_seconds + jitter), self._latest)
        if drawn["reorder"] < what.reorder:
            self.counts["reordered"] += 1
            at += what.reorder_seconds
        else:
            self._latest = at
        self.counts["passed"] += 1
        if drawn["duplicate"] < what.duplicate:
            self.counts["duplicated"] += 1
            return [at, at]
        return [at]

    def _is_lost(self, what: Impairment, drawn: dict[str, float]) -> bool:
        bursts = what.bursts
        if bursts is not None:
            self._is_bad = drawn["state"] >= bursts.to_good if self._is_bad else drawn["state"] < bursts.to_bad
            if self._is_bad and drawn["burst"] < bursts.loss:
                self.counts["burst"] += 1
                return True
        if drawn["loss"] < what.loss:
            self.counts["lost"] += 1
            return True
        return False

    def _through_the_queue(self, what: Impairment, size: int, now: float) -> float | None:
        """When its last bit is on a line of this rate; None when too many wait already."""
        if what.rate_kbps is None:
            return now
        while self._waiting and self._waiting[0] <= now:
            self._waiting.popleft()
        if len(self._waiting) >= what.queue_datagrams:
            return None
        self._free_at = max(now, self._free_at) + size * 8 / (what.rate_kbps * 1000)
        self._waiting.append(self._free_at)
        return self._free_at
