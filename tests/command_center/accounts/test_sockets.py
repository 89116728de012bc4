"""A socket ends with its session, hub or no hub."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.valkey import Valkey
from tests.support.web import RunningWeb


def _cookies(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@pytest.mark.parametrize("is_hub_there", [True, False])
async def test_a_socket_ends_within_two_seconds_of_its_session(
    own_web: RunningWeb, valkey: Valkey, is_hub_there: bool
) -> None:
    web = own_web
    client = await web.signed_in("commander")
    address = f"ws://127.0.0.1:{web.port}/api/live"
    async with connect(address, additional_headers={"Cookie": _cookies(client)}, origin=web.url) as socket:  # type: ignore[arg-type]
        watch = {"type": "watch", "operation_id": str(web.world.operation_id)}
        await socket.send(json.dumps(watch))
        await socket.recv()
        if not is_hub_there:
            valkey.kill()
        accounts = web.web.accounts
        await accounts.end_sessions(None, web.world.users["commander"])
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def read_to_the_end() -> None:
            while True:
                await socket.recv()

        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(read_to_the_end(), 5)
        assert loop.time() - began < 2.0
    assert socket.close_code == 4401
