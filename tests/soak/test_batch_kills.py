"""The whole web process killed again and again in the middle of a batch: it goes on where it was, and ends."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.bench.assets_batch import listed
from tests.support.health import is_healthy
from tests.support.ports import free_ports
from tests.support.postgresql import PostgreSQL, is_installed
from tests.support.seeded import seed_records
from tests.support.simulator import Simulator
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import settings_for

BANKS = int(os.environ.get("SOAK_BATCH_BANKS", "100"))
KILLS = int(os.environ.get("SOAK_BATCH_KILLS", "8"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
MOST_SECONDS = 10.0
"""So long a bank takes at the most: no batch is over before its process is killed."""
KILLED_WITHIN_SECONDS = (0.5, 4.0)
START_SECONDS = 120.0
BATCH_SECONDS = 180.0
FROZEN_CENTS = 100
RULING = "（2026）内01执123号之一"

pytestmark = pytest.mark.timeout(3600)


@dataclass
class KilledWeb:
    """A web process on a port of its own, which is killed and started again; and the judge who works with it."""

    environment: dict[str, str]
    url: str
    password: str
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        command = (sys.executable, "-X", "utf8", "-m", "command_center", "web")
        self.process = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        await until(lambda: is_healthy(self.url), START_SECONDS)

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    @asynccontextmanager
    async def judge(self) -> AsyncIterator[httpx.AsyncClient]:
        """The judge of the case, signed in."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            body = {"username": "judge", "password": self.password}
            answer = await client.post("/api/session", json=body)
            assert answer.is_success, answer.text
            client.headers["X-CSRFToken"] = answer.json()["csrf_token"]
            yield client


@pytest.mark.parametrize("kind", ["sqlite", *(["postgresql"] if is_installed() else [])])
async def test_a_batch_goes_on_where_it_was_however_often_its_web_process_is_killed(
    kind: str, tmp_path: Path, valkey: Valkey, request: pytest.FixtureRequest
) -> None:
    bank = Simulator("bank", tmp_path / "banks.sqlite3", seed=SEED)
    await bank.start()
    bank.conduct.most_seconds = MOST_SECONDS
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    web = await made(tmp_path, valkey.url, listed(tmp_path, bank.url, BANKS), server)
    chance = random.Random(SEED)
    await web.start()
    try:
        async with web.judge() as judge:
            case_id, person_id = await owner(judge)
            key = str(uuid4())
            body = {"case_id": case_id, "person_id": person_id, "gateways": [], "idempotency_key": key}
            asked = (await judge.post("/api/assets/queries", json=body)).raise_for_status().json()["items"]
        assert len(asked) == BANKS
        await killed_until_done(web, chance, f"/api/assets/batches/{key}", bank)
        numbers = {one["number"] for one in asked}
        assert {number for number in numbers if bank.ledger.count_of(number)} == numbers
        await frozen_once(web, chance, case_id, bank)
    finally:
        await web.kill()
        await bank.stop()


async def made(folder: Path, hub: str, gateways: Path, server: PostgreSQL | None) -> KilledWeb:
    """An installation of the demonstration's people and cases, whose gateways are these."""
    data = folder / "var"
    data.mkdir()
    database_url = server.new_database() if server else ""
    settings = settings_for(data, hub, database_url=database_url, gateways_file=gateways)
    world = await seed_records(settings)
    http, https = free_ports(2)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMMAND_CENTER_")} | {
        "COMMAND_CENTER_DATA": str(data),
        "COMMAND_CENTER_HTTP_PORT": str(http),
        "COMMAND_CENTER_HTTPS_PORT": str(https),
        "COMMAND_CENTER_REDIS_URL": hub,
        "COMMAND_CENTER_DATABASE_URL": database_url,
        "COMMAND_CENTER_GATEWAYS_FILE": str(gateways),
    }
    return KilledWeb(environment, f"http://127.0.0.1:{http}", world.passwords["judge"])


async def owner(judge: httpx.AsyncClient) -> tuple[str, str]:
    """The city's case and a person under enforcement in it."""
    cases = (await judge.get("/api/assets/cases")).json()["items"]
    case_id = next(one["id"] for one in cases if "内01执" in one["number"])
    persons = (await judge.get(f"/api/assets/cases/{case_id}")).json()["persons"]
    return case_id, next(one["id"] for one in persons if one["id_number"].endswith("0018"))


async def killed_until_done(web: KilledWeb, chance: random.Random, address: str, bank: Simulator) -> None:
    """Kill it at seeded moments; then let it end its batch."""
    for ordinal in range(KILLS):
        await asyncio.sleep(chance.uniform(*KILLED_WITHIN_SECONDS))
        await web.kill()
        await web.start()
        async with web.judge() as judge:
            head = (await judge.get(address)).raise_for_status().json()["head"]
        print(f"kill {ordinal + 1} of {KILLS}: {head['answered']} of {head['total']} answered", flush=True)
    bank.conduct.most_seconds = 0.1
    async with web.judge() as judge:

        async def is_done() -> bool:
            head: dict[str, Any] = (await judge.get(address)).raise_for_status().json()["head"]
            return bool(head["is_done"]) and not head["by_state"].get("failed")

        await until(is_done, BATCH_SECONDS)


async def frozen_once(web: KilledWeb, chance: random.Random, case_id: str, bank: Simulator) -> None:
    """Freeze what was found, each pressed twice, with a kill after some: the banks hold each account once."""
    bank.conduct.most_seconds = 2.0
    async with web.judge() as judge:
        found = (await judge.get(f"/api/assets/cases/{case_id}")).raise_for_status().json()["assets"]
    accounts = [one for one in found if one["kind"] == "bank_account" and (one["available_cents"] or 0) >= FROZEN_CENTS]
    keys = {one["id"]: str(uuid4()) for one in accounts[:KILLS]}
    assert keys
    for asset_id, key in keys.items():
        body = {"asset_id": asset_id, "amount_cents": FROZEN_CENTS, "ruling_number": RULING, "idempotency_key": key}
        for _ in range(2):
            async with web.judge() as judge:
                answer = await judge.post("/api/assets/freezes", json=body)
                assert answer.status_code == 202, answer.text
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        await web.kill()
        await web.start()

    def held() -> list[dict[str, Any]]:
        return [one for one in bank.ledger.controls() if one["state"] in ("in_force", "waiting")]

    def all_hold() -> bool:
        return len({one["reference"] for one in held()}) == len(keys)

    await until(all_hold, BATCH_SECONDS)
    assert len(held()) == len(keys)
    print(f"{len(keys)} frozen, each once", flush=True)
