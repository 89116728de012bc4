"""A whole web process with the demonstration in it, and the two simulated gateways that it asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.simulator import Simulator
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for


@dataclass
class Court:
    """The web process, its gateways, and a browser of the judge's."""

    web: RunningWeb
    bank: Simulator
    registry: Simulator
    judge: httpx.AsyncClient = field(init=False)

    async def case(self, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """The city court's case, as the routes show it."""
        client = client or self.judge
        cases = (await client.get("/api/assets/cases")).json()["items"]
        number = next(one for one in cases if "内01执" in one["number"])
        answer = await client.get(f"/api/assets/cases/{number['id']}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def query(self, id_end: str, *gateways: str, key: str = "") -> httpx.Response:
        """Query the person whose number ends so."""
        case = await self.case()
        person = next(one for one in case["persons"] if one["id_number"].endswith(id_end))
        body = {
            "case_id": case["head"]["id"],
            "person_id": person["id"],
            "gateways": list(gateways),
            "idempotency_key": key or str(uuid4()),
        }
        return await self.judge.post("/api/assets/queries", json=body)

    async def until_answered(self, id_end: str, gateway: str, state: str) -> dict[str, Any]:
        """Wait for an answer; give it."""

        async def found() -> dict[str, Any] | None:
            case = await self.case()
            person = next(one["id"] for one in case["persons"] if one["id_number"].endswith(id_end))
            return next(
                (
                    one
                    for one in case["answers"]
                    if (one["person_id"], one["gateway"], one["state"]) == (person, gateway, state)
                ),
                None,
            )

        answer = await until(found, 15)
        assert answer is not None
        return answer

    async def until_standing(self, reference_end: str, standing: str) -> dict[str, Any]:
        """Wait until an asset stands so; give it."""

        async def found() -> dict[str, Any] | None:
            assets = (await self.case())["assets"]
            asset: dict[str, Any] = next(one for one in assets if one["reference"].endswith(reference_end))
            return asset if asset["standing"] == standing else None

        asset = await until(found, 15)
        assert asset is not None
        return asset


@asynccontextmanager
async def new_court(folder: Path, hub_url: str, *, paying_url: str = "") -> AsyncIterator[Court]:
    """All of it, until the end of the block; what the bank transfers arrives at `paying_url`."""
    bank = Simulator("bank", folder / "bank.sqlite3", paying_url=paying_url)
    registry = Simulator("registry", folder / "registry.sqlite3")
    await bank.start()
    await registry.start()
    money = {"paying_url": paying_url} if paying_url else {}
    settings = settings_for(folder, hub_url, bank_url=bank.url, registry_url=registry.url, **money)
    async with running_web(settings) as web:
        court = Court(web, bank, registry)
        court.judge = await web.signed_in("judge")
        yield court
    await bank.stop()
    await registry.stop()


@pytest.fixture
async def court(tmp_path: Path, valkey: Valkey) -> AsyncIterator[Court]:
    """All of it, for one test."""
    async with new_court(tmp_path, valkey.url) as court:
        yield court
