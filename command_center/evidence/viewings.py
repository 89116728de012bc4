"""Which viewings of recordings are under way, so that each is written into the audit once."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

VIEWING_SECONDS = 600
"""Requests of one session and review for one recording within this time are one viewing."""
BOUND = 10_000

Viewing = tuple[UUID, UUID, UUID | None]
"""The session, the recording, and the review that it belongs to."""


class Viewings:
    """The viewings that this process has audited lately."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._began: dict[Viewing, float] = {}
        self._started: set[Viewing] = set()

    def join(self, viewing: Viewing, *, is_start: bool) -> bool:
        """Let a request be part of the viewing that is under way; False where it begins another.

        One for the file's beginning does, however soon after another; the index, read just before it, belongs
        to the same.
        """
        began = self._began.get(viewing)
        if began is None or self._timer() - began > VIEWING_SECONDS or (is_start and viewing in self._started):
            return False
        if is_start:
            self._started.add(viewing)
        return True

    def begin(self, viewing: Viewing, *, is_start: bool) -> None:
        """Remember that it was audited."""
        if len(self._began) >= BOUND:
            self._began.clear()
            self._started.clear()
        self._began[viewing] = self._timer()
        if is_start:
            self._started.add(viewing)
        else:
            self._started.discard(viewing)
