"""`python -m field_agent.agent` as the launcher starts it: five agents in one process, cheap, ended by a signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.field_agent.conftest import agent_settings
from tests.support.node import running_node
from tests.support.small_centre import small_centre
from tests.support.waiting import until

AGENTS = 5
MEASURED_SECONDS = 5.0
MOST_OF_A_CORE = 0.25


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.alone
async def test_five_agents_cost_less_than_a_quarter_of_a_core(clip_folder: Path, tmp_path: Path) -> None:
    clips = [("office", "H264"), ("shopfront", "VP8")]
    agents = []
    for number in range(AGENTS):
        clip, codec = clips[number == AGENTS - 1]
        changes = {"username": f"officer{number}", "device": f"demo-{number}", "clip": clip, "codec": codec}
        agents.append(agent_settings(**changes).model_dump(mode="json"))
    listing = tmp_path / "agents.json"
    listing.write_text(json.dumps(agents))
    async with small_centre() as centre, running_node(tmp_path / "node") as node:
        centre.node = (node.url, node.token())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "field_agent.agent", "--server", centre.url),
            *("--agents", str(listing), "--cache", str(clip_folder)),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            live = 0
            async with asyncio.timeout(30):
                while live < AGENTS:
                    live += b"live as" in await process.stderr.readline()
            await until(lambda: len(centre.sockets) == AGENTS, 10)
            before, started = cpu_seconds(process.pid), time.monotonic()
            sent = len(centre.positions)
            await until(lambda: time.monotonic() - started > MEASURED_SECONDS, MEASURED_SECONDS + 2)
            share = (cpu_seconds(process.pid) - before) / (time.monotonic() - started)
            print(f"five agents: {share:.1%} of a core")
            assert share < MOST_OF_A_CORE
            assert len(centre.positions) == sent, "positions go over the data channel while it is open"
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        assert len(centre.ended) == AGENTS
