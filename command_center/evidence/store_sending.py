"""A file's bytes, made by the event loop, as the file that boto3 reads in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from command_center.evidence.store import StoreAway

PIECE_SECONDS = 30.0
"""So long the loop may take for the next bytes."""

T = TypeVar("T")


class Sending:
    """Read from its beginning as often as is asked for: to be signed, to be sent, and to be sent again.

    `error` is what went wrong in getting the bytes, which boto3 tells as its own.
    """

    def __init__(self, size: int, pieces: Callable[[], AsyncIterator[bytes]]) -> None:
        self.error: Exception | None = None
        self._size = size
        self._make = pieces
        self._pieces = pieces()
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._position = 0
        self._asked: Future[Any] | None = None
        self._is_given_up = False

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def seek(self, offset: int) -> int:
        """Begin anew; there is no other place to go to."""
        if offset:
            raise OSError("only to the beginning")
        self._wait_for(_close(self._pieces))
        self._pieces, self._rest, self._position = self._make(), b"", 0
        return 0

    def read(self, size: int = -1) -> bytes:
        """Some bytes, at most `size`; none at the end.

        Raises:
            StoreAway: there are fewer than was said, they don't come in time, or nobody wants them any more.
            NotStored: as the bytes are made.
        """
        try:
            while not self._rest and self._position < self._size:
                piece = self._wait_for(_next(self._pieces))
                if piece is None:
                    raise StoreAway("store-away", "the file is shorter than was said")
                self._rest = piece[: self._size - self._position]
        except Exception as error:
            self.error = error
            raise
        part = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(part) :]
        self._position += len(part)
        return part

    async def give_up(self) -> None:
        """Have whoever reads it, and goes on doing so, fail at once."""
        self._is_given_up = True
        if self._asked is not None:
            self._asked.cancel()
        # Where the bytes are just being made, the cancelling ends that.
        with suppress(RuntimeError):
            await _close(self._pieces)

    def _wait_for(self, call: Coroutine[Any, Any, T]) -> T:
        if self._is_given_up:
            call.close()
            raise StoreAway("store-away", "nobody wants it any more")
        asked: Future[T] = asyncio.run_coroutine_threadsafe(call, self._loop)
        self._asked = asked
        try:
            return asked.result(PIECE_SECONDS)
        except TimeoutError as error:
            raise StoreAway("store-away", "the file isn't read in time") from error


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def _close(pieces: AsyncIterator[bytes]) -> None:
    if isinstance(pieces, AsyncGenerator):
        await pieces.aclose()
