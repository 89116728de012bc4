"""A UDP relay between a browser's WebRTC and the media node: stopped, it is a network that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

Address = tuple[str, int]

LEAD_THROUGH = """(() => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    const candidate = /^(a=candidate:\\S+ \\d+ udp \\d+) \\S+ \\d+/gim;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
        const sdp = description.sdp.replace(candidate, '$1 127.0.0.1 %d');
        return set.call(this, { type: description.type, sdp });
    };
})()"""


class _Side(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay, client: Address | None) -> None:
        self._relay, self._client = relay, client
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._relay.is_cut:
            return
        if self._client is None:
            self._relay.from_browser(data, addr)
        else:
            self._relay.to_browser(data, self._client)


class Relay:
    """Carries datagrams both ways unless it `is_cut`; each browser socket gets a socket of its own to the node.

    `loss` is the share of the datagrams to the browser that is dropped, by a seeded draw; `dropped` counts them.
    """

    def __init__(self, node: Address, *, seed: int = 1) -> None:
        self.is_cut = False
        self.loss = 0.0
        self.dropped = 0
        self._random = Random(seed)
        self._node = node
        self._front = _Side(self, None)
        self._backs: dict[Address, _Side] = {}
        self._opening: set[asyncio.Task[None]] = set()

    @property
    def script(self) -> str:
        """For `context.add_init_script`: leads a page's WebRTC through here."""
        return LEAD_THROUGH % self._front.transport.get_extra_info("sockname")[1]

    async def open(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self._front, local_addr=("127.0.0.1", 0))

    def close(self) -> None:
        """Free the sockets."""
        for side in (self._front, *self._backs.values()):
            if side.transport is not None:
                side.transport.close()

    def from_browser(self, data: bytes, client: Address) -> None:
        """One datagram on its way to the node; the first of a browser socket only opens its way."""
        back = self._backs.get(client)
        if back is None:
            self._backs[client] = back = _Side(self, client)
            task = asyncio.ensure_future(self._open_back(back))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        elif back.transport is not None:
            back.transport.sendto(data)

    def to_browser(self, data: bytes, client: Address) -> None:
        """One datagram on its way back."""
        if self._random.random() < self.loss:
            self.dropped += 1
            return
        self._front.transport.sendto(data, client)

    async def _open_back(self, back: _Side) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: back, remote_addr=self._node)


@asynccontextmanager
async def relayed(node_port: int) -> AsyncIterator[Relay]:
    """A relay before the media node of this machine."""
    relay = Relay(("127.0.0.1", node_port))
    await relay.open()
    try:
        yield relay
    finally:
        relay.close()
