"""Sanctions, the steps that were taken with each, and what the public could read when."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from assets.errors import IllegalTransition
from assets.identifiers import new_id
from assets.sanctions import states
from assets.sanctions.grounds import SanctionKind
from assets.sanctions.states import SanctionState
from assets.tables import Base

logger = logging.getLogger(__name__)

_LIVE = text("state IN ({})".format(", ".join(f"'{state}'" for state in sorted(states.LIVE))))


class Sanction(Base):
    """One sanction on one person of one case."""

    __tablename__ = "sanctions"
    __table_args__ = (
        Index(
            "ix_sanctions_live",
            "case_id",
            "person_id",
            "kind",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_sanctions_state_ends", "state", "ends_on"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `SanctionKind`."""
    state: Mapped[str] = mapped_column(String(16), default=SanctionState.PROPOSED.value)
    """A value of `SanctionState`; changed by `move_to` only."""
    ground: Mapped[str] = mapped_column(String(24), default="")
    """A value of `Ground`; empty for a limit."""
    facts: Mapped[str] = mapped_column(String(1000))
    """What the person did, in the judge's words."""
    basis_document: Mapped[str] = mapped_column(String(100))
    """The number of the judgment or other document that is enforced (执行依据文号)."""
    duty: Mapped[str] = mapped_column(String(1000))
    performance: Mapped[str] = mapped_column(String(16))
    """A value of `Performance`."""
    security: Mapped[str] = mapped_column(String(16), default="")
    """A value of `Security`, as the judge stated it."""
    security_note: Mapped[str] = mapped_column(String(500), default="")
    extra_years: Mapped[int] = mapped_column(default=0)
    extra_reason: Mapped[str] = mapped_column(String(500), default="")
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decision_number: Mapped[str] = mapped_column(String(64), default="")
    decided_on: Mapped[date | None]
    served_on: Mapped[date | None]
    service_manner: Mapped[str] = mapped_column(String(16), default="")
    """A value of `ServiceManner`."""
    starts_on: Mapped[date | None]
    """The day of its first publication."""
    ends_on: Mapped[date | None]
    """The last day of its term; empty where it has none."""
    deletion_ground: Mapped[str] = mapped_column(String(24), default="")
    """A value of `DeletionGround`, once there is one."""
    deletion_ground_on: Mapped[date | None]
    deletion_due_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    checks: Mapped[list[Any]] = mapped_column(default=list)
    """What the checks found when it was decided."""

    def move_to(self, new: SanctionState) -> None:
        """The only place that changes `state`."""
        old = SanctionState(self.state)
        if new not in states.NEXT[old]:
            raise IllegalTransition(self.id, old, new)
        logger.info("sanction %s: %s -> %s", self.id, old.value, new.value)
        self.state = new.value

    @property
    def is_listing(self) -> bool:
        """Whether it is an entry in the list of defaulters."""
        return self.kind == SanctionKind.LISTING


class SanctionStep(Base):
    """One step that was taken with a sanction: what was given for it, and what came of it."""

    __tablename__ = "sanction_steps"
    __table_args__ = (UniqueConstraint("idempotency_key", "sanction_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sanction_id: Mapped[UUID] = mapped_column(ForeignKey("sanctions.id"), index=True)
    deed: Mapped[str] = mapped_column(String(24))
    """A value of `Deed`, or `proposed` or `expired`."""
    old: Mapped[str] = mapped_column(String(16), default="")
    new: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]
    """Empty where a rule did it."""
    given: Mapped[dict[str, Any]] = mapped_column(default=dict)
    idempotency_key: Mapped[UUID | None]
    """Made by the page for one press of the button."""


class SanctionPublication(Base):
    """What the public could read of a sanction from `at` until `ended_at`."""

    __tablename__ = "sanction_publications"
    __table_args__ = (UniqueConstraint("sanction_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    sanction_id: Mapped[UUID] = mapped_column(ForeignKey("sanctions.id"), index=True)
    number: Mapped[int]
    """Counted from 1 for each sanction."""
    fields: Mapped[dict[str, Any]]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    by: Mapped[UUID]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(24), default="")
    """The step that ended it."""
