"""Keeps a gateway from being asked more often than it can bear."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """A bucket of `burst` tokens that fills by `per_second`; each request takes one."""

    per_second: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)
        self._filled_at = self.clock()

    def wait_seconds(self) -> float:
        """Take a token and give 0; where there is none, give the time until there is."""
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.per_second)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.per_second
