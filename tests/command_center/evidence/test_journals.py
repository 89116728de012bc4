"""Journals: what was noted stands in the operation's file once, in order and signed, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import errno
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from command_center.clock import now
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence import journal_file, ledger_file
from command_center.evidence.journal_file import Entry, JournalFile
from command_center.evidence.journals import Journals
from command_center.evidence.keyring import Keyring
from command_center.journal import Journal, JournalEntry, JournalKind, JournalSeal
from command_center.schema import prepare
from tests.command_center.evidence.journalling import check_whole, checked, journals_of, new_operation, note


@pytest.fixture
async def operation(records: Database) -> UUID:
    return await new_operation(records)


@pytest.fixture
def journals(records: Database, tmp_path: Path) -> Journals:
    return journals_of(records, tmp_path, lambda: (7, "ab" * 32))


async def drained(journals: Journals) -> None:
    for _ in range(20):
        if await journals.step() == 0:
            return
    raise AssertionError("something is left")


async def test_what_is_noted_is_written_in_order_and_sealed(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    other = await new_operation(records)
    for number in range(5):
        await note(records, operation, number)
        await note(records, other, number, number)
        await drained(journals)
    await journals.seal()
    await journals.seal()
    await check_whole(records, tmp_path, operation)
    await check_whole(records, tmp_path, other)
    *_, seal = checked(tmp_path, operation)
    assert (seal["type"], seal["entries"], seal["anchor"]) == ("sealed", 5, [7, "ab" * 32])
    assert len(checked(tmp_path, operation)) == 7
    async with records.read() as session:
        sealed = await session.get(JournalSeal, operation)
        last = await session.scalar(
            select(JournalEntry.id).where(JournalEntry.operation_id == operation).order_by(JournalEntry.id.desc())
        )
    assert sealed is not None
    assert sealed.entry_id == last


async def test_a_seal_comes_a_minute_after_the_first_entry_that_has_none(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    await note(records, operation, 1)
    await drained(journals)
    assert checked(tmp_path, operation)[-1]["type"] == "entry"
    journals._unsealed_since[operation] -= 60
    await journals.step()
    assert checked(tmp_path, operation)[-1]["type"] == "sealed"


async def test_what_another_worker_left_unsealed_is_sealed(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    await note(records, operation, 1)
    await drained(journals)
    heir = journals_of(records, tmp_path)
    await drained(heir)
    assert checked(tmp_path, operation)[-1]["type"] == "sealed"
    await note(records, operation, 2)
    await drained(journals)
    await check_whole(records, tmp_path, operation)


async def test_two_writers_at_once_do_no_harm(records: Database, operation: UUID, tmp_path: Path) -> None:
    writers = [journals_of(records, tmp_path) for _ in range(2)]
    for number in range(10):
        await note(records, operation, number)
        await asyncio.gather(*(writer.step() for writer in writers))
        await writers[number % 2].seal()
    for writer in writers:
        await drained(writer)
    await check_whole(records, tmp_path, operation)


async def test_an_entry_that_fell_with_its_transaction_is_nowhere(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    async def fail() -> None:
        async with records.write() as session:
            await Journal().note(session, operation, JournalKind.ALARM, {})
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await fail()
    await note(records, operation, 1)
    await drained(journals)
    await check_whole(records, tmp_path, operation)


async def test_lines_that_a_power_cut_took_back_are_written_again(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    for number in range(6):
        await note(records, operation, number)
    await drained(journals)
    path = tmp_path / "proof" / "journals" / f"{operation}.jsonl"
    whole = path.read_bytes()
    bodies = path.with_suffix(".bodies.jsonl")
    for cut in (1, 30, 250, len(whole) - 10):
        path.write_bytes(whole[:-cut])
        bodies.write_bytes(bodies.read_bytes()[:-5])
        await note(records, operation, cut)
        await drained(journals_of(records, tmp_path))
        await check_whole(records, tmp_path, operation)
        assert path.read_bytes().startswith(whole)


async def test_a_file_that_somebody_changed_is_left_alone_and_the_others_go_on(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    other = await new_operation(records)
    await note(records, operation, 1)
    await note(records, operation, 2)
    await drained(journals)
    await journals.seal()
    path = tmp_path / "proof" / "journals" / f"{operation}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"kind":"alarm"', b'"kind":"alert"', 1))
    before = path.read_bytes()
    await note(records, operation, 3)
    await note(records, other, 4)
    await drained(journals_of(records, tmp_path))
    await check_whole(records, tmp_path, other)
    assert path.read_bytes() == before
    async with records.read() as session:
        waiting = list(
            await session.scalars(select(JournalEntry.operation_id).where(JournalEntry.written_at.is_(None)))
        )
    assert waiting == [operation]


async def test_records_put_back_from_an_older_copy_lose_nothing_that_is_noted_then(
    records: Database, operation: UUID, tmp_path: Path
) -> None:
    await note(records, operation, 1, 2)
    await drained(journals_of(records, tmp_path))
    folder = tmp_path / "proof" / "journals"
    await note(records, operation, 3, 4, 5)
    path = folder / f"{operation}.jsonl"
    # The file as it was in a life of the records that is lost: with entries 3 to 7 of its own.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder.parent, elsewhere / "proof")
    shutil.copytree(tmp_path / "keys", elsewhere / "keys")
    lost = JournalFile(elsewhere / "proof" / "journals", operation)
    lost.open()
    lost.write([Entry(lost.last_id + number, now(), "alarm", bytes(16), "{}") for number in range(1, 6)], operation)
    shutil.copy(elsewhere / "proof" / "journals" / path.name, path)
    await drained(journals_of(records, tmp_path))
    await note(records, operation, 6)
    await drained(journals_of(records, tmp_path))
    entries = [line for line in checked(tmp_path, operation) if line["type"] == "entry"]
    assert len(entries) == 2 + 5 + 4
    async with records.read() as session:
        rows = list(await session.scalars(select(JournalEntry).order_by(JournalEntry.id)))
    assert {row.id for row in rows} <= {line["id"] for line in entries}
    assert all(row.written_at is not None for row in rows)


async def test_a_changed_key_signs_from_then_on(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path
) -> None:
    signers = []
    for number in range(2):
        await note(records, operation, number)
        await drained(journals)
        await journals.seal()
        signers.append(checked(tmp_path, operation)[-1]["signer"])
        Keyring(tmp_path, tmp_path / "keys").rotate("court")
    assert signers[0] != signers[1]


async def test_a_disk_that_is_full_for_a_while_costs_nothing(
    records: Database, operation: UUID, journals: Journals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note(records, operation, 1)
    await drained(journals)
    real = ledger_file.append_synced

    def full(path: Path, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    for module in (ledger_file, journal_file):
        await note(records, operation, 2)
        monkeypatch.setattr(module, "append_synced", full)
        await journals.step()
        monkeypatch.setattr(module, "append_synced", real)
        journals._left_alone_until.clear()
        await drained(journals)
        await check_whole(records, tmp_path, operation)


async def test_what_somebody_puts_into_the_records_by_hand_is_refused_by_them(records_url: str, tmp_path: Path) -> None:
    await prepare(Settings(data=tmp_path, database_url=records_url))
    database = Database(records_url)
    operation = await new_operation(database)
    await note(database, operation, 1)

    async def change(deed: str) -> None:
        async with database.write() as session:
            await session.execute(text(deed))

    for deed in ("UPDATE journal_entries SET body = '{}'", "DELETE FROM journal_entries"):
        with pytest.raises(DatabaseError, match="append-only"):
            await change(deed)
    await drained(journals_of(database, tmp_path))
    await check_whole(database, tmp_path, operation)
    await database.close()
