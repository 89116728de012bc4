"""What a device has to tell: kept in order until it is acknowledged, and told again on every new road."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from streams.protocol import CameraStatus, Position, Receipt

Telling = Position | CameraStatus | Receipt

MAX_WAITING = 10_000
"""Nearly three hours of positions."""
MAX_IN_FLIGHT = 64


class Outbox:
    """A bounded queue of unacknowledged messages; when full, the oldest position goes first."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._waiting: dict[UUID, Telling] = {}
        self._told: set[UUID] = set()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, message: Telling) -> None:
        """Keep a message until it is acknowledged."""
        if len(self._waiting) >= self._limit:
            # A receipt says more than where somebody was three hours ago.
            oldest = next((id_ for id_, one in self._waiting.items() if isinstance(one, Position)), None)
            self._forget(oldest if oldest is not None else next(iter(self._waiting)))
            self.dropped += 1
        self._waiting[message.id] = message

    def settled(self, message_id: UUID) -> None:
        """It was acknowledged or refused: either way it isn't repeated."""
        self._forget(message_id)

    def road_changed(self) -> None:
        """What was told on the old road may be lost: all of it is told again."""
        self._told.clear()

    def flush(self, tell: Callable[[str], None]) -> None:
        """Tell what wasn't told on this road yet, in order, with a bounded number in flight."""
        if len(self._told) >= MAX_IN_FLIGHT:
            return
        for message_id, message in self._waiting.items():
            if message_id in self._told:
                continue
            self._told.add(message_id)
            tell(message.model_dump_json())
            if len(self._told) >= MAX_IN_FLIGHT:
                return

    def _forget(self, message_id: UUID) -> None:
        self._waiting.pop(message_id, None)
        self._told.discard(message_id)
