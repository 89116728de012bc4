"""Journals under a writer that is killed again and again."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from command_center.database import Database
from tests.command_center.evidence.journal_child import work
from tests.command_center.evidence.journalling import check_whole, checked, journals_of, new_operation
from tests.support.killable import forked

LIFE_SECONDS = 40.0
"""No child lives longer; most die within one."""


async def survive(records: Database, url: str, data: Path, kills: int) -> int:
    """Kill a writer so often, let another complete what it left, and check that all is there; returns how much."""
    operations = [await new_operation(records) for _ in range(2)]
    journals_of(records, data)
    children = forked()
    for seed in range(kills):
        child = children.Process(target=work, args=(url, data, [str(one) for one in operations], seed))
        child.start()
        await asyncio.to_thread(child.join, LIFE_SECONDS)
        assert child.exitcode == -signal.SIGKILL
    journals = journals_of(records, data)
    while await journals.step():
        pass
    await journals.seal()
    lines = 0
    for operation in operations:
        await check_whole(records, data, operation)
        found = checked(data, operation)
        assert found[-1]["type"] == "sealed"
        lines += len(found)
    return lines
