"""The HTTP server in the node's process."""

from __future__ import annotations

import socket

import httpx
from starlette.applications import Starlette

from streams.signalling.server import serving
from streams.transport.sockets import bind_signalling
from tests.support.accepted import accepted


async def test_no_answer_waits_for_the_other_sides_acknowledgement() -> None:
    bound = bind_signalling(0)
    port = bound.getsockname()[1]
    async with (
        serving(Starlette(), bound),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        await client.get("/")
        with accepted(port) as connections:
            assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in connections] == [1]
