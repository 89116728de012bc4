"""The index of recordings; what is recorded lies in the store, this says where and whose.

All of it can be made anew from the manifests in the store, so nothing else is kept in these tables.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base


class Recording(Base):
    """One continuous piece of one feed, or one talk of the centre, in one or several files of fragments."""

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
    manifest: Mapped[str] = mapped_column(String(300), unique=True)
    """Relative to the recordings folder."""
    version: Mapped[int]
    """Of the manifest; version 1 can't prove itself."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """Of all its segments."""
    end_reason: Mapped[str | None] = mapped_column(String(16))
    lines: Mapped[int] = mapped_column(default=0)
    """How far the manifest has been taken in: the ordinal of its last line that was."""
    head: Mapped[str] = mapped_column(String(64))
    """The hash of that line."""


class RecordingSegment(Base):
    """One file of a recording, of about a minute."""

    __tablename__ = "recording_segments"
    __table_args__ = (Index("ix_recording_segments_ended", "ended_at"),)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(String(300), unique=True)
    """Relative to the recordings folder."""
    container: Mapped[str] = mapped_column(String(8))
    mime: Mapped[str] = mapped_column(String(100))
    video: Mapped[str | None] = mapped_column(String(16))
    audio: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    started_at: Mapped[datetime]
    start: Mapped[float]
    """Seconds since the recording's beginning."""
    seconds: Mapped[float] = mapped_column(default=0.0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    ended_at: Mapped[datetime | None]
    """When it was sealed; the following are only then there."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    lines: Mapped[int | None]
    head: Mapped[str | None] = mapped_column(String(64))
    """The manifest's head with its seal."""
    is_recovered: Mapped[bool] = mapped_column(default=False)


class RecordingGap(Base):
    """Something that is missing in a recording, and why; `kind` is one of the manifest's."""

    __tablename__ = "recording_gaps"
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Of its line in the manifest."""
    kind: Mapped[str] = mapped_column(String(16))
    track: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime]
    until: Mapped[datetime]
    packets: Mapped[int]
