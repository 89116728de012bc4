"""Our side of ICE: it finds the address that answers, notices a dead one, and shrugs at garbage."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioice import stun

from field_agent.agent.errors import SessionLost
from field_agent.agent.ice import Credentials, IceClient
from tests.support.ports import free_ports
from tests.support.waiting import until

REMOTE = Credentials("node", "n" * 24)


class LiteServer(asyncio.DatagramProtocol):
    """Answers checks, as an ICE-lite node does; `answers` switches it off."""

    def __init__(self) -> None:
        self.answers = True
        self.requests: list[stun.Message] = []
        self.transport: Any = None
        self.peer: tuple[str, int] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[0] >= 4:
            return
        request = stun.parse_message(data)
        self.requests.append(request)
        self.peer = addr
        if self.answers and request.check_message_integrity(REMOTE.password.encode()):
            response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
            response.attributes["XOR-MAPPED-ADDRESS"] = addr
            response.add_message_integrity(REMOTE.password.encode())
            self.transport.sendto(bytes(response), addr)


@pytest.fixture
async def server() -> AsyncIterator[LiteServer]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(LiteServer, local_addr=("127.0.0.1", 0))
    yield protocol
    transport.close()


@pytest.fixture
async def client() -> AsyncIterator[tuple[IceClient, list[bytes]]]:
    heard: list[bytes] = []
    made = IceClient(heard.append)
    yield made, heard
    made.close()


async def test_the_address_that_answers_is_nominated_once_the_others_are_silent(
    server: LiteServer, client: tuple[IceClient, list[bytes]]
) -> None:
    ice, heard = client
    (dead,) = free_ports(1)
    await ice.connect(REMOTE, [("127.0.0.1", dead), server.address])
    assert server.requests[0].attributes["USERNAME"] == f"node:{ice.local.fragment}"
    assert "USE-CANDIDATE" not in server.requests[0].attributes
    assert "USE-CANDIDATE" in server.requests[-1].attributes
    server.transport.sendto(b"\x80media", server.peer)
    await until(lambda: heard == [b"\x80media"])


@pytest.mark.alone
async def test_a_server_that_falls_silent_is_lost_within_five_seconds(
    server: LiteServer, client: tuple[IceClient, list[bytes]]
) -> None:
    ice, _ = client
    await ice.connect(REMOTE, [server.address])
    server.answers = False
    with pytest.raises(SessionLost):
        async with asyncio.timeout(5):
            await ice.keep_consent()


async def test_a_dead_port_is_noticed_by_the_next_packet(
    server: LiteServer, client: tuple[IceClient, list[bytes]]
) -> None:
    ice, _ = client
    await ice.connect(REMOTE, [server.address])
    server.transport.close()

    def is_noticed() -> bool:
        ice.send(b"\x80media")
        return ice.is_dead

    await until(is_noticed, 3)


async def test_garbage_changes_nothing(server: LiteServer, client: tuple[IceClient, list[bytes]]) -> None:
    ice, heard = client
    await ice.connect(REMOTE, [server.address])
    chance = random.Random(9)
    for length in range(1, 120):
        first = bytes([chance.randrange(4)])
        rest = bytes(chance.randrange(256) for _ in range(length))
        server.transport.sendto(first + rest, server.peer)
    forged = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    forged.add_message_integrity(b"wrong")
    server.transport.sendto(bytes(forged), server.peer)
    server.transport.sendto(b"\x80end", server.peer)
    await until(lambda: heard == [b"\x80end"])
    assert not ice.is_dead


async def test_nobody_at_all_is_said_so(client: tuple[IceClient, list[bytes]], monkeypatch: Any) -> None:
    ice, _ = client
    monkeypatch.setattr("field_agent.agent.ice.CONNECT_SECONDS", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(SessionLost):
            await ice.connect(REMOTE, [silent.getsockname()])
