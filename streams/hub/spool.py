"""Durable events on their way to the hub's streams: kept on disk, in order, while the hub is away."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from streams.hub.hub import Hub, HubAway
from streams.hub.topics import (
    CameraChanged,
    PositionTaken,
    RecordingWritten,
    TalkChanged,
)

logger = logging.getLogger(__name__)

DurableEvent = PositionTaken | CameraChanged | TalkChanged | RecordingWritten

QUEUE_BOUND = 10_000
"""Events that may wait in memory; more are refused, and the device keeps and repeats them."""
FILE_BOUND_BYTES = 256 * 1024 * 1024
"""About ten days of five officers at 1 Hz."""
RETRY_SECONDS = 0.5
BATCH = 200


class _Spooled(BaseModel):
    stream: str
    event: Annotated[DurableEvent, Field(discriminator="type")]


_SPOOLED: TypeAdapter[_Spooled] = TypeAdapter(_Spooled)
_Waiting = tuple[str, DurableEvent, Callable[[], None]]


class Spool:
    """Appends events to the hub's streams, first in first out; `on_kept` is called once an event is safe.

    While the hub is away they go to an append-only file, synced before `on_kept`, and are replayed in order
    before any later one. An event may reach the stream twice (a crash between replay and truncation): its id says so.
    """

    def __init__(self, hub: Hub, path: Path, *, file_bound_bytes: int = FILE_BOUND_BYTES) -> None:
        self._hub = hub
        self._path = path
        self._file_bound_bytes = file_bound_bytes
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE_BOUND)
        self._replayed_to = 0
        self._in_hand: list[_Waiting] = []
        self.dropped = 0
        """Events that were refused because memory or file was full."""
        self.damaged = 0
        """Lines of the file that could not be read again."""

    @property
    def file_bytes(self) -> int:
        """How much of the file isn't replayed yet."""
        return max(0, self._file_size() - self._replayed_to)

    def offer(self, stream: str, event: DurableEvent, on_kept: Callable[[], None] = lambda: None) -> bool:
        """Hand an event over; False, with nothing kept, when too many wait."""
        try:
            self._queue.put_nowait((stream, event, on_kept))
        except asyncio.QueueFull:
            self.dropped += 1
            return False
        return True

    async def run(self) -> None:
        """Work until cancelled."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            await self._take(RETRY_SECONDS if self.file_bytes else None)
            if self.file_bytes == 0:
                await self._send_all()
            if self._in_hand:
                await self._write_down()
            if self.file_bytes:
                await self._replay()

    async def finish(self, seconds: float) -> None:
        """After `run` was cancelled: send what waits if the hub answers in time, else write it down."""
        while not self._queue.empty():
            self._in_hand.append(self._queue.get_nowait())
        if self._in_hand and self.file_bytes == 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._send_all()
            except TimeoutError:
                logger.info("spool: the hub did not answer at the end; %d events go to disk", len(self._in_hand))
        if self._in_hand:
            await self._write_down()

    async def _take(self, wait_seconds: float | None) -> None:
        try:
            async with asyncio.timeout(wait_seconds):
                self._in_hand.append(await self._queue.get())
        except TimeoutError:
            return
        while len(self._in_hand) < BATCH and not self._queue.empty():
            self._in_hand.append(self._queue.get_nowait())

    async def _send_all(self) -> None:
        """Append to the streams until done or the hub is away; what is left stays in hand."""
        while self._in_hand:
            stream, event, on_kept = self._in_hand[0]
            try:
                await self._hub.append(stream, event)
            except HubAway:
                return
            self._in_hand.pop(0)
            on_kept()

    async def _write_down(self) -> None:
        lines = [_Spooled(stream=s, event=e).model_dump_json().encode() + b"\n" for s, e, _ in self._in_hand]
        if self._file_size() + sum(map(len, lines)) > self._file_bound_bytes:
            self.dropped += len(lines)
            logger.error("spool: the file is full, %d events refused", len(lines))
            self._in_hand.clear()
            return
        try:
            await asyncio.to_thread(self._append_to_file, b"".join(lines))
        except OSError as error:
            self.dropped += len(lines)
            logger.error("spool: can't write: %s", error)
            self._in_hand.clear()
            return
        kept, self._in_hand = self._in_hand, []
        for _, _, on_kept in kept:
            on_kept()

    def _append_to_file(self, data: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a line that a crash cut short stays one damaged line
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def _replay(self) -> None:
        """Send one batch of the file; when all of it is sent, empty it."""
        lines = await asyncio.to_thread(self._read_lines)
        for line in lines:
            try:
                spooled = _SPOOLED.validate_json(line) if line.strip() else None
            except ValidationError:
                self.damaged += 1
                spooled = None
            if spooled is not None:
                try:
                    await self._hub.append(spooled.stream, spooled.event)
                except HubAway:
                    return
            self._replayed_to += len(line)
        if self.file_bytes == 0:
            await asyncio.to_thread(os.truncate, self._path, 0)
            self._replayed_to = 0
            logger.info("spool: the hub has everything again")

    def _read_lines(self) -> list[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._replayed_to)
            return [line for line in (file.readline() for _ in range(BATCH)) if line]

    def _file_size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0
