"""What tests of the journals share: an operation to note things of, and a reader that believes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

import command_center.schema  # noqa: F401 - every table is known
from command_center.accounts.tables import Court, User
from command_center.clock import now
from command_center.database import Database
from command_center.evidence.journals import Journals
from command_center.evidence.keyring import Keyring
from command_center.journal import Journal, JournalEntry, JournalKind, digest_of
from command_center.operations.tables import Operation
from streams.ledger import FIRST, is_signed_by, line_hash


async def new_operation(database: Database) -> UUID:
    """An operation of a court of its own."""
    court = Court(id=uuid4(), code=uuid4().hex[:12], name_zh="法院", name_en="Court")
    user = User(
        id=uuid4(), court_id=court.id, username=uuid4().hex, display_name="甲", role="commander", password_hash="-",
        created_at=now(),
    )  # fmt: skip
    operation = Operation(
        id=uuid4(), court_id=court.id, name_zh="行动", name_en="Operation", case_number="（2026）内01执1号",
        commander_id=user.id, starts_at=now(),
    )  # fmt: skip
    async with database.write() as session:
        for row in (court, user, operation):
            session.add(row)
            await session.flush()
    return operation.id


async def note(database: Database, operation: UUID, *numbers: int) -> None:
    """Note these numbers, in one transaction."""
    async with database.write() as session:
        for number in numbers:
            await Journal().note(session, operation, JournalKind.ALARM, {"number": number, "名": "字"})


async def note_now(database: Database, operation: str, number: int) -> None:
    """Note one number, from another process."""
    await note(database, UUID(operation), number)


def journals_of(
    database: Database, data: Path, anchor: Callable[[], tuple[int, str] | None] = lambda: None
) -> Journals:
    """The writer of all journals, with its keys."""
    keyring = Keyring(data, data / "keys")
    keyring.ensure()
    return Journals(database, data, keyring, anchor)


def checked(data: Path, operation: UUID) -> list[dict[str, Any]]:
    """The lines of an operation's journal, after its chain, its numbers and its seals were found good."""
    keys = {record.id: bytes.fromhex(record.public) for record in Keyring(data, data / "keys").listed()}
    previous, last, entries, found = FIRST, 0, 0, []
    for raw in (data / "proof" / "journals" / f"{operation}.jsonl").read_bytes().split(b"\n")[:-1]:
        line = json.loads(raw)
        assert line["previous"] == previous
        assert (line["type"] == "opened") == (not found)
        if line["type"] == "entry":
            assert line["id"] > last
            last, entries = line["id"], entries + 1
        elif line["type"] == "sealed":
            assert is_signed_by(raw, "journal/1", keys[line["signer"]])
            assert line["entries"] == entries
        previous = line_hash(raw)
        found.append(line)
    return found


async def check_whole(database: Database, data: Path, operation: UUID) -> None:
    """The file holds every entry of the records once, in their order, and the body of each."""
    async with database.read() as session:
        rows = list(
            await session.scalars(
                select(JournalEntry).where(JournalEntry.operation_id == operation).order_by(JournalEntry.id)
            )
        )
    assert all(row.written_at is not None for row in rows)
    entries = [line for line in checked(data, operation) if line["type"] == "entry"]
    assert [(one["id"], one["kind"], one["digest"]) for one in entries] == [
        (row.id, row.kind, digest_of(row.salt, row.body)) for row in rows
    ]
    bodies: dict[int, str] = {}
    for raw in (data / "proof" / "journals" / f"{operation}.bodies.jsonl").read_bytes().split(b"\n")[:-1]:
        line = json.loads(raw)
        bodies[line["id"]] = digest_of(bytes.fromhex(line["salt"]), line["body"])
    assert {one["id"]: one["digest"] for one in entries}.items() <= bodies.items()
