"""What the event loop makes is read in a thread: whole, from the beginning again, and never for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from command_center.evidence import store_sending
from command_center.evidence.store import NotStored, StoreAway
from command_center.evidence.store_sending import Sending

PIECES = [b"abc", b"", b"defgh"]


async def _pieces() -> AsyncIterator[bytes]:
    for piece in PIECES:
        yield piece


async def _nothing() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def _missing() -> AsyncIterator[bytes]:
    raise NotStored("x")
    yield b""


def _read(sending: Sending, size: int) -> bytes:
    return b"".join(iter(lambda: sending.read(size), b""))


@pytest.mark.parametrize("size", [1, 2, 100, -1])
async def test_it_is_read_whole_as_often_as_is_asked_for(size: int) -> None:
    sending = Sending(8, _pieces)
    for _ in range(3):
        assert await asyncio.to_thread(_read, sending, size) == b"abcdefgh"
        assert sending.tell() == 8
        await asyncio.to_thread(sending.seek, 0)
    assert await asyncio.to_thread(sending.read, 2) == b"ab"
    await sending.give_up()


async def test_no_more_is_read_than_was_said() -> None:
    sending = Sending(4, _pieces)
    assert await asyncio.to_thread(_read, sending, 100) == b"abcd"
    await sending.give_up()


async def test_a_file_that_is_shorter_than_was_said_is_not_waited_for() -> None:
    sending = Sending(9, _pieces)
    with pytest.raises(StoreAway):
        await asyncio.to_thread(_read, sending, 100)


async def test_what_went_wrong_in_making_the_bytes_is_kept() -> None:
    sending = Sending(9, _missing)
    with pytest.raises(NotStored):
        await asyncio.to_thread(sending.read)
    assert isinstance(sending.error, NotStored)


async def test_bytes_that_do_not_come_in_time_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_sending, "PIECE_SECONDS", 0.05)
    sending = Sending(9, _nothing)
    with pytest.raises(StoreAway):
        await asyncio.to_thread(sending.read)
    await sending.give_up()


async def test_giving_it_up_ends_a_reader_that_waits() -> None:
    sending = Sending(9, _nothing)
    begun = threading.Event()

    def read() -> None:
        begun.set()
        sending.read()

    reader = asyncio.create_task(asyncio.to_thread(read))
    await asyncio.to_thread(begun.wait, 10)
    await sending.give_up()
    with pytest.raises((StoreAway, asyncio.CancelledError)):
        await reader
    with pytest.raises(StoreAway):
        await asyncio.to_thread(sending.read)
