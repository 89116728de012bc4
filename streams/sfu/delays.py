"""How long packets stay in the node, as a histogram."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02)
"""Upper bounds of the buckets in seconds; one more bucket takes the rest."""


class DelayHistogram:
    """Counts of delays from a packet's arrival to the moment when its last copy was handed to the kernel."""

    __slots__ = ("counts", "total_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total_seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one delay."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total_seconds += seconds

    @property
    def total(self) -> int:
        """How many delays were counted."""
        return sum(self.counts)

    def quantile(self, share: float) -> float:
        """The upper bound of the bucket that holds this share of all delays; infinity beyond the last bound."""
        left = share * self.total
        for bound, count in zip(BOUNDS, self.counts, strict=False):
            left -= count
            if left <= 0:
                return bound
        return float("inf")
