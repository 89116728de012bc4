"""Peers that come and go leave nothing behind: a short form of `tests/soak/test_coming_and_going.py`."""

from __future__ import annotations

from pathlib import Path

from tests.support.coming_and_going import LANES, Crowd
from tests.support.node_process import node_process
from tests.support.valkey import Valkey

CYCLES = 24


async def test_after_joins_and_leaves_descriptors_tasks_and_tables_are_as_before(
    valkey: Valkey, tmp_path: Path
) -> None:
    async with node_process(tmp_path, valkey.url, "--no-recording") as node:
        crowd = Crowd(node, 3, vanishing=0.0)
        try:
            await crowd.open()
            await crowd.warm_up(0)
            before = await crowd.settled()
            await crowd.run(CYCLES)
            after = await crowd.settled(before)
        finally:
            await crowd.close()
    assert crowd.cycles == LANES + CYCLES
    assert after.is_back_to(before), f"{before.line()} -> {after.line()}"
