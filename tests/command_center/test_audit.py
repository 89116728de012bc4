"""The audit's chain: one writer at a time, nothing changed or cut off unnoticed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from command_center.audit import Audit, AuditEntry
from command_center.audit_reading import AuditReader, Query
from command_center.database import Database

COURT = uuid4()


async def write(records: Database, number: int) -> None:
    async with records.write() as session:
        await Audit().record(
            session,
            actor=uuid4(),
            court_id=COURT,
            action="test.done",
            subject_type="test",
            subject_id=str(number),
            details={"number": number, "名": "字"},
        )


@pytest.fixture
def reader(records: Database, tmp_path: Path) -> AuditReader:
    return AuditReader(records, Audit(), tmp_path / "anchors.jsonl")


async def test_twenty_writers_at_once_make_one_chain(records: Database, reader: AuditReader) -> None:
    await asyncio.gather(*(write(records, number) for number in range(20)))
    verdict = await reader.verify()
    assert (verdict.entries, verdict.broken_at) == (20, None)
    async with records.read() as session:
        subjects = set(await session.scalars(select(AuditEntry.subject_id)))
    assert subjects == {str(number) for number in range(20)}


async def test_two_entries_of_one_transaction_follow_each_other(records: Database, reader: AuditReader) -> None:
    async with records.write() as session:
        for number in (1, 2):
            await Audit().record(
                session, actor=None, court_id=None, action="a", subject_type="t", subject_id=str(number)
            )
    assert (await reader.verify()).entries == 2


async def test_an_entry_falls_with_its_transaction(records: Database, reader: AuditReader) -> None:
    async def fail() -> None:
        async with records.write() as session:
            await Audit().record(session, actor=None, court_id=None, action="a", subject_type="t", subject_id="1")
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await fail()
    assert (await reader.verify()).entries == 0


@pytest.mark.parametrize(
    ("column", "value"), [("action", "test.forged"), ("details", "{}"), ("actor_id", None), ("subject_id", "9")]
)
async def test_a_changed_entry_is_found(records: Database, reader: AuditReader, column: str, value: object) -> None:
    for number in range(5):
        await write(records, number)
    async with records.write() as session:
        await session.execute(update(AuditEntry).where(AuditEntry.sequence == 3).values({column: value}))
    verdict = await reader.verify()
    assert (verdict.broken_at, verdict.reason) == (3, "changed")


async def test_a_removed_entry_is_found(records: Database, reader: AuditReader) -> None:
    for number in range(5):
        await write(records, number)
    async with records.write() as session:
        await session.execute(delete(AuditEntry).where(AuditEntry.sequence == 2))
    assert (await reader.verify()).broken_at == 2


async def test_a_cut_off_end_is_found_by_the_anchor(records: Database, reader: AuditReader) -> None:
    for number in range(5):
        await write(records, number)
    await reader.anchor()
    async with records.write() as session:
        await session.execute(delete(AuditEntry).where(AuditEntry.sequence > 3))
    verdict = await reader.verify()
    assert (verdict.broken_at, verdict.reason) == (4, "cut-off")


async def test_a_chain_written_anew_is_found_by_the_anchor(records: Database, reader: AuditReader) -> None:
    for number in range(3):
        await write(records, number)
    await reader.anchor()
    async with records.write() as session:
        await session.execute(delete(AuditEntry))
    for number in range(3):
        await write(records, number)
    assert (await reader.verify()).reason == "not-as-anchored"


async def test_an_unmoved_head_is_anchored_once(records: Database, tmp_path: Path) -> None:
    reader = AuditReader(records, Audit(), tmp_path / "anchors.jsonl")
    await write(records, 1)
    await reader.anchor()
    await reader.anchor()
    assert len((tmp_path / "anchors.jsonl").read_text().splitlines()) == 1


async def test_a_torn_line_of_the_anchors_is_passed_over_and_reported(records: Database, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.jsonl"
    reader = AuditReader(records, Audit(), anchors)
    await write(records, 1)
    await reader.anchor()
    with anchors.open("ab") as file:
        file.write(b'{"at": "2026-03-01T08:0\xe5')
    await write(records, 2)
    await reader.anchor()
    await reader.anchor()
    verdict = await reader.verify()
    assert (verdict.anchors, verdict.unreadable_anchors, verdict.broken_at) == (2, 1, None)
    assert len(anchors.read_text(errors="replace").splitlines()) == 3


async def test_reading_is_recorded_and_paged_newest_first(records: Database, reader: AuditReader) -> None:
    for number in range(5):
        await write(records, number)
    me = uuid4()
    first = await reader.page(me, COURT, Query(frozenset({COURT}), limit=2))
    assert [entry.sequence for entry in first] == [5, 4]
    second = await reader.page(me, COURT, Query(frozenset({COURT}), before=4, limit=10))
    assert [entry.sequence for entry in second] == [3, 2, 1]
    reads = await reader.page(me, COURT, Query(frozenset({COURT}), action="audit.read"))
    assert [entry.actor_id for entry in reads] == [me, me]


async def test_another_courts_entries_are_not_shown(records: Database, reader: AuditReader) -> None:
    await write(records, 1)
    assert await reader.page(uuid4(), uuid4(), Query(frozenset({uuid4()}))) == []
