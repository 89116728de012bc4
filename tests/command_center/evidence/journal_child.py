"""A worker that writes journals until it is killed, at a moment that its seed chooses."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from command_center.database import Database
from command_center.evidence import journal_file, ledger_file
from command_center.evidence.journals import Journals
from command_center.evidence.keyring import Keyring
from tests.command_center.evidence.journalling import note_now

Append = Callable[[Path, bytes], None]


def work(url: str, data: Path, operations: list[str], seed: int) -> None:
    """Note, write and seal for ever; the end comes within a write, around a sync, or at any time at all."""
    chosen = random.Random(seed)
    moment = chosen.randint(1, 12)
    how = chosen.choice(["torn", "unsynced", "synced", "any time"])
    if how == "any time":
        threading.Timer(chosen.uniform(0.0, 0.5), _die).start()
    else:
        _die_in_append(moment, how, chosen)
    asyncio.run(_work(url, data, operations, chosen))


def _die_in_append(moment: int, how: str, chosen: random.Random) -> None:
    real, left = ledger_file.append_synced, [moment]

    def append(path: Path, data: bytes) -> None:
        left[0] -= 1
        if left[0]:
            real(path, data)
            return
        if how == "torn":
            data = data[: chosen.randrange(len(data))]
        if how == "synced":
            real(path, data)
        else:
            with path.open("ab") as file:
                file.write(data)
        _die()

    ledger_file.append_synced = journal_file.append_synced = append  # type: ignore[attr-defined]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _work(url: str, data: Path, operations: list[str], chosen: random.Random) -> None:
    database = Database(url)
    journals = Journals(database, data, Keyring(data, data / "keys"), lambda: None)
    number = 0
    while True:
        for operation in operations:
            for _ in range(chosen.randrange(4)):
                await note_now(database, operation, number)
                number += 1
        await journals.step()
        if chosen.random() < 0.5:
            await journals.seal()
