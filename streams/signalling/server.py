"""Serving the node's HTTP application inside the node's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

REQUESTS_BOUND = 512
"""Requests under way; more are answered with 503."""


class _Server(uvicorn.Server):
    """uvicorn inside a process that looks after its signals itself."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.ended = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop wakes ten times a second, and each time a packet may wait for it."""
        await self.ended.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on an open socket while the body runs."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        limit_concurrency=REQUESTS_BOUND,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([sock]), name="signalling")
    try:
        await server.is_up.wait()
        yield
    finally:
        server.should_exit = server.force_exit = True
        server.ended.set()
        await asyncio.gather(task, return_exceptions=True)
