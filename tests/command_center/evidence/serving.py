"""A real HTTP server with the routes of recordings, as one person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from command_center.accounts.identity import Identity, current_identity
from command_center.api import problems, recordings
from tests.command_center.evidence.conftest import World
from tests.support.waiting import until


@asynccontextmanager
async def served(world: World, identity: Identity, further: Sequence[APIRouter] = ()) -> AsyncIterator[str]:
    """The server's address; every request comes from `identity`, which the gate would have set."""
    app = FastAPI()
    problems.install(app)
    app.include_router(recordings.router(world.recordings))
    for routes in further:
        app.include_router(routes)

    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        current_identity.set(identity)
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(gate, port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
