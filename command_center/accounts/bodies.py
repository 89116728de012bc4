"""A request's body, read whole before anything works on it, up to a limit."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope

from command_center.errors import CommandCenterError

BODY_LIMIT_BYTES = 1_000_000
"""A body of this size is refused."""
MEDIA_BODY_LIMIT_BYTES = 256_000
"""No SDP comes near it."""
BODY_SECONDS = 20.0


class TooLarge(CommandCenterError):
    """The body is larger than any that is asked for here."""

    status = 413


class TooSlow(CommandCenterError):
    """The body didn't come in time."""

    status = 408


class Gone(Exception):
    """The client went away before its request was whole."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it says, or turns out, to be `limit` bytes or more.
        TooSlow: it took longer than BODY_SECONDS.
        Gone: the client went away.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) >= limit):
            raise TooLarge("body-too-large", limit_bytes=limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                chunk = message.get("body", b"")
                size += len(chunk)
                if size >= limit:
                    raise TooLarge("body-too-large", limit_bytes=limit)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError as error:
        raise TooSlow("body-too-slow") from error


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` first, and then whatever comes."""
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if not is_given:
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
