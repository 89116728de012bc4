"""A simulated bank or registry in a test's own process, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from assets.kinds import kinds, simulator_of
from assets.simulators.conduct import Conduct
from assets.simulators.ledger import Ledger
from assets.simulators.manners import Kind, Trouble
from assets.simulators.paying import paying
from assets.simulators.server import server_config
from assets.simulators.talk import Talk
from tests.support.waiting import until


class Simulator:
    """One simulated gateway in this process, over real HTTP; it can be ended and started again on its port.

    What it did lies in its file; how it was told to behave is forgotten at a stop. `clock` may be set at any time.
    """

    def __init__(
        self,
        service: str,
        ledger_file: Path,
        *,
        seed: int = 7,
        app: Callable[[Conduct], FastAPI] | None = None,
        delay_seconds: float = 0.01,
        talk: Talk | None = None,
        tls: Mapping[str, Any] | None = None,
        paying_url: str = "",
    ) -> None:
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._app = app or (paying if service == "paying" else simulator_of(kinds()[service]))
        self._ledger_file = ledger_file
        self._seed = seed
        self._delay_seconds = delay_seconds
        self._talk = talk
        self._paying_url = paying_url
        self._tls = tls or {}
        self._server: uvicorn.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, with what the file holds."""
        self.ledger = Ledger(self._ledger_file)
        self.conduct = Conduct(
            self.ledger,
            delay_seconds=self._delay_seconds,
            seed=self._seed,
            clock=self._now,
            talk=self._talk,
            paying_url=self._paying_url,
        )
        self._server = uvicorn.Server(server_config(self._app(self.conduct), port=self._port, **self._tls))
        self._task = asyncio.create_task(self._server.serve())
        await until(lambda: self._server is not None and self._server.started)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]

    def _now(self) -> datetime:
        return self.clock()

    async def post(self, path: str, body: dict[str, object]) -> None:
        """Do something to the simulation."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.post(path, json=body)
        assert answer.is_success, answer.text

    async def stop(self) -> None:
        """End it; what it did stays in the file."""
        if self._server is not None:
            self._server.should_exit = True
            await self._task
            self._server = None
            self.ledger.close()

    def behave(
        self,
        kind: Kind,
        *,
        person: str = "",
        requests: int | None = None,
        times: int | None = None,
        reason: str = "",
    ) -> None:
        """Answer so from now on: to everybody or about one person, for ever or for the next `requests` numbers.

        Each of these numbers meets it `times` times, for ever without. "plain" overrides what the people's script says;
        see `assets/simulators/manners.py` for what there is.
        """
        self.conduct.behave(Trouble(kind=kind, times=times, reason=reason), person=person, requests=requests)

    def behave_as_scripted(self, person: str = "") -> None:
        """Take back what was picked for everybody, or for one person."""
        self.conduct.behave(None, person=person)
