"""Operations, their sites and teams, feeds, instructions with their deliveries, positions, and talks under way."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from command_center.database import Base, new_id


class Operation(Base):
    """One enforcement operation, at one or several sites."""

    __tablename__ = "operations"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    court_id: Mapped[UUID] = mapped_column(ForeignKey("courts.id"), index=True)
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(200))
    case_id: Mapped[UUID | None]
    """The `assets` case that is enforced; a plain reference, the domains share no keys."""
    case_number: Mapped[str] = mapped_column(String(64))
    commander_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(String(16), default="live")
    """planned, live, ended"""
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    next_instruction_number: Mapped[int] = mapped_column(default=1)
    starts_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Site(Base):
    """A place of an operation."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("operation_id", "ordinal"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    ordinal: Mapped[int]
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(200))
    district_zh: Mapped[str] = mapped_column(String(50))
    district_en: Mapped[str] = mapped_column(String(50))
    latitude: Mapped[float]
    longitude: Mapped[float]
    """WGS-84."""


class Assignment(Base):
    """An officer's place in an operation; `site_id` may be chosen later, on the phone."""

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("operation_id", "user_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    next_sequence: Mapped[int] = mapped_column(default=1)
    removed_at: Mapped[datetime | None]


class Feed(Base):
    """One camera of one officer's device in one operation; `name` is what the media node calls it."""

    __tablename__ = "feeds"
    __table_args__ = (UniqueConstraint("operation_id", "officer_id", "device", "source"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    """Where its device is now; `FeedSite` says where it was before."""
    officer_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    device: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(32), default="camera")
    created_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]
    """When its device last asked for it: the newest is where the device works now."""
    camera_state: Mapped[str] = mapped_column(String(32), default="live")
    """The device's last own word, a value of `CameraState`."""
    camera_changed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class FeedSite(Base):
    """From when on a feed's device was at a site; what it recorded there stays that site's."""

    __tablename__ = "feed_sites"
    __table_args__ = (Index("ix_feed_sites_feed_since", "feed_id", "since"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feeds.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    since: Mapped[datetime]


class Instruction(Base):
    """What the commanding judge ordered."""

    __tablename__ = "instructions"
    __table_args__ = (UniqueConstraint("operation_id", "number"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"), index=True)
    number: Mapped[int]
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    scope: Mapped[str] = mapped_column(String(8))
    """officer, site, all"""
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"))
    officer_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    priority: Mapped[str] = mapped_column(String(8))
    """routine, urgent, critical"""
    text: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[UUID] = mapped_column(unique=True)
    """Made by the page for one press of the button, so that a repeated request sends nothing twice."""
    issued_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]


class Delivery(Base):
    """One instruction on its way to one officer; `state` is a value of `DeliveryState`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("instruction_id", "officer_id"),
        UniqueConstraint("operation_id", "officer_id", "sequence"),
        Index("ix_deliveries_officer_state", "officer_id", "state"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    instruction_id: Mapped[UUID] = mapped_column(ForeignKey("instructions.id"), index=True)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    officer_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    sequence: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="sent")
    sent_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(500), default="")
    escalated_at: Mapped[datetime | None]
    """When the deadline had passed without an answer; the mark stays."""


class InstructionReceipt(Base):
    """A step that a device told, by the id that the device made: told again, it changes nothing."""

    __tablename__ = "instruction_receipts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("deliveries.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    device_at: Mapped[datetime]
    received_at: Mapped[datetime]


class PositionRecord(Base):
    """Where an officer's device was; `id` is the device's own."""

    __tablename__ = "positions"
    __table_args__ = (Index("ix_positions_feed_taken", "feed_id", "taken_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feeds.id"))
    latitude: Mapped[float]
    longitude: Mapped[float]
    accuracy_m: Mapped[float]
    heading_deg: Mapped[float | None]
    speed_mps: Mapped[float | None]
    taken_at: Mapped[datetime]
    """By the device's clock."""
    received_at: Mapped[datetime]
    clock_offset_ms: Mapped[int] = mapped_column(BigInteger)
    """A phone whose date is wrong by years is kept as it is."""
    road: Mapped[str] = mapped_column(String(8))


class TalkWord(Base):
    """What one node told of one talk, until the talk's end is in the audit: who heard it at all nodes is put together.

    Names of feeds stand with spaces between. `began_at` and `ended_at` are Unix milliseconds by the node's clock.
    """

    __tablename__ = "talk_words"
    talk_id: Mapped[UUID] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(String(64), primary_key=True)
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    user_id: Mapped[UUID | None]
    to: Mapped[str] = mapped_column(Text)
    heard: Mapped[str] = mapped_column(Text)
    began_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(16))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    """When its first word came, and the last that changed how it stands, by our clock."""
