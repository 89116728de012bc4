"""The simulated bank or registry in a test's own process, over real HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from assets.simulators.bank import bank
from assets.simulators.conduct import Conduct
from assets.simulators.ledger import Ledger
from assets.simulators.registry import registry
from tests.support.waiting import until


class Simulator:
    """One simulated gateway in this process, over real HTTP; it can be ended and started again on its port."""

    def __init__(self, service: str, ledger_file: Path) -> None:
        self._service = service
        self._ledger_file = ledger_file
        self._server: uvicorn.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, with what the file holds."""
        self.ledger = Ledger(self._ledger_file)
        conduct = Conduct(self.ledger, delay_seconds=0.01, seed=7)
        app: FastAPI = {"bank": bank, "registry": registry}[self._service](conduct)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self._port, log_level="error", timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        await until(lambda: self._server is not None and self._server.started)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End it; what it did stays in the file."""
        if self._server is not None:
            self._server.should_exit = True
            await self._task
            self._server = None
            self.ledger.close()
