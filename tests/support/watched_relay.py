"""A relay that also tells when a moved client's first check that may move its session went to the node."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.relay import Address, Relay

HEADER_BYTES = 20
USE_CANDIDATE = 0x0025
BINDING_REQUEST = b"\x00\x01"
MEDIA = b"\x80"
"""What RTP and RTCP begin with, or with more; checks and DTLS begin with less."""


def may_move(data: bytes) -> bool:
    """Whether it is a binding request with USE-CANDIDATE."""
    if data[:2] != BINDING_REQUEST:
        return False
    at = HEADER_BYTES
    while at + 4 <= len(data):
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == USE_CANDIDATE:
            return True
        at += 4 + (size + 3 & ~3)
    return False


class WatchedRelay(Relay):
    """`checked_at` is the time (Unix seconds) of the picture's first such check since the last `move`.

    A page has other sessions beside, of voice, with checks of their own; those that sent little before the move are
    passed over.
    """

    def __init__(self, node: Address, *, seed: int = 1) -> None:
        super().__init__(node, seed=seed)
        self.checked_at: float | None = None
        self._sent: Counter[Address] = Counter()
        self._idle: frozenset[Address] = frozenset()

    def move(self, *clients: Address) -> None:
        """As the relay does; the next check is the first again."""
        super().move(*clients)
        least = max(self._sent.values(), default=0) / 5
        self._idle = frozenset(client for client, octets in self._sent.items() if octets < least)
        self._sent.clear()
        self.checked_at = None

    def _to_node(self, data: bytes, client: Address) -> None:
        self._sent[client] += len(data) if data[:1] >= MEDIA else 0
        if self.checked_at is None and client not in self._idle and may_move(data):
            self.checked_at = time.time()
        super()._to_node(data, client)


@asynccontextmanager
async def watched_relay(node_port: int, *, seed: int = 1) -> AsyncIterator[WatchedRelay]:
    """One before the media node of this machine."""
    relay = WatchedRelay(("127.0.0.1", node_port), seed=seed)
    await relay.open()
    try:
        yield relay
    finally:
        relay.close()
