"""Half an hour of seeded kills: whatever part dies, five sites are live again and nothing recorded is lost."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import httpx
import pytest

from streams.recording.recovery import manifests
from tests.support.stack import Stack
from tests.support.waiting import until

KILLS = int(os.environ.get("SOAK_KILLS", "60"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
BACK_SECONDS = 30.0
PARTS = ("streams", "web", "worker", "hub", "field_agent.agent", "assets.simulators")

pytestmark = pytest.mark.timeout(3600)


def _pid(stack: Stack, part: str) -> int:
    return stack.hub_pid() if part == "hub" else stack.pid(part)


def _another(stack: Stack, part: str, killed: int) -> bool:
    try:
        return _pid(stack, part) != killed
    except AssertionError:
        return False


async def _live(client: httpx.AsyncClient) -> int:
    try:
        answer = await client.get("/api/feeds")
    except httpx.HTTPError:
        return 0
    return sum(feed["phase"] == "live" for feed in answer.json()["items"]) if answer.is_success else 0


async def _listed(client: httpx.AsyncClient, operation: str) -> int:
    count, cursor = 0, None
    while True:
        asked = {"operation_id": operation} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/recordings", params=asked)).json()
        count, cursor = count + len(page["items"]), page["next"]
        if cursor is None:
            return count


async def test_five_sites_come_back_after_every_kill_and_every_recording_stays(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    stack = Stack(tmp_path / "var")
    stack.start()
    try:
        async with stack.signed_in("commander") as commander:
            operation = (await commander.get("/api/operations")).json()["items"][0]["id"]
            known: set[str] = set()
            for number in range(KILLS):
                part = draw.choice(PARTS)
                killed = _pid(stack, part)
                os.kill(killed, signal.SIGKILL)
                await until(lambda part=part, killed=killed: _another(stack, part, killed), BACK_SECONDS)

                async def all_live() -> bool:
                    return await _live(commander) >= 5

                await until(all_live, BACK_SECONDS)
                items = (await commander.get("/api/recordings", params={"operation_id": operation})).json()["items"]
                now = {item["id"] for item in items}
                assert known <= now, f"kill {number} ({part}): recordings vanished from the index"
                known = now
                print(f"kill {number + 1} of {KILLS}: {part} is back, {len(known)} recordings")

            async def all_are_listed() -> bool:
                return await _listed(commander, operation) >= len(manifests(stack.data / "recordings"))

            await until(all_are_listed, BACK_SECONDS)
    finally:
        stack.end()
