"""What a device has to tell: kept in order until it is acknowledged, and told again on every new road."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from streams.protocol import CameraStatus, Position, Receipt

Telling = Position | CameraStatus | Receipt

MAX_WAITING = 10_000
"""Nearly three hours of positions."""
MAX_IN_FLIGHT = 32
AGAIN_SECONDS = 5.0
"""What isn't acknowledged by then was dropped by a busy node, or the centre knows no feed of this device yet."""
BURST, PER_SECOND = 200.0, 40.0
"""A node takes fifty messages a second of one device; what was kept goes beside what is new."""


class Outbox:
    """A bounded queue of unacknowledged messages; when full, the oldest position goes first."""

    def __init__(self, limit: int = MAX_WAITING, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._waiting: dict[UUID, Telling] = {}
        self._told: dict[UUID, float] = {}
        self._budget, self._budget_at = BURST, clock()
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
        now = self._clock()
        oldest = next(iter(self._told.values()), None)
        if oldest is not None and now - oldest > AGAIN_SECONDS:
            self._told.clear()
        self._budget = min(BURST, self._budget + (now - self._budget_at) * PER_SECOND)
        self._budget_at = now
        for message_id, message in self._waiting.items():
            if len(self._told) >= MAX_IN_FLIGHT or self._budget < 1:
                return
            if message_id not in self._told:
                self._budget -= 1
                self._told[message_id] = now
                tell(message.model_dump_json())

    def _forget(self, message_id: UUID) -> None:
        self._waiting.pop(message_id, None)
        self._told.pop(message_id, None)
