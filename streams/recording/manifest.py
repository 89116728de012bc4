"""The manifest beside each recording: a ledger of one JSON object a line, appended as the recording grows.

First an `Opened`; then, for each segment, a `SegmentLine`, `FragmentLine`s and a signed `Sealed`, with `GapLine`s
between them; at the end a signed `Closed`. A manifest without one belongs to a recording that is under way, or that a
crash cut off. Readers pass over what they don't know. The format is in `command_center/evidence/FORMATS.md`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streams.recording.version_1 import Version1, is_of_version_1

logger = logging.getLogger(__name__)

VERSION = 2
SUFFIX = ".jsonl"
LEDGER = "manifest/2"

Container = Literal["mp4", "webm"]
CloseReason = Literal["ended", "network", "camera", "revoked", "codec", "length", "node", "disk"]
SegmentReason = Literal["start", "length", "codec", "size", "audio"]
GapKind = Literal["network", "camera", "officer", "node", "disk_slow", "disk_full", "disk_failed"]
TrackName = Literal["video", "audio", "both"]


class Line(BaseModel):
    """What every line has in common. Instants are Unix milliseconds of the node's clock, times seconds of the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Opened(Line):
    """Whose recording this is."""

    type: Literal["opened"] = "opened"
    version: int = VERSION
    recording: UUID
    feed: str
    node: str
    started_at: int
    talk: UUID | None = None
    """Which talk of the centre it holds: each node that carries a talk records it."""


class SegmentLine(Line):
    """A file begins: where it lies, and what its pictures and sound are."""

    type: Literal["segment"] = "segment"
    number: int
    """From 1."""
    path: str
    """Of the file, relative to the recordings folder."""
    container: Container
    video: str | None
    audio: str | None
    mime: str
    """With the codecs, as a browser's MediaSource wants it."""
    width: int = 0
    height: int = 0
    started_at: int
    start: float
    """Seconds since the recording's beginning."""
    header_bytes: int
    header_sha256: str
    header_sm3: str | None = None
    reason: SegmentReason = "start"
    """Why it was begun."""


class FragmentLine(Line):
    """One fragment: where its bytes lie, and when it was. `is_key`: a player can start here."""

    type: Literal["fragment"] = "fragment"
    segment: int = 1
    number: int
    """From 0 in its segment."""
    offset: int
    length: int
    sha256: str
    sm3: str | None = None
    start: float
    seconds: float
    at: int
    is_key: bool


class GapLine(Line):
    """Something is missing, and why.

    `network`: packets that never came, or nothing came. `camera`, `officer`: the device told that its camera or its
    officer had stopped. `node`: this node was away. `disk_slow`: the recorder couldn't keep up. `disk_full`,
    `disk_failed`: writing was refused, and nothing was kept until a new file could be begun.
    """

    type: Literal["gap"] = "gap"
    kind: GapKind
    track: TrackName
    since: int
    until: int
    packets: int = 0


class Sealed(Line):
    """A segment is complete, and signed: `bytes` of its file count, whose SHA-256 stands here."""

    type: Literal["sealed"] = "sealed"
    segment: int
    ended_at: int
    seconds: float
    bytes: int
    sha256: str
    sm3: str | None = None
    fragments: int
    """How many of those that the lines before tell of are in the file: a power cut may lose the last ones."""
    device_offset_ms: int | None = None
    """The device's clock, by its sender reports, minus the node's."""
    anchor: tuple[int, str] | None = None
    """The newest anchor that the node knew."""
    is_recovered: bool = False
    """It was completed after a crash."""


class Closed(Line):
    """The recording is complete, and signed."""

    type: Literal["closed"] = "closed"
    reason: CloseReason
    ended_at: int
    seconds: float
    segments: int
    is_recovered: bool = False


ManifestLine = Opened | SegmentLine | FragmentLine | GapLine | Sealed | Closed
MANIFEST_LINE: TypeAdapter[ManifestLine] = TypeAdapter(Annotated[ManifestLine, Field(discriminator="type")])


@dataclass(slots=True)
class Segment:
    """One file of a recording, with what the manifest tells of it."""

    line: SegmentLine
    fragments: list[FragmentLine] = field(default_factory=list)
    sealed: Sealed | None = None

    @property
    def bytes(self) -> int:
        """How many bytes of the file the manifest tells of."""
        last = self.fragments[-1] if self.fragments else None
        return self.line.header_bytes if last is None else last.offset + last.length

    @property
    def seconds(self) -> float:
        """How long it is, as far as the manifest tells."""
        return max((line.start + line.seconds for line in self.fragments[-2:]), default=0.0)


@dataclass(slots=True)
class Manifest:
    """A manifest, read."""

    opened: Opened
    segments: list[Segment] = field(default_factory=list)
    gaps: list[GapLine] = field(default_factory=list)
    closed: Closed | None = None

    def take(self, line: ManifestLine) -> None:
        """Put the next line in its place."""
        if isinstance(line, SegmentLine):
            self.segments.append(Segment(line))
        elif isinstance(line, GapLine):
            self.gaps.append(line)
        elif isinstance(line, Closed):
            self.closed = line
        elif isinstance(line, FragmentLine | Sealed):
            segment = next((one for one in reversed(self.segments) if one.line.number == line.segment), None)
            if segment is None:
                return
            if isinstance(line, FragmentLine):
                segment.fragments.append(line)
            else:
                segment.sealed = line
                # Where a power cut kept a fragment's line and lost its bytes, that fragment isn't given.
                del segment.fragments[line.fragments :]

    @property
    def seconds(self) -> float:
        """How long the recording is, as far as the manifest tells."""
        return max((one.line.start + one.seconds for one in self.segments[-2:]), default=0.0)


def reading_of(first: bytes) -> Callable[[bytes], Iterable[ManifestLine]]:
    """What reads the raw lines of a manifest that begins with this one, in their order.

    It raises ValueError, KeyError or TypeError where one can't be read.
    """
    return Version1(MANIFEST_LINE.validate_python) if is_of_version_1(first) else _lines_in


def read_lines(path: Path) -> Iterator[ManifestLine]:
    """Every whole line of a manifest; one that a crash tore is passed over. Those of version 1 come as today's."""
    with path.open("rb") as file:
        translate: Callable[[bytes], Iterable[ManifestLine]] = _lines_in
        for number, raw in enumerate(file):
            if raw.isspace():
                continue
            if number == 0:
                translate = reading_of(raw)
            try:
                yield from translate(raw)
            except (ValidationError, ValueError, KeyError, TypeError):
                logger.warning("manifest %s: a line can't be read", path.name)


def _lines_in(raw: bytes) -> tuple[ManifestLine]:
    return (MANIFEST_LINE.validate_json(raw),)


def read_manifest(path: Path) -> Manifest | None:
    """Read a manifest; None where it hasn't even its first line. One of version 1 is given as if it were of this one.

    Raises:
        OSError: it can't be read.
    """
    manifest: Manifest | None = None
    for line in read_lines(path):
        if isinstance(line, Opened):
            manifest = manifest or Manifest(line)
        elif manifest is None:
            return None
        else:
            manifest.take(line)
    return manifest
