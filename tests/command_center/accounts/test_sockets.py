"""A socket ends with its session, hub or no hub."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from command_center.accounts.revocations import Revocations
from command_center.accounts.sign_ins import SignIns
from command_center.accounts.sockets import CHECK_SECONDS, CLOSE_SECONDS, OpenSockets
from command_center.audit import Audit
from command_center.database import Database
from command_center.outbox import Outbox
from streams.hub.hub import Hub
from tests.support.valkey import Valkey
from tests.support.waiting import until
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
            async with asyncio.timeout(5):
                await read_to_the_end()
        assert loop.time() - began < 2.0
    assert socket.close_code == 4401


async def test_clients_that_stop_reading_hold_up_no_other_socket_and_are_cut_off(records: Database, hub: Hub) -> None:
    sign_ins = SignIns(records, Audit(), Revocations(Outbox(records, hub), hub), idle_minutes=60)
    sockets = OpenSockets(sign_ins)
    closed: list[str] = []
    for_ever = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await for_ever.wait()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def stalls(message: Message) -> None:
        await for_ever.wait()

    async def takes(message: Message) -> None:
        closed.append(message["type"])

    async def serve(send: Send) -> None:
        await sockets.serve(app, {"type": "websocket"}, receive, send, uuid4())

    stalled = [asyncio.create_task(serve(stalls)) for _ in range(5)]
    others = [asyncio.create_task(serve(takes)) for _ in range(5)]
    watching = asyncio.create_task(sockets.watch())
    await until(lambda: len(closed) == 5, seconds=CHECK_SECONDS * 3)
    await until(lambda: all(task.cancelled() for task in stalled), seconds=CLOSE_SECONDS + 1)
    assert not any(task.done() for task in others)
    for_ever.set()
    await asyncio.gather(*others)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
