"""Reading the audit, checking its chain, and anchoring its head outside the database."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from command_center.audit import FIRST, Audit, AuditEntry, entry_hash
from command_center.clock import Clock, now
from command_center.database import Database

logger = logging.getLogger(__name__)

ANCHOR_FILE = "audit-anchors.jsonl"
ANCHOR_SECONDS = 60.0
PAGE = 100
LARGEST_PAGE = 500
_STEP = 1000
OF_OPERATIONS = (
    "asset",
    "deletion",
    "evidence",
    "export",
    "feed",
    "hold",
    "instruction",
    "note",
    "operation",
    "recording",
    "retention",
    "review",
    "talk",
)
"""What the actions begin with that are about operations, and not about accounts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chain found: `broken_at` is the first entry that isn't as it was written."""

    entries: int
    anchors: int
    broken_at: int | None
    reason: str = ""
    unreadable_anchors: int = 0
    """Lines of the anchor file that were passed over: a power cut tears one, and so might somebody."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries: of these courts, older than `before`, and of one action, these actors or subjects where given."""

    court_ids: frozenset[UUID]
    before: int | None = None
    limit: int = PAGE
    action: str | None = None
    actor_ids: frozenset[UUID] | None = None
    subject_ids: frozenset[str] | None = None
    is_of_operations: bool = False
    """Nothing but what was done and seen in the operations of these courts."""


class AuditReader:
    """The audit's readers' side."""

    def __init__(self, database: Database, audit: Audit, anchors: Path, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._anchors = anchors
        self._clock = clock

    async def page(self, reader: UUID, court_id: UUID, query: Query) -> Sequence[AuditEntry]:
        """One page, newest first; that it was read is itself recorded.

        Entries of no court (the installation's own) are shown to every reader.
        """
        limit = max(1, min(query.limit, LARGEST_PAGE))
        conditions: list[ColumnElement[bool]] = [_in_scope(query)]
        if query.before is not None:
            conditions.append(AuditEntry.sequence < query.before)
        if query.action is not None:
            conditions.append(AuditEntry.action == query.action)
        if query.actor_ids is not None:
            conditions.append(AuditEntry.actor_id.in_(query.actor_ids))
        if query.subject_ids is not None:
            conditions.append(AuditEntry.subject_id.in_(query.subject_ids))
        async with self._database.write() as session:
            rows = await session.scalars(
                select(AuditEntry).where(*conditions).order_by(AuditEntry.sequence.desc()).limit(limit)
            )
            entries = rows.all()
            await self._audit.record(
                session,
                actor=reader,
                court_id=court_id,
                action="audit.read",
                subject_type="audit",
                subject_id=str(entries[0].sequence) if entries else "0",
                details={"entries": len(entries)},
            )
        return entries

    async def verify(self) -> Verdict:
        """Go through the whole chain, and hold it against every anchor."""
        anchors, torn = await asyncio.to_thread(_read_anchors, self._anchors)
        expected = dict(anchors)
        previous, count = FIRST, 0
        async with self._database.read() as session:
            while True:
                rows = (
                    await session.scalars(
                        select(AuditEntry)
                        .where(AuditEntry.sequence > count)
                        .order_by(AuditEntry.sequence)
                        .limit(_STEP)
                        .execution_options(populate_existing=True)
                    )
                ).all()
                if not rows:
                    break
                for entry in rows:
                    count += 1
                    if entry.sequence != count:
                        return Verdict(count, len(anchors), count, "missing", torn)
                    if entry.previous_hash != previous or entry.hash != entry_hash(entry):
                        return Verdict(count, len(anchors), count, "changed", torn)
                    if expected.get(count, entry.hash.hex()) != entry.hash.hex():
                        return Verdict(count, len(anchors), count, "not-as-anchored", torn)
                    previous = entry.hash
                session.expunge_all()
        beyond = [sequence for sequence in expected if sequence > count]
        if beyond:
            return Verdict(count, len(anchors), count + 1, "cut-off", torn)
        return Verdict(count, len(anchors), None, unreadable_anchors=torn)

    async def anchor(self) -> None:
        """Write the chain's head down outside the database, where it moved since the last time."""
        async with self._database.read() as session:
            head = (
                await session.execute(
                    select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
                )
            ).first()
        if head is not None:
            await asyncio.to_thread(_append_anchor, self._anchors, self._clock(), head.sequence, head.hash.hex())

    async def keep_anchoring(self) -> None:
        """Anchor again and again, as long as the process runs, and once at its end."""
        try:
            while True:
                await self._anchor_if_possible()
                await asyncio.sleep(ANCHOR_SECONDS)
        finally:
            await self._anchor_if_possible()

    async def _anchor_if_possible(self) -> None:
        try:
            await self.anchor()
        except (SQLAlchemyError, OSError):
            logger.exception("the audit's head could not be anchored")


def _in_scope(query: Query) -> ColumnElement[bool]:
    of_courts = AuditEntry.court_id.in_(query.court_ids)
    if query.is_of_operations:
        return and_(of_courts, or_(*(AuditEntry.action.startswith(f"{family}.") for family in OF_OPERATIONS)))
    return or_(of_courts, AuditEntry.court_id.is_(None))


def _read_anchors(path: Path) -> tuple[list[tuple[int, str]], int]:
    """Each anchored sequence with its hash, and how many lines can't be read."""
    anchors: list[tuple[int, str]] = []
    torn = 0
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        try:
            anchor = json.loads(line)
            anchors.append((int(anchor["sequence"]), str(anchor["hash"])))
        except (ValueError, KeyError, TypeError):
            torn += bool(line.strip())
    if torn:
        logger.warning("%d lines of the audit's anchors can't be read", torn)
    return anchors, torn


def _append_anchor(path: Path, at: datetime, sequence: int, digest: str) -> None:
    anchors, _ = _read_anchors(path)
    if anchors and anchors[-1][0] == sequence:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": at.isoformat(), "sequence": sequence, "hash": digest})
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        # A torn line before it must not take this one with it.
        file.write(("" if _ends_whole(path) else "\n") + line + "\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
