"""What the exports' service takes and hands out, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from command_center.evidence.custody import Purpose
from command_center.evidence.exports.tables import ExportState


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a package of; `idempotency_key` is made for one press of the button."""

    operation_id: UUID
    since: datetime
    until: datetime
    feeds: tuple[str, ...]
    purpose: Purpose
    reason: str
    is_masked: bool
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One export, as a list shows it."""

    id: UUID
    operation_id: UUID
    requested_by: UUID
    requester: str
    purpose: str
    reason: str
    since: datetime
    until: datetime
    feeds: tuple[str, ...]
    is_masked: bool
    state: ExportState
    units_done: int
    units: int
    error: str
    bytes: int | None
    sha256: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A finished package, to be sent."""

    export: UUID
    path: str
    """Below the folder of exports."""
    bytes: int
    sha256: str
    name: str
