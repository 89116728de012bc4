"""A process that tells lines until it is killed, begun within milliseconds: it is forked from one that has all read."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

Tell = Callable[[str], None]
_PRELOADED = [
    "tests.command_center.evidence.disposal_child",
    "tests.command_center.evidence.journal_child",
    "tests.support.term_watching",
]
"""What such processes run. All are named always: the server reads only what it was told before its first process."""


def forked() -> ForkServerContext:
    """How a process is begun that shall be killed."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(_PRELOADED)
    return processes


class Killable:
    """`work(tell, *given)` in a process of its own; `work` and what is given must be what pickle can carry."""

    def __init__(self, work: Callable[..., None], *given: Any) -> None:
        processes = forked()
        self._lines, told = processes.Pipe(duplex=False)
        self._process = processes.Process(target=_work, args=(work, told, given))
        self._process.start()
        told.close()

    async def line(self) -> str:
        """What it tells next; nothing once it has ended."""
        try:
            return str(await asyncio.to_thread(self._lines.recv))
        except EOFError:
            return ""

    async def ended_within(self, seconds: float) -> bool:
        """Whether it ends by itself in that time."""
        await asyncio.to_thread(self._process.join, seconds)
        return self._process.exitcode is not None

    async def kill(self) -> int:
        """End it with -9 if it hasn't ended; its exit code."""
        self._process.kill()
        await asyncio.to_thread(self._process.join)
        code = self._process.exitcode
        assert code is not None
        return code


def _work(work: Callable[..., None], told: Any, given: tuple[Any, ...]) -> None:
    work(told.send, *given)
