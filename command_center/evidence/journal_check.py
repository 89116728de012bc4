"""Holds the database against the journals: the entries themselves, and the rows that they tell of.

What an operation did before it had a journal stands in none, and isn't compared.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select

from command_center.clock import Clock, now
from command_center.database import Base, Database
from command_center.evidence.journal_file import FOLDER, SUFFIX
from command_center.evidence.verifier import JournalReport, Report
from command_center.journal import JournalEntry, JournalKind, digest_of
from command_center.operations.records import from_ms, to_ms
from command_center.operations.tables import Delivery, Feed, Instruction, InstructionReceipt, PositionRecord

BATCH = 200
CLOCK_SLACK = timedelta(seconds=2)
"""The row and the entry of one receipt are given their instants one after the other."""
YOUNG = timedelta(minutes=10)
"""An entry that has waited so long to be written into the file is told of."""
NAMED = 20
"""So many rows too many are named one by one."""

Body = Mapping[str, Any]
_Row = TypeVar("_Row", Instruction, Delivery, InstructionReceipt, PositionRecord)


@dataclass(slots=True)
class _Noted:
    """What one journal has told so far; of positions only how many there are."""

    instructions: set[UUID] = field(default_factory=set)
    deliveries: dict[UUID, str] = field(default_factory=dict)
    """Each with the state to which the last receipt that counted brought it."""
    receipts: set[UUID] = field(default_factory=set)
    escalated: set[UUID] = field(default_factory=set)
    positions: int = 0


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the database has of one operation, as a journal would tell of it."""

    instructions: frozenset[UUID]
    receipts: frozenset[UUID]
    deliveries: Mapping[UUID, tuple[datetime, str, bool]]
    """When it was sent, its state, whether it was escalated."""
    positions: int


class JournalCheck:
    """Compares, and adds what differs to the report of a verification of the ledgers."""

    def __init__(self, database: Database, data: Path, report: Report, clock: Clock = now) -> None:
        self._database = database
        self._clock = clock
        self._folder = data / FOLDER
        self._report = report

    async def run(self) -> None:
        """Compare every journal that was found; and look for entries of others."""
        found: set[UUID] = set()
        for journal in self._report.journals:
            try:
                operation = UUID(journal.id)
            except ValueError:
                continue  # whose file that is has been asked already
            found.add(operation)
            await self._entries(operation, journal)
        written = select(JournalEntry.operation_id).where(JournalEntry.written_at.is_not(None)).distinct()
        async with self._database.read() as session:
            for operation in set(await session.scalars(written)) - found:
                self._report.add("database-extra", f"{FOLDER / str(operation)}{SUFFIX}", table="journal_entries")

    async def _entries(self, operation: UUID, journal: JournalReport) -> None:
        since = None if journal.since is None else from_ms(journal.since) - CLOCK_SLACK
        before = None if since is None else await self._known(operation, since)
        file, last, noted = _JournalFile(self._folder / f"{operation}{SUFFIX}"), 0, _Noted()
        while True:
            batch = await asyncio.to_thread(file.take, BATCH)
            if not batch:
                # What was marked as written meanwhile stands in the file by now.
                rows = await self._between(operation, last, None)
                batch = await asyncio.to_thread(file.take, BATCH)
                if not batch:
                    await self._beyond(operation, rows, noted)
                    break
            rows = await self._between(operation, last, batch[-1]["id"])
            last = max(last, batch[-1]["id"])
            known = {line["id"]: line for line in batch}
            for row in rows:
                self._compare(row, known.pop(row.id, None))
            for missing in known:
                self._report.add("database-missing", str(missing), table="journal_entries")
            await self._tell(rows, noted)
        if since is not None and before is not None:
            self._look_for_others(operation, since, noted, before, await self._known(operation, since))

    async def _beyond(self, operation: UUID, rows: Sequence[JournalEntry], noted: _Noted) -> None:
        """Entries behind the file's last one: they wait to be written, which takes seconds."""
        for row in rows:
            self._compare(row, None)
        late = [row for row in rows if row.written_at is None and row.at < self._clock() - YOUNG]
        if late:
            self._report.add("database-waiting", str(operation), lines=len(late))
        await self._tell(rows, noted)

    async def _between(self, operation: UUID, after: int, until: int | None) -> list[JournalEntry]:
        query = select(JournalEntry).where(JournalEntry.operation_id == operation, JournalEntry.id > after)
        if until is not None:
            query = query.where(JournalEntry.id <= until)
        async with self._database.read() as session:
            return list(await session.scalars(query.order_by(JournalEntry.id)))

    def _compare(self, row: JournalEntry, line: Body | None) -> None:
        if line is None:
            if row.written_at is not None:
                self._report.add("database-extra", str(row.id), table="journal_entries")
            return
        differing = [
            name
            for name, is_same in (
                ("at", to_ms(row.at) == line["at"]),
                ("kind", row.kind == line["kind"]),
                ("body", digest_of(row.salt, row.body) == line["digest"]),
            )
            if not is_same
        ]
        if differing:
            self._differs("journal_entries", str(row.id), ", ".join(differing))

    def _differs(self, table: str, where: str, fields: str) -> None:
        self._report.add("database-row", where, table=table, fields=fields)

    # The rows of which entries tell

    async def _tell(self, rows: Sequence[JournalEntry], noted: _Noted) -> None:
        bodies: dict[str, list[Body]] = {}
        for row in rows:
            try:
                body = json.loads(row.body)
            except ValueError:
                continue  # that it isn't what was written has been said
            bodies.setdefault(row.kind, []).append(body)
        try:
            await self._instructions(bodies.get(JournalKind.INSTRUCTION, []), noted)
            await self._receipts(bodies.get(JournalKind.RECEIPT, []), noted)
            noted.escalated |= {UUID(body["delivery"]) for body in bodies.get(JournalKind.ESCALATED, [])}
            await self._positions(bodies.get(JournalKind.POSITIONS, []), noted)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._differs("journal_entries", f"{rows[0].id}–{rows[-1].id}", "body")

    async def _instructions(self, bodies: Sequence[Body], noted: _Noted) -> None:
        expected, deliveries = {}, {}
        for body in bodies:
            instruction = UUID(body["instruction"])
            expected[instruction] = {
                "number": body["number"], "sender_id": UUID(body["sender"]), "scope": body["scope"],
                "site_id": _id(body["site"]), "officer_id": _id(body["officer"]), "priority": body["priority"],
                "text": body["text"], "deadline_at": body["deadline_at"],
            }  # fmt: skip
            for one in body["recipients"]:
                deliveries[UUID(one["delivery"])] = {
                    "instruction_id": instruction, "officer_id": UUID(one["officer"]), "sequence": one["sequence"],
                }  # fmt: skip
        noted.instructions |= expected.keys()
        noted.deliveries |= dict.fromkeys(deliveries, "sent")
        await self._rows(Instruction, expected)
        await self._rows(Delivery, deliveries)

    async def _receipts(self, bodies: Sequence[Body], noted: _Noted) -> None:
        expected = {}
        for body in bodies:
            delivery = UUID(body["delivery"])
            expected[UUID(body["receipt"])] = {
                "delivery_id": delivery, "state": body["state"], "device_at": to_ms(from_ms(body["device_at"])),
                "received_at": from_ms(body["received_at"]),
            }  # fmt: skip
            if body["is_applied"] and delivery in noted.deliveries:
                noted.deliveries[delivery] = body["state"]
        noted.receipts |= expected.keys()
        await self._rows(InstructionReceipt, expected)

    async def _positions(self, bodies: Sequence[Body], noted: _Noted) -> None:
        names = ("latitude", "longitude", "accuracy_m", "heading_deg", "speed_mps", "clock_offset_ms", "road")
        expected = {
            UUID(point["id"]): {
                **{name: point[name] for name in names},
                "taken_at": to_ms(from_ms(point["taken_at"])),
                "received_at": to_ms(from_ms(point["received_at"])),
            }
            for body in bodies
            for point in body["points"]
        }
        noted.positions += len(expected)
        await self._rows(PositionRecord, expected)

    async def _rows(self, table: type[_Row], expected: Mapping[UUID, Body]) -> None:
        ids = sorted(expected)
        for start in range(0, len(ids), BATCH):
            chosen = ids[start : start + BATCH]
            async with self._database.read() as session:
                found = {row.id: row for row in await session.scalars(select(table).where(table.id.in_(chosen)))}
            for identifier in chosen:
                row = found.get(identifier)
                if row is None:
                    self._report.add("database-missing", str(identifier), table=table.__tablename__)
                elif differing := _differing(row, expected[identifier]):
                    self._differs(table.__tablename__, str(identifier), ", ".join(differing))

    # What the database has beside it

    async def _known(self, operation: UUID, since: datetime) -> _Rows:
        """Rows of the time since the journal began."""
        received = select(InstructionReceipt.id).join(Delivery, Delivery.id == InstructionReceipt.delivery_id)
        counting = select(func.count()).select_from(PositionRecord).join(Feed, Feed.id == PositionRecord.feed_id)
        async with self._database.read() as session:
            return _Rows(
                frozenset(
                    await session.scalars(
                        select(Instruction.id).where(
                            Instruction.operation_id == operation, Instruction.issued_at >= since
                        )
                    )
                ),
                frozenset(
                    await session.scalars(
                        received.where(Delivery.operation_id == operation, InstructionReceipt.received_at >= since)
                    )
                ),
                {
                    one.id: (one.sent_at, one.state, one.escalated_at is not None)
                    for one in await session.scalars(select(Delivery).where(Delivery.operation_id == operation))
                },
                await session.scalar(
                    counting.where(Feed.operation_id == operation, PositionRecord.received_at >= since)
                )
                or 0,
            )

    def _look_for_others(self, operation: UUID, since: datetime, noted: _Noted, before: _Rows, after: _Rows) -> None:
        """Rows that no entry tells of, and states to which no receipt has brought them.

        Rows and entries come together, and more of both while they are read: what was there before must be told of, and
        what was told must be so before or after.
        """
        for table, extra in (
            ("instructions", before.instructions - noted.instructions),
            ("instruction_receipts", before.receipts - noted.receipts),
            (
                "deliveries",
                {one for one, (sent_at, *_) in before.deliveries.items() if sent_at >= since} - noted.deliveries.keys(),
            ),
        ):
            for identifier in sorted(extra)[:NAMED]:
                self._report.add("database-extra", str(identifier), table=table)
        if before.positions > noted.positions:
            self._report.add(
                "database-extra", f"{before.positions - noted.positions} of {operation}", table="positions"
            )
        for delivery, state in noted.deliveries.items():
            told = (state, delivery in noted.escalated)
            rows = [one.deliveries[delivery][1:] for one in (before, after) if delivery in one.deliveries]
            if rows and told not in rows:
                self._differs("deliveries", str(delivery), "state, escalated_at")


class _JournalFile:
    """The entries of a journal's file, whose chain has been verified; of one that was broken what can be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def take(self, most: int) -> list[Body]:
        """The next ones; of those that come meanwhile too."""
        found: list[Body] = []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for raw in file:
                if not raw.endswith(b"\n") or len(found) == most:
                    break
                self._offset += len(raw)
                found += _entry_in(raw)
        return found


def _entry_in(raw: bytes) -> list[Body]:
    try:
        line = json.loads(raw)
    except ValueError:
        return []
    is_one = isinstance(line, dict) and line.get("type") == "entry" and isinstance(line.get("id"), int)
    return [line] if is_one and {"at", "kind", "digest"} <= line.keys() else []


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _differing(row: Base, expected: Body) -> list[str]:
    return [name for name, value in expected.items() if not _is_same(getattr(row, name), value)]


def _is_same(found: object, expected: object) -> bool:
    if isinstance(found, datetime) and isinstance(expected, datetime):
        return abs(found - expected) <= CLOCK_SLACK
    if isinstance(found, datetime):
        return to_ms(found) == expected
    if isinstance(found, float) and isinstance(expected, float | int):
        return math.isclose(found, expected, rel_tol=1e-9)
    return found == expected
