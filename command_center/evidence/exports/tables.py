"""The exports that were asked for, and how far each is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base, new_id


class ExportState(StrEnum):
    """Where an export is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It was done, and its package has been removed after its time."""
    WITHDRAWN = "withdrawn"
    """Something of it was deleted by two people: its package is removed, or isn't made any more."""


OPEN_STATES = (ExportState.QUEUED.value, ExportState.RUNNING.value)
KEPT_STATES = (*OPEN_STATES, ExportState.DONE.value)
_NEXT = {
    ExportState.QUEUED: {ExportState.RUNNING, ExportState.CANCELLED},
    ExportState.RUNNING: {ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED, ExportState.WITHDRAWN},
    ExportState.DONE: {ExportState.EXPIRED, ExportState.CANCELLED, ExportState.WITHDRAWN},
    ExportState.FAILED: set(),
    ExportState.CANCELLED: set(),
    ExportState.EXPIRED: set(),
    ExportState.WITHDRAWN: set(),
}


class ExportJob(Base):
    """One package that somebody asked for."""

    __tablename__ = "export_jobs"
    __table_args__ = (
        Index("ix_export_jobs_operation_requested", "operation_id", "requested_at"),
        Index("ix_export_jobs_state_requested", "state", "requested_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    """A value of `Purpose`."""
    reason: Mapped[str] = mapped_column(String(200), default="")
    """In the requester's words; needed where nothing is masked."""
    since: Mapped[datetime]
    until: Mapped[datetime]
    feeds: Mapped[list[Any]] = mapped_column(JSON)
    """Names of feeds, and `voice` for the centre's."""
    is_masked: Mapped[bool] = mapped_column(default=True)
    idempotency_key: Mapped[UUID] = mapped_column(unique=True)
    """Made by the page for one press of the button."""
    state: Mapped[str] = mapped_column(String(16), default=ExportState.QUEUED.value)
    """A value of `ExportState`; changed by `move_to` only."""
    units_done: Mapped[int] = mapped_column(default=0)
    units: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(32), default="")
    """The code of what ended it, or had it withdrawn."""
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    def move_to(self, new: ExportState) -> None:
        """The only place that changes `state`.

        Raises:
            ValueError: it can't become that from what it is.
        """
        if new not in _NEXT[ExportState(self.state)]:
            raise ValueError(f"export {self.id} can't become {new.value} from {self.state}")
        self.state = new.value
