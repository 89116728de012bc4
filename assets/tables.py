"""Cases, persons, assets, requests and control measures."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    String,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assets import measures, requests
from assets.documents import Action
from assets.errors import IllegalTransition
from assets.identifiers import new_id
from assets.measures import MeasureState
from assets.requests import RequestState

logger = logging.getLogger(__name__)


class Moment(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must be aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base of the asset domain; courts and users are plain references to the command center's."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it so
        datetime: Moment,
        uuid.UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class Case(Base):
    """An enforcement case, with what the head of every request needs of it."""

    __tablename__ = "cases"
    __table_args__ = (UniqueConstraint("court_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    court_id: Mapped[UUID] = mapped_column(index=True)
    court_code: Mapped[str] = mapped_column(String(16))
    court_name: Mapped[str] = mapped_column(String(100))
    number: Mapped[str] = mapped_column(String(64))
    claim_cents: Mapped[int] = mapped_column(BigInteger)
    judge_name: Mapped[str] = mapped_column(String(100))
    work_card: Mapped[str] = mapped_column(String(64))
    duty_card: Mapped[str] = mapped_column(String(64))
    filed_on: Mapped[date]
    is_demonstration: Mapped[bool] = mapped_column(default=False)


class Person(Base):
    """A person or firm of a case; `role` says whether it is the one under enforcement."""

    __tablename__ = "case_persons"
    __table_args__ = (UniqueConstraint("case_id", "id_number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    is_firm: Mapped[bool] = mapped_column(default=False)
    id_number: Mapped[str] = mapped_column(String(18))
    """GB 11643 for a person, GB 32100 for a firm."""
    role: Mapped[str] = mapped_column(String(24), default="under_enforcement")
    """under_enforcement, applicant, outsider"""
    ordinal: Mapped[int] = mapped_column(default=0)
    """The order in which the case names its persons."""


class Asset(Base):
    """One thing of a person that could satisfy the claim: an account, a flat …"""

    __tablename__ = "assets"
    __table_args__ = (UniqueConstraint("case_id", "kind", "reference"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """A value of `AssetKind`."""
    gateway: Mapped[str] = mapped_column(String(32))
    """Which gateway can be asked to control it; empty where none can yet."""
    reference: Mapped[str] = mapped_column(String(64))
    """The account's, unit's or plate's own number."""
    description: Mapped[str] = mapped_column(String(300))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    value_cents: Mapped[int | None] = mapped_column(BigInteger)
    available_cents: Mapped[int | None] = mapped_column(BigInteger)
    encumbrances: Mapped[list[Any]] = mapped_column(default=list)
    origin: Mapped[str] = mapped_column(String(8), default="answer")
    """answer: a gateway named it; clue (线索): the application did, and nobody has confirmed it."""
    answered_at: Mapped[datetime | None]
    """When a gateway last described it."""


class AssetRequest(Base):
    """One request to one gateway; asked again, it keeps its number."""

    __tablename__ = "asset_requests"
    __table_args__ = (
        UniqueConstraint("idempotency_key", "gateway"),
        Index("ix_asset_requests_state_due", "state", "next_ask_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("case_persons.id"), index=True)
    asset_id: Mapped[UUID | None] = mapped_column(ForeignKey("assets.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    """A value of `Action`."""
    gateway: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default=RequestState.DRAFT.value)
    """A value of `RequestState`; changed by `move_to` only."""
    documents: Mapped[list[Any]] = mapped_column(default=list)
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The asset as it was described when a control of it was ordered: asked again, the words are the same."""
    ruling_number: Mapped[str] = mapped_column(String(64), default="")
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    idempotency_key: Mapped[UUID]
    """Made by the page for one press of the button."""
    actor_id: Mapped[UUID]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was asked without a usable answer."""
    next_ask_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(String(32), default="")
    """The code of the last trouble."""
    reason: Mapped[str] = mapped_column(String(500), default="")
    """The other side's own words."""
    found: Mapped[int] = mapped_column(default=0)

    def move_to(self, new: RequestState) -> None:
        """The only place that changes `state`."""
        old = RequestState(self.state)
        if new not in requests.NEXT[old]:
            raise IllegalTransition(self.number, old, new)
        logger.info("request %s: %s -> %s", self.number, old.value, new.value)
        self.state = new.value

    @property
    def is_control(self) -> bool:
        """Whether it asks to control an asset."""
        return Action(self.action).is_control


class ControlMeasure(Base):
    """A freeze or seizure of one asset for one case."""

    __tablename__ = "control_measures"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    asset_id: Mapped[UUID] = mapped_column(ForeignKey("assets.id"), index=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("asset_requests.id"), unique=True)
    action: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=MeasureState.INTENDED.value)
    """A value of `MeasureState`; changed by `move_to` only."""
    rank: Mapped[int] = mapped_column(default=0)
    """While waiting: how many stand before it."""
    asked_cents: Mapped[int | None] = mapped_column(BigInteger)
    controlled_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    over_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    """How much of what was asked isn't there to be controlled."""
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    """Both empty while it waits: the term starts when it takes effect."""
    reason: Mapped[str] = mapped_column(String(500), default="")
    receipt_number: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]

    def move_to(self, new: MeasureState) -> None:
        """The only place that changes `state`."""
        old = MeasureState(self.state)
        if new not in measures.NEXT[old]:
            raise IllegalTransition(self.id, old, new)
        logger.info("measure %s: %s -> %s", self.id, old.value, new.value)
        self.state = new.value
