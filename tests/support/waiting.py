"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


async def until(condition: Callable[[], T | Awaitable[T]], seconds: float = 5.0) -> T:
    """Wait until `condition` gives something true, and give it back.

    Raises:
        AssertionError: it didn't within `seconds`; the message shows what it gave last.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if loop.time() > deadline:
            raise AssertionError(f"still {found!r} after {seconds} s")
        await asyncio.sleep(POLL_SECONDS)
