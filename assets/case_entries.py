"""What was entered in a case's file: by whom, when, and under which press of a button."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from assets.errors import Conflict
from assets.identifiers import new_id
from assets.tables import Base


class CaseEntry(Base):
    """One thing that was entered: its time line holds what a role or a claim was before."""

    __tablename__ = "case_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    subject_id: Mapped[UUID]
    """The case, the person or the claim."""
    what: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    actor_id: Mapped[UUID]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it was and what it is now, without names and numbers of persons."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was given, to tell a repetition from another use of the key."""
    idempotency_key: Mapped[UUID] = mapped_column(unique=True)


def digest_of(given: Mapping[str, Any]) -> str:
    """The digest of what was given."""
    text = json.dumps(given, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


async def entered_before(session: AsyncSession, key: UUID, what: str, digest: str) -> CaseEntry | None:
    """What was entered under this key before.

    Raises:
        Conflict: something else was.
    """
    found = await session.scalars(select(CaseEntry).where(CaseEntry.idempotency_key == key))
    entry = found.one_or_none()
    if entry is not None and (entry.what, entry.digest) != (what, digest):
        raise Conflict("idempotency-key-used")
    return entry
