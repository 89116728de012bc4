"""What the recordings' service hands out, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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
    DELETED = "deleted"
    """Two people had it deleted; a tombstone says who and why."""
    ENDED = "ended"
    NETWORK = "network"
    CAMERA = "camera"
    REVOKED = "revoked"
    CODEC = "codec"
    LENGTH = "length"
    NODE = "node"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Gone:
    """Who had a recording deleted, when it took effect, and why."""

    recording_id: UUID
    at: datetime
    retention_class: str
    reason: str
    proposed_by: UUID
    proposed_by_name: str
    approved_by: UUID
    approved_by_name: str


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """One recording with its site and officer; the centre's voice has no site, and `officer` is who spoke.

    `video` and `audio` are those of its first segment. Version 1 of the manifest wasn't signed. `lines` is how many of
    the manifest's the index has taken in.
    """

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
    video: str | None
    audio: str | None
    started_at: datetime
    ended_at: datetime | None
    seconds: float
    bytes: int
    state: RecordingState
    version: int
    segments: int
    lines: int
    is_signed: bool
    deletion: Gone | None = None


@dataclass(frozen=True, slots=True)
class IndexedSegment:
    """One file of a recording: `start` in seconds of the recording, `at` in Unix ms of the node's clock."""

    number: int
    start: float
    at: int
    container: str
    mime: str
    width: int
    height: int
    has_sound: bool
    header_bytes: int
    bytes: int
    seconds: float
    is_sealed: bool
    is_missing: bool
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class IndexedFragment:
    """Where one fragment lies in its segment's file, and when it was.

    `start` is in seconds of the recording, `at` in Unix ms of the node's clock.
    """

    segment: int
    offset: int
    length: int
    start: float
    seconds: float
    at: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Index:
    """What a player needs to fetch a recording piece by piece."""

    version: int
    is_complete: bool
    started_at: datetime
    seconds: float
    segments: tuple[IndexedSegment, ...]
    fragments: tuple[IndexedFragment, ...]
    gaps: tuple[GapLine, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """A segment's file in the store, of which `bytes` count; `etag` only where it can't change any more."""

    path: str
    bytes: int
    mime: str
    etag: str | None
