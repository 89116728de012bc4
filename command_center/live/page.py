"""One open screen: which parts of its scene it hasn't been shown yet."""

from __future__ import annotations

import asyncio
from uuid import UUID

from command_center.accounts.identity import Identity

Key = tuple[str, str]
"""Kind and name of one shown thing: ("feed", name), ("instruction", id) …"""
SNAPSHOT: Key = ("snapshot", "")
ASSETS: Key = ("assets", "")
RECORDINGS: Key = ("recordings", "")
TRACK = "track"
"""The kind of a feed's trail."""

MAX_KEYS = 2_000
"""How many different things may wait; a page that is further behind gets everything anew."""


class Page:
    """Names of what changed, not the changes: however slow a page is, each thing waits once, in its newest form."""

    def __init__(self, identity: Identity, operation_id: UUID) -> None:
        self.identity = identity
        self.operation_id = operation_id
        self.ended: str | None = None
        """Why the session is over, once it is."""
        self.overruns = 0
        """How often this page was so slow that it had to be given everything anew."""
        self._waiting: dict[Key, None] = {SNAPSHOT: None}
        self._changed = asyncio.Event()
        self._changed.set()

    def mark(self, key: Key) -> None:
        """This thing is to be shown (again)."""
        if SNAPSHOT in self._waiting and key[0] != ASSETS[0] and key[0] != RECORDINGS[0]:
            return  # the snapshot will hold it
        self._waiting[key] = None
        if len(self._waiting) > MAX_KEYS:
            self.overruns += 1
            self.mark_all()
        self._changed.set()

    def mark_all(self) -> None:
        """Everything is to be shown anew."""
        self._waiting = {SNAPSHOT: None} | {key: None for key in self._waiting if key in (ASSETS, RECORDINGS)}
        self._changed.set()

    def end(self, code: str) -> None:
        """The session is over: say so and close."""
        self.ended = code
        self._changed.set()

    async def take(self) -> list[Key]:
        """Wait for something to show and take all of it, in the order in which it first changed."""
        await self._changed.wait()
        self._changed.clear()
        waiting, self._waiting = self._waiting, {}
        return list(waiting)
