"""Who did or saw what: an append-only chain of entries, each holding the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, String, Text, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from command_center.clock import Clock, now
from command_center.database import Base

FORMAT = 1
"""The way of hashing, inside every hash, so that a later way can stand beside this one."""
FIRST = bytes(32)
"""What the first entry names as the one before."""
_LOCK = 0x636F6D6D616E64
"""PostgreSQL's advisory lock of this chain and the journals; on SQLite the writer's BEGIN IMMEDIATE does the same."""


class AuditEntry(Base):
    """One thing that was done or seen; references and field names, never personal contents."""

    __tablename__ = "audit"
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    court_id: Mapped[UUID | None] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(128))
    details: Mapped[str] = mapped_column(Text)
    """Canonical JSON."""
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


@dataclass(frozen=True, slots=True)
class Deed:
    """What one entry is to tell; its parts are those of `Audit.record`."""

    actor: UUID | None
    court_id: UUID | None
    action: str
    subject_type: str
    subject_id: str
    details: Mapping[str, str | int]


class Audit:
    """Writes the chain, one writer at a time, in the transaction of what is being recorded."""

    def __init__(self, clock: Clock = now) -> None:
        self._clock = clock

    async def record(
        self,
        session: AsyncSession,
        *,
        actor: UUID | None,
        court_id: UUID | None,
        action: str,
        subject_type: str,
        subject_id: str,
        details: Mapping[str, str | int] | None = None,
    ) -> None:
        """Add one entry; it stands or falls with the caller's transaction.

        Call it last in the transaction: on PostgreSQL it takes a lock that is held until the commit.
        """
        await self.record_all(session, [Deed(actor, court_id, action, subject_type, subject_id, details or {})])

    async def record_all(self, session: AsyncSession, deeds: Sequence[Deed]) -> None:
        """Add one entry for each, in this order; like `record` in everything else."""
        if not deeds:
            return
        await write_in_turn(session)
        last = (
            await session.execute(
                select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)
            )
        ).first()
        sequence, previous = (last.sequence, last.hash) if last else (0, FIRST)
        rows = []
        for deed in deeds:
            sequence += 1
            entry = self._entry(deed, sequence, previous)
            previous = entry["hash"]
            rows.append(entry)
        await session.execute(insert(AuditEntry), rows)

    def _entry(self, deed: Deed, sequence: int, previous: bytes) -> dict[str, Any]:
        row = {
            "sequence": sequence,
            "at": self._clock(),
            "actor_id": deed.actor,
            "court_id": deed.court_id,
            "action": deed.action,
            "subject_type": deed.subject_type,
            "subject_id": deed.subject_id,
            "details": _canonical(dict(deed.details)),
            "previous_hash": previous,
        }
        return {**row, "hash": entry_hash(AuditEntry(**row))}


async def write_in_turn(session: AsyncSession) -> None:
    """Let one transaction at a time write what has an order: nobody else does from here until the commit.

    What the caller has changed is written first, so that nobody who holds this waits for a row.
    """
    await session.flush()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def entry_hash(entry: AuditEntry) -> bytes:
    """SHA-256 over everything of the entry, and so over everything before it."""
    fields = [
        FORMAT,
        entry.sequence,
        entry.at.isoformat(),
        str(entry.actor_id) if entry.actor_id else None,
        str(entry.court_id) if entry.court_id else None,
        entry.action,
        entry.subject_type,
        entry.subject_id,
        entry.details,
        entry.previous_hash.hex(),
    ]
    return hashlib.sha256(_canonical(fields).encode()).digest()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
