"""Who reviews what for which purpose, how long recordings are kept, what holds them, and their deletion.

A recording's id here is a plain reference: the index of recordings can be dropped and made anew, these can't.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base, new_id

UNDER_WAY = "state IN ('due', 'proposed', 'approved', 'deleting')"
"""Which deletions count as one of their recording that is under way; there is one at a time."""


class Review(Base):
    """A person's review of an operation, for a stated purpose."""

    __tablename__ = "reviews"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    """A value of `Purpose`."""
    note: Mapped[str] = mapped_column(String(200), default="")
    began_at: Mapped[datetime]


class RetentionMark(Base):
    """The retention class of an operation, or of one recording of it, where it isn't the usual one."""

    __tablename__ = "retention_marks"
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The operation, or the recording; a recording's own mark goes before its operation's."""
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    retention_class: Mapped[str] = mapped_column(String(1))
    set_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[datetime]


class LegalHold(Base):
    """Nothing of this operation, or of this one recording, may be deleted until somebody else lifts it."""

    __tablename__ = "legal_holds"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    recording_id: Mapped[UUID | None] = mapped_column(index=True)
    """None where the whole operation is held."""
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str] = mapped_column(String(200), default="")


class Deletion(Base):
    """One recording on its way out, or kept after all; `state` is a value of `DeletionState`."""

    __tablename__ = "deletions"
    __table_args__ = (
        Index("ix_deletions_state_effective", "state", "effective_at"),
        Index(
            "ix_deletions_under_way",
            "recording_id",
            unique=True,
            sqlite_where=text(UNDER_WAY),
            postgresql_where=text(UNDER_WAY),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    recording_id: Mapped[UUID] = mapped_column(index=True)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    retention_class: Mapped[str] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(16))
    listed_at: Mapped[datetime]
    """When the worker found it due, or somebody proposed it."""
    reason: Mapped[str] = mapped_column(String(200), default="")
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]
    """When the approval takes effect; until then either may withdraw."""
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    """Who withdrew or refused it; None where it was stopped by a rule, or done."""
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(String(200), default="")
    """In the person's words, or the code of the rule."""
    tombstone: Mapped[str | None] = mapped_column(String(64))
    """The hash of its line in the tombstones."""
