"""Serving the node's HTTP application inside the node's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.signalling.app import problem
from streams.signalling.errors import NodeFull

REQUESTS_BOUND = 512
"""Requests under way; more are answered with 503, and when to come back."""
CONNECTIONS_PER_REQUEST = 4
"""Connections may be idle: so many times the requests are open at most, and the server itself refuses more."""


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


class _Bounded:
    """Lets so many requests of `app` be under way."""

    def __init__(self, app: ASGIApp, bound: int) -> None:
        self._app = app
        self._bound = bound
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._under_way >= self._bound:
            await problem(NodeFull())(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


@asynccontextmanager
async def serving(app: ASGIApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on an open socket while the body runs."""
    config = uvicorn.Config(
        _Bounded(app, REQUESTS_BOUND),
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        limit_concurrency=REQUESTS_BOUND * CONNECTIONS_PER_REQUEST,
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
