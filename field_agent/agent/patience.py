"""How long to wait before the next try."""

from __future__ import annotations

import random


class Patience:
    """Waits that grow by half with jitter, and start anew after a success."""

    def __init__(self, chance: random.Random, first_seconds: float = 0.3, most_seconds: float = 2.5) -> None:
        self._chance = chance
        self._first, self._most = first_seconds, most_seconds
        self._wait = first_seconds

    def next_wait(self) -> float:
        """Seconds until the next try; between half and all of a wait that grows."""
        wait = self._wait * self._chance.uniform(0.5, 1.0)
        self._wait = min(self._wait * 1.5, self._most)
        return wait

    def succeeded(self) -> None:
        """The last try worked."""
        self._wait = self._first
