"""The database against the journals: entries, and the rows of which they tell."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, delete, insert, select, update

from command_center.clock import now
from command_center.evidence.journal_check import JournalCheck
from command_center.evidence.verifier import FolderTree, Found, Options, Report, Verification
from command_center.journal import JournalEntry, JournalKind
from command_center.operations.records import to_ms
from command_center.operations.tables import Delivery, Instruction, InstructionReceipt, PositionRecord
from streams.hub.hub import Hub
from streams.hub.topics import PositionTaken
from streams.protocol import Position, Receipt, ReceiptState
from tests.command_center.evidence.journalling import journals_of
from tests.support.world import World, new_world

COMPARED: list[tuple[Table, set[str]]] = [
    (JournalEntry.__table__, {"at", "kind", "salt", "body"}),  # type: ignore[list-item]
    (Instruction.__table__, {"number", "scope", "priority", "text", "deadline_at"}),  # type: ignore[list-item]
    (Delivery.__table__, {"state", "escalated_at", "sequence"}),  # type: ignore[list-item]
    (InstructionReceipt.__table__, {"state", "device_at", "received_at"}),  # type: ignore[list-item]
    (PositionRecord.__table__, {"latitude", "longitude", "accuracy_m", "taken_at", "received_at", "road"}),  # type: ignore[list-item]
]
"""What the journal holds of each row."""
ROWS = 40


@pytest.fixture
async def world(tables_url: str, hub: Hub, tmp_path: Path) -> AsyncIterator[World]:
    """An operation with instructions, receipts, an escalation and positions, all in its journal."""
    async with new_world(tables_url, hub) as world:
        people = world.people
        feed = await world.operations.feeds.register(
            people["li"], world.operation.id, world.operation.sites[0].id, "phone"
        )
        for text in ("守住后门", "报告位置", "撤离"):
            await world.instructions.send(people["commander"], world.order(text))
        for name, state in (("li", ReceiptState.SEEN), ("li", ReceiptState.DONE), ("zhang", ReceiptState.DELIVERED)):
            (waiting, *_) = await world.instructions.for_officer(people[name].user_id)
            receipt = Receipt(id=uuid4(), delivery_id=waiting.id, state=state, at=to_ms(now()), reason="")
            await world.instructions.apply(people[name].user_id, receipt)
        positions = [_position(feed.name, second) for second in range(30)]
        await world.positions.insert(positions)
        await written(world, tmp_path)
        yield world


def _position(feed: str, second: int) -> PositionTaken:
    at = to_ms(now()) + second * 1000
    position = Position(id=uuid4(), taken_at=at, latitude=40.8 + second / 1e5, longitude=111.7, accuracy_m=5)
    return PositionTaken(feed=feed, position=position, received_at=at + 40, clock_offset_ms=40, road="channel")


async def written(world: World, data: Path) -> None:
    """Bring what was noted into the files."""
    journals = journals_of(world.database, data)
    while await journals.step():
        pass
    await journals.seal()


async def check(world: World, data: Path, *, later: timedelta = timedelta(0)) -> dict[str, int]:
    """Verify the files, and compare; what is said of the database."""
    report: Report = Verification(Found("-", "data", FolderTree({"proof": data / "proof"})), Options()).run()
    await JournalCheck(world.database, data, report, lambda: now() + later).run()
    return {code: count for code, count in report.counts.items() if code.startswith("database-")}


async def test_what_was_noted_is_what_the_rows_say(world: World, tmp_path: Path) -> None:
    assert await check(world, tmp_path) == {}
    await world.instructions.send(world.people["commander"], world.order("尚未写入日志"))
    assert await check(world, tmp_path) == {}
    assert await check(world, tmp_path, later=timedelta(hours=1)) == {"database-waiting": 1}


async def test_a_row_that_was_edited_is_told(world: World, tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(ROWS):
        table, names = chance.choice(COMPARED)
        name = chance.choice(sorted(names))
        async with world.database.read() as session:
            row = chance.choice((await session.execute(select(table).order_by(table.c.id))).all())
        before = getattr(row, name)
        await _put(world, table, row.id, name, _other(before))
        assert await check(world, tmp_path), (table.name, name, before)
        await _put(world, table, row.id, name, before)
    assert await check(world, tmp_path) == {}


async def _put(world: World, table: Table, identifier: UUID | int, name: str, value: object) -> None:
    async with world.database.write() as session:
        await session.execute(update(table).where(table.c.id == identifier).values({name: value}))


def _other(value: object) -> object:
    if isinstance(value, int | float):
        return value + 1000
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1:] != "x" else "y")
    return now() if value is None else value + timedelta(minutes=1) if isinstance(value, datetime) else None


@pytest.mark.parametrize("table", [one for one, _ in COMPARED], ids=lambda table: table.name)
async def test_a_row_that_was_taken_out_is_told(world: World, tmp_path: Path, table: Table) -> None:
    async with world.database.write() as session:
        for held in (InstructionReceipt.__table__, Delivery.__table__):
            if table.name in ("instructions", "deliveries") and held.name != table.name:
                await session.execute(delete(held))
        row = (await session.execute(select(table))).all()[0]
        if table.name == "instructions":
            await session.execute(delete(Delivery))
        await session.execute(delete(table).where(table.c.id == row.id))
    assert (await check(world, tmp_path))["database-missing"] >= 1


async def test_rows_that_were_put_in_are_told(world: World, tmp_path: Path) -> None:
    for table in (Instruction, InstructionReceipt, PositionRecord):
        row = await _first(world, table.__table__)  # type: ignore[arg-type]
        values = {**row, "id": uuid4()}
        values |= {"number": 99, "idempotency_key": uuid4()} if table is Instruction else {}
        async with world.database.write() as session:
            await session.execute(insert(table).values(**values))
    row = await _first(world, JournalEntry.__table__)  # type: ignore[arg-type]
    async with world.database.write() as session:
        await session.execute(insert(JournalEntry).values(**{**row, "id": 9999, "once": None}))
    assert await check(world, tmp_path) == {"database-extra": 4}


async def _first(world: World, table: Table) -> dict[str, Any]:
    async with world.database.read() as session:
        return dict((await session.execute(select(table))).all()[0]._mapping)


async def test_an_escalation_is_noted_or_none(world: World, tmp_path: Path) -> None:
    world.instructions._clock = lambda: now() + timedelta(hours=1)
    assert await world.instructions.escalate()
    await written(world, tmp_path)
    assert await check(world, tmp_path) == {}
    async with world.database.read() as session:
        entries = await session.scalars(select(JournalEntry).where(JournalEntry.kind == JournalKind.ESCALATED.value))
        assert entries.first() is not None


async def test_a_journal_whose_file_is_gone_is_told(world: World, tmp_path: Path) -> None:
    for path in (tmp_path / "proof" / "journals").iterdir():
        path.unlink()
    assert (await check(world, tmp_path))["database-extra"] >= 1
