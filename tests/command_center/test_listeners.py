"""Where the web process listens."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette

from command_center.listeners import Listener, Listeners
from tests.support.accepted import accepted
from tests.support.waiting import until


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_no_answer_waits_for_the_other_sides_acknowledgement(host: str) -> None:
    """Head and body are two writes: with Nagle's algorithm the second waited 40 ms in every answer but the first."""
    listeners = Listeners(Starlette(), [Listener(host, 0)])
    serving = asyncio.create_task(listeners.serve())
    await until(lambda: listeners.are_started)
    (port,) = listeners.ports
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        await client.get("/")
        with accepted(port) as connections:
            assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in connections] == [1]
    listeners.stop()
    await serving
