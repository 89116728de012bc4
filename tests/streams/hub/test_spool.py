"""Durable events: in order, none lost, whether the hub is there or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from streams.hub.hub import Hub
from streams.hub.spool import Spool
from streams.hub.topics import POSITIONS_STREAM, PositionTaken
from streams.protocol import Position
from tests.support.valkey import Valkey
from tests.support.waiting import until


def taken(number: int) -> PositionTaken:
    position = Position(id=uuid4(), taken_at=number, latitude=40.8, longitude=111.7, accuracy_m=5)
    return PositionTaken(feed="site-1", position=position, received_at=number, clock_offset_ms=0, road="channel")


@asynccontextmanager
async def working(spool: Spool) -> AsyncIterator[Spool]:
    task = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def numbers(hub: Hub) -> list[int]:
    entries = await hub.read_after(POSITIONS_STREAM, "0", wait_seconds=0.05)
    return [PositionTaken.model_validate_json(event).received_at for _, event in entries]


async def test_events_reach_the_stream_and_are_kept_then(hub: Hub, tmp_path: Path) -> None:
    kept: list[int] = []
    async with working(Spool(hub, tmp_path / "spool")) as spool:
        for number in range(20):
            assert spool.offer(POSITIONS_STREAM, taken(number), lambda number=number: kept.append(number))
        await until(lambda: len(kept) == 20)
    assert await numbers(hub) == list(range(20))
    assert not (tmp_path / "spool").exists()


async def test_nothing_is_lost_or_reordered_over_a_break_of_the_hub(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    kept: list[int] = []

    def offer(spool: Spool, number: int) -> None:
        spool.offer(POSITIONS_STREAM, taken(number), lambda: kept.append(number))

    async with working(Spool(hub, tmp_path / "spool")) as spool:
        for number in range(5):
            offer(spool, number)
        await until(lambda: len(kept) == 5)
        valkey.kill()
        for number in range(5, 300):
            offer(spool, number)
        await until(lambda: len(kept) == 300, 10)
        assert spool.file_bytes > 0
        valkey.start()
        for number in range(300, 310):
            offer(spool, number)
        await until(lambda: len(kept) == 310 and spool.file_bytes == 0, 20)
    arrived = await numbers(hub)
    assert sorted(set(arrived)) == list(range(310))
    firsts = list(dict.fromkeys(arrived))
    assert firsts == sorted(firsts)


async def test_what_a_crash_left_on_disk_is_sent_first(hub: Hub, tmp_path: Path) -> None:
    away = Hub("redis://127.0.0.1:1/0")
    kept: list[int] = []
    async with working(Spool(away, tmp_path / "spool")) as spool:
        for number in range(3):
            spool.offer(POSITIONS_STREAM, taken(number), lambda number=number: kept.append(number))
        await until(lambda: len(kept) == 3)
    await away.close()
    with (tmp_path / "spool").open("ab") as file:
        file.write(b'{"stream":"command:positions","event":{"ty')  # the crash came while writing
    async with working(Spool(hub, tmp_path / "spool")) as spool:
        spool.offer(POSITIONS_STREAM, taken(3), lambda: kept.append(3))
        await until(lambda: spool.file_bytes == 0 and len(kept) == 4)
        assert spool.damaged == 1
    assert await numbers(hub) == [0, 1, 2, 3]


async def test_a_full_file_refuses_and_counts(tmp_path: Path) -> None:
    away = Hub("redis://127.0.0.1:1/0")
    kept: list[int] = []
    async with working(Spool(away, tmp_path / "spool", file_bound_bytes=1000)) as spool:
        for number in range(10):
            spool.offer(POSITIONS_STREAM, taken(number), lambda number=number: kept.append(number))
            await until(lambda number=number: len(kept) + spool.dropped == number + 1)
        assert spool.dropped > 0
        assert kept == list(range(10 - spool.dropped))
        assert (tmp_path / "spool").stat().st_size <= 1000
    await away.close()


async def test_what_waits_at_the_end_is_written_down(tmp_path: Path) -> None:
    away = Hub("redis://127.0.0.1:1/0")
    spool = Spool(away, tmp_path / "spool")
    spool.offer(POSITIONS_STREAM, taken(1))
    await spool.finish(0.5)
    assert (tmp_path / "spool").read_bytes().count(b"\n") == 1
    await away.close()
