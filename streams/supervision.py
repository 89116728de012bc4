"""Keeping a task of a process running: what fails is logged and begun again, ever less often."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
CALM_SECONDS = 30.0
"""What ran for so long before it failed begins with the first pause again."""


def leave_if_cancelled() -> None:
    """End this task where it was cancelled and a library swallowed that, or turned it into an error of its own."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def keep_running(name: str, job: Callable[[], Awaitable[None]]) -> None:
    """Run `job` for as long as this process lives; a job that returns is begun again like one that fails."""
    pause = FIRST_PAUSE_SECONDS
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await job()
            logger.warning("%s ended, beginning again", name)
        except Exception:
            logger.exception("%s failed, beginning again in %.1f s", name, pause)
        leave_if_cancelled()
        if loop.time() - began > CALM_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
