"""Tells the screens that a case changed, however many answers come in at once, a few times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

GATHER_SECONDS = 0.3


class Telling:
    """Gathers what changed and tells it: at once where nothing was told lately."""

    def __init__(self, changed: Callable[[UUID], Awaitable[None]], gather_seconds: float = GATHER_SECONDS) -> None:
        self._changed = changed
        self._gather_seconds = gather_seconds
        self._untold: set[UUID] = set()
        self._awake = asyncio.Event()

    async def note(self, case_id: UUID) -> None:
        """Have it told soon that something of this case changed."""
        self._untold.add(case_id)
        self._awake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            untold, self._untold = self._untold, set()
            for case_id in untold:
                await self._changed(case_id)
            await asyncio.sleep(self._gather_seconds)
