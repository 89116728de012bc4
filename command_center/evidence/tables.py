"""The index of recordings; what is recorded lies in the store, this says where and whose."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base


class Recording(Base):
    """One continuous piece of one feed, or one talk of the centre, in one file of fragments."""

    __tablename__ = "recordings"
    __table_args__ = (Index("ix_recordings_operation_started", "operation_id", "started_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID | None] = mapped_column(ForeignKey("feeds.id"), index=True)
    """None where it is the centre's voice."""
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    """Where the device was when it began; a later move of the device changes nothing here."""
    speaker_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    """Who spoke, where it is the centre's voice."""
    talk_id: Mapped[UUID | None] = mapped_column(index=True)
    """Which talk it holds, where it is the centre's voice: each node that carried the talk recorded it."""
    covered_by: Mapped[UUID | None]
    """Another node's recording of the same talk that holds all that this one does, and is listed in its place."""
    node: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(300), unique=True)
    """Relative to the recordings folder."""
    container: Mapped[str] = mapped_column(String(8))
    video: Mapped[str | None] = mapped_column(String(16))
    audio: Mapped[str | None] = mapped_column(String(16))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    bytes: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str | None] = mapped_column(String(64))
    end_reason: Mapped[str | None] = mapped_column(String(16))
