"""Sending on and closing a WebSocket, with a bound on how long a slow or vanished peer may hold us up."""

from __future__ import annotations

import asyncio
import logging

from fastapi import WebSocket, WebSocketDisconnect

logger = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""A peer that takes nothing for so long is closed; it comes back by itself."""

CLOSE_NOT_VALID = 4400
CLOSE_SESSION_OVER = 4401
CLOSE_REFUSED = 4403
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_SLOW = 4408
CLOSE_RELOAD = 4409
CLOSE_TOO_LONG = 1009


class Closed(Exception):
    """This socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def receive_text(websocket: WebSocket, limit_bytes: int) -> str:
    """The next message.

    Raises:
        WebSocketDisconnect: the peer is gone.
        Closed: the message is too long.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = str(message.get("text") or "")
    if len(text.encode()) > limit_bytes:
        raise Closed(CLOSE_TOO_LONG, "too-long")
    return text


async def send_text(websocket: WebSocket, text: str) -> None:
    """Send a message.

    Raises:
        Closed: the peer doesn't take it.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.send_text(text)
    except TimeoutError as error:
        raise Closed(CLOSE_TOO_SLOW, "too-slow") from error


async def close(websocket: WebSocket, closed: Closed) -> None:
    """Close it, where the peer is still there to be told."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.close(closed.code, closed.reason)
    except (TimeoutError, RuntimeError, OSError, WebSocketDisconnect):
        logger.debug("a peer was gone before it could be told %s", closed.reason)
