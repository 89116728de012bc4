"""A UDP relay between WebRTC clients and the media node: a line that can be bad in every way, seeded, or be gone."""

from __future__ import annotations

import asyncio
import heapq
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from tests.support.impairment import Impairment, Line

Address = tuple[str, int]

HELD_BOUND = 4096
"""Datagrams under way in one direction; more are dropped and counted."""
CLIENTS_BOUND = 256
DEAF_BOUND = 32
"""Sockets of former addresses that are kept open, so that nobody else is given their ports meanwhile."""
BATCH = 64
DATAGRAM_BYTES = 2048

LEAD_THROUGH = """(() => {
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    const candidate = /^(a=candidate:\\S+ \\d+ udp \\d+) \\S+ \\d+/gim;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
        const sdp = description.sdp.replace(candidate, '$1 127.0.0.1 %d');
        return set.call(this, { type: description.type, sdp });
    };
})()"""
_CANDIDATE = re.compile(r"^(a=candidate:\S+ \d+ udp \d+) \S+ \d+", re.ASCII | re.IGNORECASE | re.MULTILINE)


class Way:
    """One direction of the relay: what its `line` lets through is held until it is due.

    `line.impairment` may be changed at any time; what is under way already keeps its time.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.line = Line(name, seed)
        self.overflowed = 0
        self._held: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def carry(self, size: int, deliver: Callable[[], None]) -> None:
        """Let one datagram go its way; `deliver` hands it over."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for at in self.line.arrivals(size, now):
            if at <= now and not self._held:
                deliver()
            elif len(self._held) >= HELD_BOUND:
                self.overflowed += 1
            else:
                self._number += 1
                heapq.heappush(self._held, (at, self._number, deliver))
        self._wait(loop)

    def close(self) -> None:
        """Drop what is under way."""
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._held[0][0], self._due) if self._held else None

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        # The loop fires a timer up to its clock's resolution early.
        now = loop.time() + 0.001
        while self._held and self._held[0][0] <= now:
            heapq.heappop(self._held)[2]()
        self._wait(loop)


class Relay:
    """Carries datagrams both ways unless it `is_cut`; each client's socket gets a socket of its own to the node.

    `to_node` and `to_client` are the two directions, each with a line of its own; all clients share them, as those of
    one house do. `move` gives clients another address, as the node sees it.
    """

    def __init__(self, node: Address, *, seed: int = 1) -> None:
        self.is_cut = False
        self.to_node = Way("to node", seed)
        self.to_client = Way("to client", seed)
        self.refused = 0
        """Datagrams of clients that were too many, or that a full socket didn't take."""
        self._node = node
        self._front = _open_socket()
        self._backs: dict[Address, socket.socket] = {}
        self._deaf: deque[socket.socket] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loss(self) -> float:
        """The share of the datagrams to clients that is lost."""
        return self.to_client.line.impairment.loss

    @loss.setter
    def loss(self, share: float) -> None:
        self.to_client.line.impairment = replace(self.to_client.line.impairment, loss=share)

    @property
    def dropped(self) -> int:
        """How many datagrams to clients were lost."""
        return self.to_client.line.counts["lost"]

    @property
    def number(self) -> int:
        """The port that clients send to."""
        return int(self._front.getsockname()[1])

    @property
    def script(self) -> str:
        """For `context.add_init_script`: leads a page's WebRTC through here."""
        return LEAD_THROUGH % self.number

    def lead(self, sdp: str) -> str:
        """The node's answer with this relay in the place of its candidates."""
        return _CANDIDATE.sub(rf"\1 127.0.0.1 {self.number}", sdp)

    def impair(self, both: Impairment) -> None:
        """Make both directions as bad."""
        self.to_node.line.impairment = self.to_client.line.impairment = both

    async def open(self) -> None:
        """Listen on a free port."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._front.fileno(), self._from_clients)

    def close(self) -> None:
        """Free the sockets."""
        for way in (self.to_node, self.to_client):
            way.close()
        for sock in (self._front, *self._backs.values(), *self._deaf):
            if self._loop is not None and sock.fileno() >= 0:
                self._loop.remove_reader(sock.fileno())
            sock.close()

    def move(self, *clients: Address) -> None:
        """Give these clients (all, if none is named) a new address toward the node; the former one turns deaf."""
        for client in clients or tuple(self._backs):
            former = self._backs[client]
            asyncio.get_running_loop().remove_reader(former.fileno())
            self._deaf.append(former)
            if len(self._deaf) > DEAF_BOUND:
                self._deaf.popleft().close()
            self._backs[client] = self._open_back(client)

    def address_of(self, client: Address) -> Address:
        """Where the node sees this client."""
        address: Address = self._backs[client].getsockname()
        return address

    def _open_back(self, client: Address) -> socket.socket:
        back = _open_socket()
        asyncio.get_running_loop().add_reader(back.fileno(), self._from_node, back, client)
        return back

    def _from_clients(self) -> None:
        for data, client in _received(self._front):
            if client not in self._backs:
                if len(self._backs) >= CLIENTS_BOUND:
                    self.refused += 1
                    continue
                self._backs[client] = self._open_back(client)
            if not self.is_cut:
                self.to_node.carry(len(data), partial(self._to_node, data, client))

    def _from_node(self, back: socket.socket, client: Address) -> None:
        for data, _ in _received(back):
            if not self.is_cut:
                self.to_client.carry(len(data), partial(self._send, self._front, data, client))

    def _to_node(self, data: bytes, client: Address) -> None:
        # By the address that the client has when the datagram leaves the line, as behind a real NAT.
        self._send(self._backs[client], data, self._node)

    def _send(self, sock: socket.socket, data: bytes, address: Address) -> None:
        if self.is_cut:
            return
        try:
            sock.sendto(data, address)
        except OSError:
            self.refused += 1


def _open_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


def _received(sock: socket.socket) -> Iterator[tuple[bytes, Any]]:
    """What waits in a socket, a batch at most."""
    for _ in range(BATCH):
        try:
            datagram = sock.recvfrom(DATAGRAM_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        yield datagram


@asynccontextmanager
async def relayed(node_port: int, *, seed: int = 1) -> AsyncIterator[Relay]:
    """A relay before the media node of this machine."""
    relay = Relay(("127.0.0.1", node_port), seed=seed)
    await relay.open()
    try:
        yield relay
    finally:
        relay.close()
