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
    asyncio.get_running_loop().call_soon(may_go_on.set)  # once the reader has been told
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


async def test_writers_of_one_process_take_their_turns_and_the_first_to_come_is_the_first(records: Database) -> None:
    done: list[int] = []
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def write(ordinal: int) -> None:
        async with records.write() as session:
            await session.execute(text("SELECT 1"))
            begun.set()
            await may_go_on.wait()
        done.append(ordinal)

    async with asyncio.TaskGroup() as group:
        for ordinal in range(12):
            group.create_task(write(ordinal))
        await begun.wait()
        # Those who wait hold no connection, so that readers find one.
        async with records.read() as session:
            await session.execute(text("SELECT 1"))
        may_go_on.set()
    assert sorted(done) == list(range(12))
    if records.is_sqlite:
        assert done == list(range(12))


async def test_a_writer_cancelled_in_the_middle_of_a_statement_keeps_nobody_else_from_writing(
    records: Database,
) -> None:
    begun = asyncio.Event()
    # It takes longer than the cancelling, and its rows are never fetched.
    slow = text(
        "INSERT INTO outbox_events (id, stream, event, created_at)"
        " SELECT id, stream, event, created_at FROM outbox_events RETURNING id"
        if not records.is_sqlite
        else "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000)"
        " INSERT INTO outbox_events (id, stream, event, created_at)"
        " SELECT x, 's', '{}', '2026-01-01' FROM c RETURNING id"
    )

    async def write() -> None:
        async with records.write() as session:
            event.listen(records.engine.sync_engine, "before_cursor_execute", lambda *_: begun.set())
            await session.execute(slow)

    writer = asyncio.create_task(write())
    await begun.wait()
    writer.cancel()
    # Whoever holds the error holds all that was open when it came.
    (kept,) = await asyncio.gather(writer, return_exceptions=True)
    other = Database(records.engine.url.render_as_string(hide_password=False))
    async with asyncio.timeout(10), other.write() as session:
        await session.execute(text("SELECT 1"))
    await other.close()
    assert isinstance(kept, asyncio.CancelledError)


async def test_sqlite_plans_by_how_large_its_tables_are_once_they_were_looked_over(records: Database) -> None:
    async with records.write() as session:
        session.add_all(OutboxEvent(stream="s", event="{}", created_at=now()) for _ in range(30))
    await records.look_over()
    if records.is_sqlite:
        async with records.read() as session:
            counted = await session.scalars(text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'outbox_events'"))
            assert {each.split()[0] for each in counted} == {"30"}
