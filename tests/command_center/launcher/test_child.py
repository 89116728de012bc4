"""A child that dies is started again; one that won't start says so; all end when asked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from command_center.launcher.child import Child, ChildState, Part, PartFailed
from tests.support.waiting import until

TOUCH_AND_WAIT = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).open('a').write('x'); time.sleep(600)"


def _part(tmp_path: Path, code: str = TOUCH_AND_WAIT, **options: float) -> Part:
    mark = tmp_path / "mark"

    async def is_ready() -> bool:
        return mark.exists()

    return Part("part", (sys.executable, "-c", code, str(mark)), is_ready, **options)


async def test_a_killed_child_is_started_again_and_said_to_be_restarting(tmp_path: Path) -> None:
    told: list[ChildState] = []
    child = Child(_part(tmp_path), tmp_path, lambda changed: told.append(changed.state))
    await child.start()
    watcher = asyncio.create_task(child.watch())
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.restarts == 1 and child.state is ChildState.RUNNING)
    assert child.pid != first
    await until(lambda: (tmp_path / "mark").read_text() == "xx")
    await child.end()
    await watcher
    assert told == [ChildState.RUNNING, ChildState.RESTARTING, ChildState.RUNNING, ChildState.STOPPED]


async def test_a_child_that_hangs_is_ended_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs and doesn't answer any more: without its mark it isn't ready."""
    monkeypatch.setattr("command_center.launcher.child.CHECK_SECONDS", 0.05)
    monkeypatch.setattr("command_center.launcher.child.SILENT_SECONDS", 0.2)
    child = Child(_part(tmp_path), tmp_path, lambda _: None)
    await child.start()
    first = child.pid
    watcher = asyncio.create_task(child.watch())
    (tmp_path / "mark").unlink()
    await until(lambda: child.restarts == 1 and child.state is ChildState.RUNNING)
    assert child.pid != first
    await child.end()
    await watcher


async def test_a_log_that_has_grown_is_set_aside_while_the_child_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command_center.launcher.child.LOG_BYTES", 10)
    child = Child(
        _part(tmp_path, "print('words of the child', flush=True);" + TOUCH_AND_WAIT), tmp_path, lambda _: None
    )
    await child.start()
    child.shorten_log()
    assert child.log_path.read_text() == ""
    assert child.log_path.with_suffix(".log.1").read_text() == "words of the child\n"
    await child.end()


async def test_a_child_that_ends_at_once_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    child = Child(_part(tmp_path, "raise SystemExit('no camera here')"), tmp_path, lambda _: None)
    with pytest.raises(PartFailed):
        await child.start()
    assert child.last_words() == "no camera here"


async def test_a_child_that_never_gets_ready_fails_the_start(tmp_path: Path) -> None:
    child = Child(_part(tmp_path, "import time; time.sleep(600)", start_seconds=0.3), tmp_path, lambda _: None)
    with pytest.raises(PartFailed):
        await child.start()
    await child.end()
    assert child.state is ChildState.STOPPED


async def test_children_die_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    """The launcher can't clean up after SIGKILL: the kernel does."""
    code = f"""
import asyncio, pathlib, sys, time
from command_center.launcher.child import Child, Part
mark = pathlib.Path({str(tmp_path)!r}) / "mark"
async def is_ready(): return mark.exists()
async def main():
    child = Child(Part("part", (sys.executable, "-c", {TOUCH_AND_WAIT!r}, str(mark)), is_ready), mark.parent, print)
    await child.start()
    (mark.parent / "pid").write_text(str(child.pid))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    launcher = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    pid_file = tmp_path / "pid"
    await until(lambda: pid_file.exists() and pid_file.read_text(), seconds=20)
    launcher.kill()
    await asyncio.to_thread(launcher.wait)
    status = Path(f"/proc/{pid_file.read_text()}/stat")
    await until(lambda: not status.exists() or status.read_text().rsplit(")")[1].split()[0] == "Z")
