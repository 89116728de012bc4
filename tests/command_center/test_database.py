"""Transactions on both databases, and what a cancelled one leaves behind."""

from __future__ import annotations

import asyncio
import gc

from sqlalchemy import select, text

from command_center.clock import now
from command_center.database import Database, new_id
from command_center.outbox import OutboxEvent
from tests.support.waiting import until


async def test_a_cancelled_reader_leaves_no_connection_behind(records: Database) -> None:
    async def read() -> None:
        async with records.read() as session:
            await session.execute(text("SELECT 1"))

    for _ in range(10):
        readers = [asyncio.create_task(read()) for _ in range(8)]
        await asyncio.sleep(0)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        gc.collect()  # an abandoned connection would warn here, and a warning is an error
    await until(lambda: records.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    await read()


async def test_a_cancelled_writer_has_written_nothing(records: Database) -> None:
    row = new_id()
    begun = asyncio.Event()

    async def write() -> None:
        async with records.write() as session:
            await session.execute(
                OutboxEvent.__table__.insert(),  # type: ignore[attr-defined]
                {"id": row, "stream": "s", "event": "{}", "created_at": now()},
            )
            begun.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write())
    await begun.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    async with records.write() as session:
        assert (await session.scalars(select(OutboxEvent.id))).all() == []
