"""What an officer's socket waits on: something of its own moved, or its session is over."""

from __future__ import annotations

import asyncio

from command_center.accounts.identity import Identity


class Wakeup:
    """Many calls before the socket looks are one."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.ended: str | None = None
        """Why the session is over, once it is."""
        self._event = asyncio.Event()
        self._over = asyncio.Event()

    def wake(self) -> None:
        """Have the socket look at the database."""
        self._event.set()

    def end(self, code: str) -> None:
        """The session is over: say so and close."""
        self.ended = code
        self._over.set()
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait to be woken, at most so long; whether somebody did."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    async def over(self) -> str:
        """Wait until the session is over and say why."""
        await self._over.wait()
        return self.ended or ""
