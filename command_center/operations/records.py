"""What the services of this folder hand out: operations, feeds and instructions as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from streams.protocol import CameraState

_LAST_MS = 253_402_300_799_000
"""The end of the year 9999, which is as far as a `datetime` goes."""


def to_ms(instant: datetime) -> int:
    """An instant as Unix milliseconds, as messages carry it."""
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Unix milliseconds as an instant; a device's absurd clock is held at the year 9999."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), _LAST_MS) / 1000, UTC)


class Priority(StrEnum):
    """How soon an instruction must be answered."""

    ROUTINE = "routine"
    URGENT = "urgent"
    CRITICAL = "critical"


class Scope(StrEnum):
    """Whom an instruction is for."""

    OFFICER = "officer"
    SITE = "site"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """A place of an operation; WGS-84."""

    id: UUID
    ordinal: int
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class OfficerRecord:
    """An officer with a place in an operation."""

    user_id: UUID
    display_name: str
    site_id: UUID | None


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """An operation with its sites, in their order, and the officers who have a place in it."""

    id: UUID
    court_id: UUID
    name_zh: str
    name_en: str
    case_id: UUID | None
    case_number: str
    commander_id: UUID
    state: str
    is_demonstration: bool
    starts_at: datetime
    ended_at: datetime | None
    sites: tuple[SiteRecord, ...]
    officers: tuple[OfficerRecord, ...]


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """A feed with its site and officer, as tiles and tokens need it."""

    id: UUID
    name: str
    operation_id: UUID
    operation_state: str
    court_id: UUID
    site_id: UUID
    site_ordinal: int
    site_zh: str
    site_en: str
    district_zh: str
    district_en: str
    officer_id: UUID
    officer: str
    device: str
    source: str
    created_at: datetime
    camera_state: CameraState
    camera_changed_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """Where one instruction stands at one officer."""

    id: UUID
    officer_id: UUID
    officer: str
    state: str
    reason: str
    sent_at: datetime
    delivered_at: datetime | None
    seen_at: datetime | None
    answered_at: datetime | None
    done_at: datetime | None
    escalated_at: datetime | None


@dataclass(frozen=True, slots=True)
class InstructionRecord:
    """One instruction with its deliveries; the target's names are empty where it is for all."""

    id: UUID
    operation_id: UUID
    number: int
    priority: Priority
    scope: Scope
    target_zh: str
    target_en: str
    text: str
    sender: str
    issued_at: datetime
    deadline_at: datetime | None
    deliveries: tuple[DeliveryRecord, ...]


@dataclass(frozen=True, slots=True)
class OfficerDelivery:
    """One instruction as its officer gets it."""

    id: UUID
    operation_id: UUID
    sequence: int
    number: int
    priority: Priority
    text: str
    sender: str
    issued_at: datetime
    deadline_at: datetime | None
    state: str
