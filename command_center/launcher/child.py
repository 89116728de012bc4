"""One child process: started, watched, started again with back-off, ended."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

logger = logging.getLogger(__name__)

BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_SECONDS = 30.0
"""A child that ran this long starts again at the first step of the back-off."""
READY_POLL_SECONDS = 0.05
END_SECONDS = 6.0
CHECK_SECONDS = 5.0
SILENT_SECONDS = 30.0
"""A watched part silent for this long hangs and is started again; one on a busy machine answers sooner."""
LOG_BYTES = 5_000_000

_PR_SET_PDEATHSIG = 1


class ChildState(StrEnum):
    """What the screen says of a part."""

    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, and how to see that it serves."""

    name: str
    command: tuple[str, ...]
    is_ready: Callable[[], Awaitable[bool]]
    start_seconds: float = 30.0
    must_answer: bool = True
    """Whether `is_ready` speaks of the part alone, so that a part that stops answering may be ended for it."""
    niceness: int = 0
    """Below zero goes before the other parts; what the system doesn't allow is left as it is."""
    environment: Mapping[str, str] = field(default_factory=dict)


class PartFailed(Exception):
    """A part ended or didn't get ready at its first start."""


class Child:
    """A part as a process. `changed` is called at each change of `state`."""

    def __init__(self, part: Part, logs: Path, changed: Callable[[Child], None]) -> None:
        self.part = part
        self.log_path = logs / f"{part.name}.log"
        self.state = ChildState.STOPPED
        self.restarts = 0
        self.since_ms = int(time.time() * 1000)
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it for the first time and wait until it serves.

        Raises:
            PartFailed: it ended, or wasn't ready within the part's `start_seconds`.
        """
        await self._spawn()
        try:
            async with asyncio.timeout(self.part.start_seconds):
                is_ready = await self._wait_ready()
        except TimeoutError:
            is_ready = False
        if not is_ready:
            raise PartFailed(self.part.name)
        self._move(ChildState.RUNNING)

    async def watch(self) -> None:
        """Start it again whenever it ends, until `end`."""
        attempt = 0
        while not self._ending:
            process, started = self._process, time.monotonic()
            if process is None:
                return
            code = await self._until_end(process)
            if self._ending:
                return
            self.shorten_log()
            self.restarts += 1
            attempt = 1 if time.monotonic() - started > STEADY_SECONDS else attempt + 1
            pause = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS)) - 1]
            logger.warning("%s ended with code %s; starting again in %.1f s", self.part.name, code, pause)
            self._move(ChildState.RESTARTING)
            await asyncio.sleep(pause)
            if self._ending:
                return
            try:
                await self._spawn()
            except OSError as error:
                logger.error("%s could not be started: %s", self.part.name, error)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self.part.start_seconds):
                    if await self._wait_ready():
                        self._move(ChildState.RUNNING)

    async def end(self) -> None:
        """Ask it to end, and after END_SECONDS make it."""
        self._ending = True
        process = self._process
        if process is None or process.returncode is not None:
            self._move(ChildState.STOPPED)
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            logger.warning("%s did not end in %.0f s; killed", self.part.name, END_SECONDS)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._move(ChildState.STOPPED)

    def shorten_log(self) -> None:
        """Keep one earlier log beside a new one once it has grown over LOG_BYTES; the part writes on meanwhile."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            shutil.copyfile(self.log_path, self.log_path.with_suffix(".log.1"))
            os.truncate(self.log_path, 0)

    def last_words(self, lines: int = 8) -> str:
        """The end of its log, for the terminal of whoever started it."""
        try:
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.part.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.part.environment},
                # Of its own session, so that Ctrl-C reaches the launcher alone, which ends children in order.
                start_new_session=True,
                preexec_fn=partial(_prepare_child, self.part.niceness),
            )
        return self._process

    async def _until_end(self, process: asyncio.subprocess.Process) -> int:
        """Wait until the process ends by itself, or is ended because it hangs."""
        answered = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    return await process.wait()
            if not self.part.must_answer or await self.part.is_ready():
                answered = time.monotonic()
                self._move(ChildState.RUNNING)
            elif time.monotonic() - answered > SILENT_SECONDS and process.returncode is None:
                logger.warning("%s has not answered for %.0f s; killed", self.part.name, SILENT_SECONDS)
                process.kill()

    async def _wait_ready(self) -> bool:
        """Wait until it serves. False when it ended before."""
        process = self._process
        while process is not None and process.returncode is None:
            if await self.part.is_ready():
                return True
            await asyncio.sleep(READY_POLL_SECONDS)
        return False

    def _move(self, state: ChildState) -> None:
        if state is self.state:
            return
        self.state = state
        self.since_ms = int(time.time() * 1000)
        self._changed(self)


def _prepare_child(niceness: int) -> None:
    """In the child: end when the launcher does, however it ends, so that no part is left behind; take its priority."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
