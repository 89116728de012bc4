"""What a viewer without transport-wide feedback says that it can take (REMB), and what to make of it."""

from __future__ import annotations

ENOUGH_SHARE = 0.9
"""A viewer that names less than this share of what it is sent is overrun."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
STEP = 1.6
"""It can't tell what it isn't sent: more is tried after a while, by such steps."""


class ReportedLimit:
    """`bps` is None as long as nothing was too much. Time is handed in."""

    __slots__ = ("_pause", "_retry_at", "bps")

    def __init__(self) -> None:
        self.bps: float | None = None
        self._pause = FIRST_PAUSE
        self._retry_at = 0.0

    def take(self, named_bps: float, sent_bps: float, now: float) -> bool:
        """Take what it named while it was sent so much; true when the limit has changed."""
        if named_bps < ENOUGH_SHARE * sent_bps:
            self._pause = min(LONGEST_PAUSE, 2 * self._pause) if self.bps is not None else FIRST_PAUSE
            self.bps, self._retry_at = named_bps, now + self._pause
            return True
        if self.bps is None or now < self._retry_at:
            return False
        self.bps = max(self.bps * STEP, named_bps)
        self._retry_at = now + FIRST_PAUSE
        return True
