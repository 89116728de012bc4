"""One person at two hundred banks: `python -m tests.bench.assets_batch [BANKS]`.

The banks are simulators that take up to five seconds each. Told are the time until every one has answered, and how
long a page waits meanwhile: the asset panel's own request and the batch's progress, asked again and again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from command_center.config import Settings
from tests.support.health import is_healthy
from tests.support.ports import free_ports
from tests.support.postgresql import PostgreSQL, is_installed
from tests.support.seeded import seed_records
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

BANKS = 200
BAR_SECONDS = 30
PAUSE_SECONDS = 0.1
OWNER_END = "0018"


@asynccontextmanager
async def many_banks(folder: Path) -> AsyncIterator[str]:
    """The simulated banks in a process of their own; gives their address."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "assets.simulators", "bank", "--port", str(port), "--data", str(folder / "banks")]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: is_healthy(url), 30)
        yield url
    finally:
        process.terminate()
        process.wait()


async def batch_of(judge: httpx.AsyncClient) -> tuple[str, str]:
    """Ask everybody about one person; give the case and the batch."""
    cases = (await judge.get("/api/assets/cases")).json()["items"]
    number = next(one for one in cases if "内01执" in one["number"])
    case = (await judge.get(f"/api/assets/cases/{number['id']}")).json()
    person = next(one for one in case["persons"] if one["id_number"].endswith(OWNER_END))
    key = str(uuid4())
    body = {"case_id": number["id"], "person_id": person["id"], "gateways": [], "idempotency_key": key}
    answer = await judge.post("/api/assets/queries", json=body)
    assert answer.status_code == 202, answer.text
    return str(number["id"]), key


async def measure(web: RunningWeb) -> tuple[float, list[float], dict[str, Any]]:
    """How long the batch took, how long each page request, and how the banks answered."""
    judge = await web.signed_in("judge")
    waits: list[float] = []
    began = time.perf_counter()
    case_id, key = await batch_of(judge)
    while True:
        for address in (f"/api/assets/cases/{case_id}", f"/api/assets/batches/{key}"):
            asked = time.perf_counter()
            answer = await judge.get(address)
            assert answer.is_success, answer.text
            waits.append(time.perf_counter() - asked)
        head: dict[str, Any] = answer.json()["head"]
        if head["is_done"]:
            return time.perf_counter() - began, waits, head["by_state"]
        await asyncio.sleep(PAUSE_SECONDS)


def listed(folder: Path, url: str, banks: int) -> Path:
    """The file that names every bank."""
    path = folder / "gateways.toml"
    blocks = [
        f'[[gateway]]\nname = "bank-{place:03d}"\nkind = "bank"\nurl = "{url}/b/{place:03d}"\n'
        for place in range(1, banks + 1)
    ]
    path.write_text("\n".join(blocks), encoding="utf-8")
    return path


async def run(settings: Settings, banks: int, name: str) -> bool:
    """Measure on one kind of database and print what was seen."""
    world = await seed_records(settings) if settings.database_url else None
    async with running_web(settings) as web:
        web.world = world or web.world
        took, waits, by_state = await measure(web)
    waits.sort()
    p95 = waits[int(len(waits) * 0.95)] * 1000
    print(
        f"{name}: {banks} banks in {took:.1f} s ({by_state}); a page request meanwhile: p95 {p95:.0f} ms, "
        f"longest {waits[-1] * 1000:.0f} ms of {len(waits)}"
    )
    return took <= BAR_SECONDS


async def main() -> int:
    """Measure on SQLite and, where it is installed, on PostgreSQL."""
    banks = int(sys.argv[1]) if len(sys.argv) > 1 else BANKS
    passed = []
    valkey = Valkey()
    valkey.start()
    with tempfile.TemporaryDirectory() as folder:
        async with many_banks(Path(folder)) as url:
            file, data = listed(Path(folder), url, banks), Path(folder) / "sqlite"
            data.mkdir()
            passed.append(await run(settings_for(data, valkey.url, gateways_file=file), banks, "SQLite"))
            if is_installed():
                server, data = PostgreSQL(), Path(folder) / "postgresql"
                data.mkdir()
                server.start()
                settings = settings_for(data, valkey.url, database_url=server.new_database(), gateways_file=file)
                passed.append(await run(settings, banks, "PostgreSQL"))
                server.stop()
    valkey.stop()
    print(f"bar: {BAR_SECONDS} s, {'kept' if all(passed) else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
