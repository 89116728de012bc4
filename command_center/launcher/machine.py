"""One machine's processes, from the first check to the last child's end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from command_center.config import Settings
from command_center.launcher import preflight
from command_center.launcher.child import Child, PartFailed
from command_center.launcher.hub_server import hub_password
from command_center.launcher.parts import installation
from command_center.launcher.preflight import PART_FAILED, Kind, StartRefused
from command_center.launcher.terminal import Terminal
from streams.hub.hub import Hub
from streams.hub.topics import PROCESS_KEY, ProcessChanged
from streams.signalling.tokens import make_keys

logger = logging.getLogger(__name__)

REPORT_SECONDS = 2.0
KEEP_UP_SECONDS = 1.0
PROCESS_LIFE_SECONDS = 10.0
PREPARE_SECONDS = 120.0


def run(settings: Settings, *, demonstration: bool) -> int:
    """Start everything, watch it until Ctrl-C, end everything. Returns the exit code.

    A start that is refused prints one plain sentence and leaves nothing running.
    """
    logging.basicConfig(level=logging.WARNING, format="  ! %(message)s")
    terminal = Terminal()
    try:
        settings = _own_folder(settings, "demonstration" if demonstration else "court", terminal)
        preflight.check_data_folder(settings.data)
        lock = preflight.lock_data_folder(settings.data)
        with lock:
            preflight.claim_data_folder(settings.data, "demonstration" if demonstration else "court")
            preflight.check_turn(settings)
            preflight.check_gateways(settings)
            preflight.check_ports(preflight.ports(settings, demonstration=demonstration))
            return asyncio.run(_Machine(settings, terminal, demonstration=demonstration).run())
    except StartRefused as refusal:
        terminal.refuse(str(refusal))
        return refusal.exit_code


class _Machine:
    def __init__(self, settings: Settings, terminal: Terminal, *, demonstration: bool) -> None:
        self._settings = settings
        self._terminal = terminal
        self._demonstration = demonstration
        self._children: list[Child] = []
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()

    async def run(self) -> int:
        """Start, watch, end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        self._prepare_folder()
        hub = Hub(self._settings.hub_url)
        try:
            return await self._start_and_watch(hub)
        finally:
            self._terminal.say("stopping …")
            for child in reversed(self._children):
                await child.end()
            await hub.close()
            self._terminal.say("stopped")

    def _prepare_folder(self) -> None:
        settings = self._settings
        make_keys(settings.keys)
        hub_password(settings.keys)
        for folder in (settings.data / "logs", settings.data / "demo", settings.recordings):
            folder.mkdir(parents=True, exist_ok=True)
        os.environ["COMMAND_CENTER_DATA"] = str(settings.data)
        os.environ["COMMAND_CENTER_DEMONSTRATION"] = "true" if self._demonstration else "false"

    async def _start_and_watch(self, hub: Hub) -> int:
        started = time.monotonic()
        watchers: list[asyncio.Task[None]] = []
        try:
            await self._command("records", "migrate")
            if self._demonstration:
                await self._command("demonstration", "seed-demonstration")
            setup_link = None if self._demonstration else await self._command("setup", "setup-link")
            for part in installation(self._settings, hub, demonstration=self._demonstration):
                if not await self._start(Child(part, self._settings.data / "logs", self._on_change)):
                    return 0
        except PartFailed as failure:
            self._terminal.refuse(str(failure))
            return PART_FAILED
        self._terminal.ready(self._settings, time.monotonic() - started, setup_link, demonstration=self._demonstration)
        watchers = [asyncio.create_task(_kept_up(child.watch)) for child in self._children]
        watchers.append(asyncio.create_task(_kept_up(lambda: self._report(hub))))
        await self._stop.wait()
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        return 0

    async def _start(self, child: Child) -> bool:
        """Start one child, showing progress. False when the start was broken off by Ctrl-C."""
        self._children.append(child)
        starting = asyncio.ensure_future(child.start())
        stopping = asyncio.ensure_future(self._stop.wait())
        async with _spinning(self._terminal, child):
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return False
        try:
            await starting
        except PartFailed as failure:
            raise PartFailed(
                f"The part “{child.part.name}” did not start; its last words, from {child.log_path}:\n"
                f"{child.last_words()}"
            ) from failure
        self._terminal.started(child.part.name)
        return True

    async def _command(self, purpose: str, *arguments: str) -> str | None:
        """Run one of our own commands to its end and give what it printed.

        Raises:
            PartFailed: it failed; the message holds its last words.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "utf8", "-m", "command_center", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                output, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise PartFailed(f"Preparing the {purpose} took over {PREPARE_SECONDS:.0f} s.") from None
        if process.returncode:
            last = "\n".join(errors.decode(errors="replace").splitlines()[-8:])
            raise PartFailed(f"Preparing the {purpose} failed:\n{last}")
        self._terminal.started(purpose)
        return output.decode().strip() or None

    def _on_change(self, child: Child) -> None:
        self._changed.set()
        if self._children and not self._stop.is_set():
            logger.info("%s is %s", child.part.name, child.state)

    async def _report(self, hub: Hub) -> None:
        """Keep the screens told how the parts are; the keys outlive a short break of the hub's."""
        told: dict[str, str] = {}
        while True:
            self._changed.clear()
            for child in self._children:
                state = {
                    "name": child.part.name,
                    "state": child.state,
                    "restarts": child.restarts,
                    "since": child.since_ms,
                }
                key = PROCESS_KEY.format(name=child.part.name)
                if not await hub.put(key, json.dumps(state), life_seconds=PROCESS_LIFE_SECONDS):
                    continue
                if told.get(child.part.name) != child.state and await hub.publish(
                    ProcessChanged(name=child.part.name, state=child.state.value)
                ):
                    told[child.part.name] = child.state
                child.shorten_log()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._changed.wait()


async def _kept_up(job: Callable[[], Awaitable[None]]) -> None:
    """Run a job of the launcher's to its end; what it trips over is logged, and it goes on."""
    while True:
        try:
            return await job()
        except Exception:
            logger.exception("a job of the launcher failed; it goes on")
            await asyncio.sleep(KEEP_UP_SECONDS)


@contextlib.asynccontextmanager
async def _spinning(terminal: Terminal, child: Child) -> AsyncIterator[None]:
    """Show the last line that a slow part wrote while it starts."""

    async def show() -> None:
        while True:
            await asyncio.sleep(1.0)
            terminal.progress(child.part.name, child.last_words(1))

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _own_folder(settings: Settings, kind: Kind, terminal: Terminal) -> Settings:
    """The folder to use: where the usual one holds the demonstration, a court's own records go beside it."""
    data = settings.data.resolve()
    if kind == "court" and "COMMAND_CENTER_DATA" not in os.environ and preflight.kind_of(data) == "demonstration":
        data = data / "court"
        terminal.say(f"{settings.data} holds the demonstration; this installation keeps its records in {data}")
        terminal.say(f"for commands in another terminal: export COMMAND_CENTER_DATA={data}")
    return settings.model_copy(update={"data": Path(data), "demonstration": kind == "demonstration"})
