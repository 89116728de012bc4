"""What the recordings' service hands out, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal
from uuid import UUID

from streams.recording.manifest import GapLine


class RecordingState(StrEnum):
    """How a recording stands; those with an end name what ended it."""

    RECORDING = "recording"
    """It grows now."""
    CUT_OFF = "cut_off"
    """It has no end and doesn't grow: its node is gone, and closes it when it comes back."""
    MISSING = "missing"
    """It is in the index and not in the store."""
    ENDED = "ended"
    NETWORK = "network"
    CODEC = "codec"
    NODE = "node"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """One recording with its site and officer; the centre's voice has no site, and `officer` is who spoke."""

    id: UUID
    kind: Literal["camera", "voice"]
    feed: str
    operation_id: UUID
    site_id: UUID | None
    site_ordinal: int
    site_zh: str
    site_en: str
    officer_id: UUID | None
    officer: str
    container: str
    video: str | None
    audio: str | None
    started_at: datetime
    ended_at: datetime | None
    seconds: float
    bytes: int
    sha256: str | None
    state: RecordingState


@dataclass(frozen=True, slots=True)
class IndexedFragment:
    """Where one fragment lies in the file, and when it was: seconds of the file, and Unix ms of the node's clock."""

    offset: int
    length: int
    start: float
    seconds: float
    at: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Index:
    """What a player needs to fetch a recording piece by piece; `mime` names the codecs."""

    mime: str
    header_bytes: int
    is_complete: bool
    seconds: float
    fragments: tuple[IndexedFragment, ...]
    gaps: tuple[GapLine, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A file to be sent, of which `bytes` count; `etag` only where it can't change any more."""

    path: Path
    bytes: int
    mime: str
    etag: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """A position by the node's clock, and in seconds from the recording's start."""

    at: datetime
    seconds: float
    latitude: float
    longitude: float
    accuracy_m: float
    heading_deg: float | None


@dataclass(frozen=True, slots=True)
class Track:
    """Where a device was during a recording."""

    started_at: datetime
    points: tuple[TrackPoint, ...]
