"""Our credentials and our example of a configuration before a real coturn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioice import stun, turn

from streams.signalling.turn import CREDENTIAL_LIFE_SECONDS, Credentials, TurnServers
from tests.support.turn import Turn, running_turn
from tests.support.waiting import until

by_both_transports = pytest.mark.parametrize("transport", ["udp", "tcp"])


class Peer(asyncio.DatagramProtocol):
    """Notes what comes."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.append(data)


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Turn]:
    async with running_turn(tmp_path) as relay:
        yield relay


async def _allocate(relay: Turn, credentials: Credentials, transport: str) -> asyncio.DatagramTransport:
    opened, _ = await turn.create_turn_endpoint(
        Peer, ("127.0.0.1", relay.port), credentials.username, credentials.password, transport=transport
    )
    return opened


@by_both_transports
async def test_the_credentials_open_a_way_to_the_nodes_address(relay: Turn, transport: str) -> None:
    loop = asyncio.get_running_loop()
    listening, peer = await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0))
    through = await _allocate(relay, relay.servers(transport).credentials("abc", time.time()), transport)
    through.sendto(b"hello", listening.get_extra_info("sockname"))
    await until(lambda: peer.heard == [b"hello"])
    through.close()
    listening.close()


async def test_the_relay_of_the_example_leads_nowhere_else(relay: Turn) -> None:
    through = await _allocate(relay, relay.servers("udp").credentials("abc", time.time()), "udp")
    request = stun.Message(message_method=stun.Method.CHANNEL_BIND, message_class=stun.Class.REQUEST)
    request.attributes["CHANNEL-NUMBER"] = 0x4001
    request.attributes["XOR-PEER-ADDRESS"] = ("198.51.100.1", 53)
    with pytest.raises(stun.TransactionFailed) as refused:
        # Its own sending binds a channel too, but keeps the refusal to itself.
        await through._TurnTransport__inner_protocol.request_with_retry(request)
    assert refused.value.response.attributes["ERROR-CODE"][0] == 403
    through.close()


@pytest.mark.parametrize(("age", "secret"), [(CREDENTIAL_LIFE_SECONDS + 5, ""), (0, "another-secret")])
async def test_credentials_that_are_over_or_of_another_secret_open_nothing(relay: Turn, age: int, secret: str) -> None:
    servers = TurnServers(relay.servers("udp").urls, secret or relay.secret)
    with pytest.raises(stun.TransactionFailed) as refused:
        await _allocate(relay, servers.credentials("abc", time.time() - age), "udp")
    assert refused.value.response.attributes["ERROR-CODE"][0] == 401
