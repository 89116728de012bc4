"""How often something may be tried: a sliding window for each key, in a table that can't grow without end."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from command_center.errors import TooMany

KEYS_KEPT = 10_000


class RateLimit:
    """At most `allowed` tries of one key in `window_seconds`; the least recently tried keys are forgotten first."""

    def __init__(
        self,
        allowed: int,
        window_seconds: float,
        *,
        keys_kept: int = KEYS_KEPT,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = allowed
        self._window = window_seconds
        self._keys_kept = keys_kept
        self._timer = timer
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one try.

        Raises:
            TooMany: there were too many; `retry_after` says in how many seconds one is free again.
        """
        now = self._timer()
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while tries and tries[0] <= now - self._window:
            tries.popleft()
        if len(tries) >= self._allowed:
            raise TooMany("too-many-tries", retry_after=max(1, math.ceil(tries[0] + self._window - now)))
        tries.append(now)
        while len(self._tries) > self._keys_kept:
            self._tries.popitem(last=False)

    def give_back(self, key: str) -> None:
        """The last try was a right one: it doesn't count."""
        tries = self._tries.get(key)
        if tries:
            tries.pop()

    def __len__(self) -> int:
        return len(self._tries)
