"""Rate limits: token buckets, and a bounded table of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

TABLE_BOUND = 4096


class Bucket:
    """Lets `burst` through at once and `per_second` in the long run."""

    __slots__ = ("_burst", "_level", "_per_second", "_seen_at")

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = self._level = float(burst)
        self._per_second = per_second
        self._seen_at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may pass at `now` (monotonic seconds)."""
        elapsed = max(0.0, now - self._seen_at)
        self._seen_at = now
        self._level = min(self._burst, self._level + elapsed * self._per_second)
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Buckets:
    """One bucket a key; the key that was used least lately is forgotten first."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()
        self.forgotten = 0

    def take(self, key: Hashable, now: float) -> bool:
        """Whether one more of this key may pass at `now`."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._burst, self._per_second)
            if len(self._buckets) > TABLE_BOUND:
                self._buckets.popitem(last=False)
                self.forgotten += 1
        self._buckets.move_to_end(key)
        return bucket.take(now)
