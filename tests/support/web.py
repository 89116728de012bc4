"""The web process in a test: the real application on a real port, with the demonstration's two courts in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from command_center import schema
from command_center.accounts.passwords import Passwords
from command_center.config import Settings
from command_center.demonstration import Demonstration
from command_center.listeners import Listener, Listeners
from command_center.main import Web
from tests.support.seeded import QUICK_HASHER, bring_demonstration
from tests.support.waiting import until


def settings_for(folder: Path, hub_url: str, **changes: Any) -> Settings:
    """Settings of an installation in `folder`, away from everything that may run on this machine."""
    values: dict[str, Any] = {
        "data": folder,
        "redis_url": hub_url,
        "demonstration": True,
        "media_http_port": 9,
        "further_simulators_port": 0,
        "paying_url": "http://127.0.0.1:9",
    }
    return Settings(**(values | changes))


@dataclass
class RunningWeb:
    """A web process that answers at `url`, and what is in its records."""

    web: Web
    world: Demonstration
    url: str
    port: int
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A browser that nobody has signed in with."""
        made = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=10, **options)
        self.clients.append(made)
        return made

    async def signed_in(self, username: str) -> httpx.AsyncClient:
        """A browser in which this person of the demonstration has signed in."""
        client = self.client()
        body = {"username": username, "password": self.world.passwords[username]}
        answer = await client.post("/api/session", json=body)
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRFToken"] = answer.json()["csrf_token"]
        return client

    async def program(self, username: str) -> httpx.AsyncClient:
        """A program with a bearer token of this person."""
        body = {"username": username, "password": self.world.passwords[username]}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.post("/api/token", json=body)
        assert answer.status_code == 200, answer.text
        return self.client(headers={"Authorization": f"Bearer {answer.json()['access_token']}"})


@asynccontextmanager
async def running_web(settings: Settings, world: Demonstration | None = None) -> AsyncIterator[RunningWeb]:
    """Serve the demonstration until the end of the block, from a data folder without records.

    `world` is what the caller has put into the records already; else it is done here.
    """
    world = world or bring_demonstration(settings.data)
    await schema.prepare(settings)
    web = Web(settings, Passwords(QUICK_HASHER))
    listeners = Listeners(web.app, [Listener("127.0.0.1", 0)])
    port = listeners.ports[0]
    serving = asyncio.create_task(listeners.serve())
    running = RunningWeb(web, world, f"http://127.0.0.1:{port}", port)
    try:
        await until(lambda: listeners.are_started or serving.done(), seconds=20)
        yield running
    finally:
        for client in running.clients:
            await client.aclose()
        listeners.stop()
        await serving
