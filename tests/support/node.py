"""A whole media node in the test's own process, on free ports, with tokens for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streams.node import Node, NodeOptions
from streams.signalling.tokens import Grant, issue
from streams.signalling.turn import NO_TURN, TurnServers


@dataclass(slots=True)
class RunningNode:
    """A node that serves, and the key that signs its tokens."""

    node: Node
    key: Ed25519PrivateKey
    stop: asyncio.Event

    @property
    def url(self) -> str:
        """Where WHIP and WHEP are."""
        return f"http://127.0.0.1:{self.node.http_port}"

    def token(
        self,
        feed: str = "*",
        *,
        publish: bool = True,
        view: bool = True,
        seconds: int = 600,
        token_id: UUID | None = None,
        session_id: UUID | None = None,
        user_id: UUID | None = None,
        operation_id: UUID | None = None,
        speaker: str | None = None,
    ) -> str:
        """A bearer token as the centre would issue it."""
        grant = Grant(
            token_id or uuid4(),
            feed,
            publish,
            view,
            int(time.time()) + seconds,
            user_id,
            session_id,
            operation_id,
            speaker=speaker,
        )
        return issue(self.key, grant)


@asynccontextmanager
async def running_node(
    data: Path,
    redis_url: str = "redis://127.0.0.1:1/0",
    *,
    records: bool = False,
    allowed_origins: Sequence[str] = (),
    turn: TurnServers = NO_TURN,
    key: Ed25519PrivateKey | None = None,
    node_id: str = "test",
    http_port: int = 0,
    public_url: str | None = None,
) -> AsyncIterator[RunningNode]:
    """Start a node and end it afterwards; without `redis_url` its hub is away. `key` signs its tokens."""
    key = key or Ed25519PrivateKey.generate()
    node = Node(
        NodeOptions(
            data=data,
            node_id=node_id,
            http_port=http_port,
            public_url=public_url,
            redis_url=redis_url,
            token_key=key.public_key(),
            records=records,
            allowed_origins=allowed_origins,
            turn=turn,
        )
    )
    stop = asyncio.Event()
    task = asyncio.create_task(node.run(stop))
    await node.wait_ready()
    try:
        yield RunningNode(node, key, stop)
    finally:
        stop.set()
        await task
