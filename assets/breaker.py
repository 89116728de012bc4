"""Leaves a gateway alone for a while after it has failed several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Breaker:
    """Closed while all is well; open for `rest_seconds` after `failures` in a row; then one request tries.

    Ask `wait_seconds` before each request; where it is 0 the request may go, and ends with `succeeded`, `failed` or,
    where it says nothing about the gateway, `abandoned`.
    """

    failures: int = 5
    rest_seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    openings: int = field(default=0, init=False)
    """How often it opened: for figures."""
    _in_a_row: int = field(default=0, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _is_probing: bool = field(default=False, init=False)

    @property
    def state(self) -> str:
        """closed, open or half-open: for figures and screens."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._is_probing or self._rest() <= 0 else "open"

    def wait_seconds(self) -> float:
        """0 where a request may go now, which is then the probe of a half-open one; else how long to wait."""
        if self._opened_at is None:
            return 0.0
        rest = self._rest()
        if rest > 0:
            return rest
        if self._is_probing:
            return self.rest_seconds
        self._is_probing = True
        return 0.0

    def succeeded(self) -> None:
        """It answered, whatever it said."""
        self._in_a_row = 0
        self._opened_at = None
        self._is_probing = False

    def failed(self) -> None:
        """It could not be reached, or broke."""
        self._in_a_row += 1
        was_probe, self._is_probing = self._is_probing, False
        if was_probe or (self._opened_at is None and self._in_a_row >= self.failures):
            self._opened_at = self.clock()
            self.openings += 1

    def abandoned(self) -> None:
        """The request was given up by us: nothing is known, and another may probe."""
        self._is_probing = False

    def _rest(self) -> float:
        return 0.0 if self._opened_at is None else self._opened_at + self.rest_seconds - self.clock()
