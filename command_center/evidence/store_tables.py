"""Where each sealed segment and each manifest is: in the folder, in the storage behind it, in both."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base


class StoredState(StrEnum):
    """Where a segment is."""

    LOCAL = "local"
    """In the folder alone."""
    UPLOADING = "uploading"
    """In the folder, and under way to the storage; after a crash it is begun again."""
    BOTH = "both"
    """In the folder, and proven to be in the storage."""
    REMOTE = "remote"
    """Proven to be in the storage; the folder's copy is gone."""
    FAILED = "failed"
    """Something is wrong with its bytes, here or there; `error` says what. It is tried again."""
    REMOVED = "removed"
    """Deleted on purpose, in both."""


class StoredSegment(Base):
    """One sealed segment. It outlives the index, which may be made anew, so it refers to it by number alone."""

    __tablename__ = "stored_segments"
    __table_args__ = (Index("ix_stored_segments_state_sealed", "state", "sealed_at"),)
    recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
    sealed_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    """In vain, since the last good one."""
    next_try_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(32))
    sha256: Mapped[str | None] = mapped_column(String(64))
    """What was read back of the storage, and is the manifest's."""
    etag: Mapped[str | None] = mapped_column(String(200))
    """What the storage called that content; it calls another content otherwise."""
    uploaded_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    freed_at: Mapped[datetime | None]


class StoredManifest(Base):
    """How far a recording's manifest is in the storage."""

    __tablename__ = "stored_manifests"
    recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    lines: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(32))
    uploaded_at: Mapped[datetime | None]
