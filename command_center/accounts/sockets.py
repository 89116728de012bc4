"""The WebSockets that are open in this process, closed when the session that opened them is over."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from command_center.accounts.sign_ins import SignIns

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.7
"""Twice this is how long a socket outlives its session at most, hub or no hub."""
CLOSE_SECONDS = 1.0
"""A client that doesn't let itself be closed in this time is cut off."""
SEEN_SECONDS = 60.0
"""How often open sockets are noted as a use of their sessions."""
CLOSE_SESSION_OVER = 4401


@dataclass(eq=False, slots=True)
class _Socket:
    session_id: UUID
    send: Send
    task: asyncio.Task[object] | None
    was_told: bool = False
    is_closed: bool = False

    async def pass_on(self, message: Message) -> None:
        if self.is_closed:
            raise OSError("closed by the gate")  # what Starlette takes for a client that is gone
        await self.send(message)

    async def close(self) -> None:
        self.is_closed = True
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.send({"type": "websocket.close", "code": CLOSE_SESSION_OVER, "reason": "session over"})
        except (TimeoutError, OSError, RuntimeError) as error:
            logger.info("a socket of session %s is cut off: %s", self.session_id, type(error).__name__)
            if self.task is not None:
                self.task.cancel()


class OpenSockets:
    """Serves sockets and watches their sessions.

    The handler of a socket hears of a revocation over the hub and says good-bye in its own words; this
    makes sure of it, also while the hub is away, and when a session just runs out.
    """

    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins
        self._open: set[_Socket] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, session_id: UUID) -> None:
        """Run the application on this socket until either is done with it."""
        socket = _Socket(session_id, send, asyncio.current_task())
        self._open.add(socket)
        try:
            await app(scope, receive, socket.pass_on)
        finally:
            self._open.discard(socket)

    async def watch(self) -> None:
        """Close what has lost its session; runs as long as the process."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._close_orphans()
            except (SQLAlchemyError, OSError):
                logger.exception("sockets could not be checked")

    async def keep_seen(self) -> None:
        """Have nobody be idle who has a socket open; runs as long as the process."""
        while True:
            await asyncio.sleep(SEEN_SECONDS)
            if self._open:
                await self._sign_ins.keep_seen({socket.session_id for socket in self._open})

    async def _close_orphans(self) -> None:
        alive = await self._sign_ins.alive({socket.session_id for socket in self._open})
        async with asyncio.TaskGroup() as closing:
            for socket in [each for each in self._open if each.session_id not in alive]:
                if socket.was_told:
                    self._open.discard(socket)
                    closing.create_task(socket.close())
                socket.was_told = True  # its handler has until the next round to say why
