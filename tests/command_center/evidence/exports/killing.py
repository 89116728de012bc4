"""An export's process, killed at seeded moments until the package is there."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

from command_center.evidence.exports.builder import RESULT_FILE
from command_center.evidence.exports.plan import PACKAGE_FILE, Wanted
from tests.command_center.evidence.exports.conftest import Case

MOST_KILLS = 40


def command(case: Case) -> dict[str, str]:
    """The environment of a process that makes packages of this case."""
    return {
        **os.environ,
        "COMMAND_CENTER_DATA": str(case.data),
        "COMMAND_CENTER_DATABASE_URL": f"sqlite+aiosqlite:///{case.data}/records.sqlite3",
        "COMMAND_CENTER_EXPORTS_RESERVE_MB": "0",
    }


async def killed_until_done(case: Case, wanted: Wanted, seed: int) -> tuple[Path, int]:
    """Begin the package again and again, each time killed a little later; its path, and how many kills it took."""
    chance, kills, code, done = random.Random(seed), 0, -1, 0
    while code != 0:
        code, done = await _run_once(case, wanted, done + chance.randint(0, 4), chance.uniform(0.0, 0.4))
        assert code in {0, -signal.SIGKILL}
        kills += code != 0
        assert kills < MOST_KILLS
    folder = case.data / "exports" / str(wanted.job)
    assert (folder / RESULT_FILE).exists()
    return folder / PACKAGE_FILE, kills


async def _run_once(case: Case, wanted: Wanted, units: int, seconds: float) -> tuple[int, int]:
    """Start the exports' process; kill it so long after it had done so many units.

    Its exit code, negative where it was killed, and how many units it told of.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "command_center.evidence.exports"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=command(case),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(wanted.model_dump_json().encode() + b"\n")
    await process.stdin.drain()
    done = -1
    while done < units and (line := await process.stdout.readline()):
        done = json.loads(line).get("done", done)
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        process.send_signal(signal.SIGKILL)
    await process.stdout.read()
    return await process.wait(), done
