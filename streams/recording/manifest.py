"""The manifest beside each recording: one JSON object a line, appended as the recording grows.

First an `Opened`, then `FragmentLine`s and `GapLine`s, at the end a `Closed`; a manifest without one belongs to a
recording that is under way, or that a crash cut off. Lines carry a version and room for more fields (a chain,
signatures), so readers pass over what they don't know.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

logger = logging.getLogger(__name__)

VERSION = 1
SUFFIX = ".jsonl"

Container = Literal["mp4", "webm"]
CloseReason = Literal["ended", "network", "codec", "node", "disk"]
GapKind = Literal["loss", "silence", "queue", "disk"]


class Line(BaseModel):
    """What every line has in common. Instants are Unix milliseconds of the node's clock, times seconds of the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Opened(Line):
    """Whose recording this is and how its file begins."""

    type: Literal["opened"] = "opened"
    version: int = VERSION
    recording: UUID
    feed: str
    node: str
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
    header_bytes: int
    header_sha256: str
    talk: UUID | None = None
    """Which talk of the centre it holds: each node that carries a talk records it."""


class FragmentLine(Line):
    """One fragment: where its bytes lie, and when it was. `is_key`: a player can start here."""

    type: Literal["fragment"] = "fragment"
    number: int
    offset: int
    length: int
    sha256: str
    start: float
    seconds: float
    at: int
    is_key: bool


class GapLine(Line):
    """Something is missing, and why.

    `loss`: packets that never came. `silence`: the publisher sent nothing. `queue`: the recorder couldn't keep up.
    `disk`: writing failed, and nothing was kept until a new file could be begun.
    """

    type: Literal["gap"] = "gap"
    kind: GapKind
    track: Literal["video", "audio", "both"]
    since: int
    until: int
    packets: int = 0


class Closed(Line):
    """The recording is complete: `bytes` of it count, whose SHA-256 stands here."""

    type: Literal["closed"] = "closed"
    reason: CloseReason
    ended_at: int
    seconds: float
    bytes: int
    sha256: str


ManifestLine = Opened | FragmentLine | GapLine | Closed
MANIFEST_LINE: TypeAdapter[ManifestLine] = TypeAdapter(Annotated[ManifestLine, Field(discriminator="type")])


@dataclass(slots=True)
class Manifest:
    """A manifest, read; `bytes` is where the last whole fragment ends."""

    opened: Opened
    fragments: list[FragmentLine] = field(default_factory=list)
    gaps: list[GapLine] = field(default_factory=list)
    closed: Closed | None = None

    @property
    def bytes(self) -> int:
        """How many bytes of the file the manifest tells of."""
        last = self.fragments[-1] if self.fragments else None
        return self.opened.header_bytes if last is None else last.offset + last.length

    @property
    def seconds(self) -> float:
        """How long the recording is, as far as the manifest tells."""
        return max((line.start + line.seconds for line in self.fragments[-2:]), default=0.0)


def write_line(line: Line) -> bytes:
    """A line as it stands in the file."""
    return line.model_dump_json().encode() + b"\n"


def read_lines(path: Path) -> Iterator[ManifestLine]:
    """Every whole line of a manifest; one that a crash tore is passed over."""
    with path.open("rb") as file:
        for raw in file:
            if raw.isspace():
                continue
            try:
                yield MANIFEST_LINE.validate_json(raw)
            except ValidationError:
                logger.warning("manifest %s: a line can't be read", path.name)


def read_manifest(path: Path) -> Manifest | None:
    """Read a manifest; None where it hasn't even its first line.

    Where a power cut kept a fragment's line and lost its bytes, the closing line says how many count, and that
    fragment isn't given.

    Raises:
        OSError: it can't be read.
    """
    manifest: Manifest | None = None
    for line in read_lines(path):
        if isinstance(line, Opened):
            manifest = manifest or Manifest(line)
        elif manifest is None:
            return None
        elif isinstance(line, FragmentLine):
            manifest.fragments.append(line)
        elif isinstance(line, GapLine):
            manifest.gaps.append(line)
        else:
            manifest.closed = line
    if manifest is not None and manifest.closed is not None:
        whole = manifest.closed.bytes
        manifest.fragments = [line for line in manifest.fragments if line.offset + line.length <= whole]
    return manifest
