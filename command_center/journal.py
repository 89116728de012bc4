"""What happened in an operation, for its journal: noted in the transaction of the deed, chained into a file later."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from command_center.audit import write_in_turn
from command_center.clock import Clock, now
from command_center.database import Base

SALT_BYTES = 16


class JournalKind(StrEnum):
    """What an entry tells of."""

    POSITIONS = "positions"
    INSTRUCTION = "instruction"
    RECEIPT = "receipt"
    ESCALATED = "escalated"
    TALK = "talk"
    CAMERA = "camera"
    """A feed was registered, moved or shut, or its device told its camera's state."""
    ALARM = "alarm"
    ASSET = "asset"
    SEGMENT = "segment"
    """A segment of a recording was sealed; the entry holds its manifest's head."""
    RECORDING = "recording"
    """A recording was closed."""
    OPERATION = "operation"
    DELETED = "deleted"


class JournalEntry(Base):
    """One thing that happened; unlike the audit's, its body holds contents."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("ix_journal_entries_operation_id", "operation_id", "id"),
        Index("ix_journal_entries_kind", "operation_id", "kind", "id"),
        Index(
            "ix_journal_entries_unwritten",
            "id",
            sqlite_where=text("written_at IS NULL"),
            postgresql_where=text("written_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    """Rises in the order of the transactions' commits."""
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    salt: Mapped[bytes] = mapped_column(LargeBinary(SALT_BYTES))
    body: Mapped[str] = mapped_column(Text)
    """JSON; with the salt, the very bytes of which the file holds the hash."""
    once: Mapped[str | None] = mapped_column(String(64), unique=True)
    """What may be told again, and is noted once."""
    written_at: Mapped[datetime | None]
    """When it stood, synced, in the operation's file."""


class JournalSeal(Base):
    """Up to which entry an operation's file is signed."""

    __tablename__ = "journal_seals"
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger)
    sealed_at: Mapped[datetime]


class Journal:
    """Notes entries, one writer at a time, in the transaction of what is being noted."""

    def __init__(self, clock: Clock = now) -> None:
        self._clock = clock

    async def note(
        self,
        session: AsyncSession,
        operation_id: UUID,
        kind: JournalKind,
        body: Mapping[str, Any],
        *,
        once: str | None = None,
    ) -> None:
        """Add one entry; it stands or falls with the caller's transaction. What is known under `once` isn't added.

        Call it at the transaction's end, beside the audit: on PostgreSQL it takes the same lock, held until the commit,
        so that an entry never comes before one with a lower number.
        """
        await write_in_turn(session)
        insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
        await session.execute(
            insert(JournalEntry)
            .values(
                operation_id=operation_id,
                at=self._clock(),
                kind=kind.value,
                salt=secrets.token_bytes(SALT_BYTES),
                body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
                once=once,
            )
            .on_conflict_do_nothing(index_elements=[JournalEntry.once])
        )


def digest_of(salt: bytes, body: str) -> str:
    """What the file holds of an entry's body."""
    return hashlib.sha256(salt + body.encode()).hexdigest()
