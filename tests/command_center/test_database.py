"""Transactions on both databases, and what a cancelled one leaves behind."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import event, select, text

from command_center.clock import now
from command_center.database import Database, new_id
from command_center.outbox import OutboxEvent


async def test_whoever_is_cancelled_while_connecting_leaves_no_connection_behind(records: Database) -> None:
    connecting, may_go_on = asyncio.Event(), asyncio.Event()
    connections = 0

    async def hesitate(_connection: object) -> None:
        connecting.set()
        await may_go_on.wait()

    def connected(connection: Any, _record: object) -> None:
        nonlocal connections
        connections += 1
        connection.run_async(hesitate)

    async def read() -> None:
        async with records.read() as session:
            await session.execute(text("SELECT 1"))

    event.listen(records.engine.sync_engine, "connect", connected)
    await records.engine.dispose()
    reader = asyncio.create_task(read())
    await connecting.wait()
    reader.cancel()
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.gather(reader, return_exceptions=True)
    assert reader.cancelled()
    await read()
    assert connections == 1  # the reader's connection went back to the pool, whole


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
