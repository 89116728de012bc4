"""One request for a key frame for all who want one, not more than one a second."""

from __future__ import annotations

INTERVAL = 1.0


class KeyFrameRequests:
    """Merges what viewers and the recorder ask of one publisher; repeats until a key frame begins."""

    __slots__ = ("_last_sent", "sent", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        self.sent = 0
        self._last_sent: float | None = None

    def want(self) -> None:
        """Somebody can't go on without a key frame."""
        self.wanted = True

    def began(self) -> None:
        """A key frame began: whoever waited has it."""
        self.wanted = False

    def due(self, now: float) -> bool:
        """Whether to send a request now; saying yes counts as sent."""
        if not self.wanted or (self._last_sent is not None and now - self._last_sent < INTERVAL):
            return False
        self._last_sent = now
        self.sent += 1
        return True
