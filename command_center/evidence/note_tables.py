"""The table of notes that reviewers write."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base


class Note(Base):
    """What somebody who reviews wrote at a moment of an operation; empty where it only marks it."""

    __tablename__ = "review_notes"
    __table_args__ = (Index("ix_review_notes_operation_at", "operation_id", "at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    """Of the wall clock, the moment that it is about."""
    feed: Mapped[str | None] = mapped_column(String(128))
    """Which camera it is about; None where it is about the whole."""
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    """It stays, and is shown as withdrawn."""
