"""One request for key frames for all who want one, not more than one a second to a publisher."""

from __future__ import annotations

INTERVAL = 1.0


class KeyFrameWish:
    """Merges what viewers and the recorder ask of one layer; stands until a key frame of it begins."""

    __slots__ = ("asked", "wanted")

    def __init__(self) -> None:
        self.wanted = False
        self.asked = 0
        """How often the publisher was asked for it."""

    def want(self) -> None:
        """Somebody can't go on without a key frame."""
        self.wanted = True

    def began(self) -> None:
        """A key frame began: whoever waited has it."""
        self.wanted = False


class KeyFramePace:
    """When a publisher may be asked again, for whichever of its layers."""

    __slots__ = ("_sent_at",)

    def __init__(self) -> None:
        self._sent_at = float("-inf")

    def is_due(self, now: float) -> bool:
        """Whether a request may be sent now."""
        return now - self._sent_at >= INTERVAL

    def note(self, now: float) -> None:
        """A request was sent."""
        self._sent_at = now

    def begin_anew(self) -> None:
        """One whom the last request can't have reached may be asked at once."""
        self._sent_at = float("-inf")
