"""What an export is made of, decided once: everything that comes after follows from it, however often it is begun.

A plan names how far each ledger and each recording counted when it was made; they only grow, so the same bytes can be
read again after any crash.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from streams.recording.descriptor import sync_folder
from streams.recording.manifest import GapKind

PLAN_FILE = "plan.json"
PACKAGE_FILE = "package.zip"
VOICE = "voice"
"""How the centre's own voice is asked for, beside the names of feeds."""
FRAME_MS = 40
"""25 pictures a second."""
PIECE_FRAMES = 1500
"""A minute."""

SpanKind = GapKind | Literal["covered", "deleted", "missing", "none"]
"""`deleted`: it was recorded, and two people had it deleted. `missing`: it was recorded, its file isn't here, and
nothing accounts for that. `none`: nothing of this feed was recorded before or after."""


class Part(BaseModel):
    """A piece of the plan."""

    model_config = ConfigDict(frozen=True)


class Wanted(Part):
    """What was asked for. Instants are Unix milliseconds."""

    job: UUID
    operation: UUID
    requested_by: UUID
    purpose: str
    reason: str
    since: int
    until: int
    feeds: tuple[str, ...]
    is_masked: bool
    at: int
    """When it was begun for the first time."""


class SegmentPart(Part):
    """A segment that goes into the package: `bytes` of its file count; `sha256` is what its manifest signed."""

    number: int
    path: str
    bytes: int
    sha256: str | None


class DeletionPart(Part):
    """By whom and when a recording was deleted, as its tombstone says; `tombstone` is the hash of that line."""

    at: int
    proposed_by: str
    approved_by: str
    tombstone: str


class RecordingPart(Part):
    """A recording of which something goes into the package. `manifest` is its path in the store."""

    id: UUID
    feed: str
    node: str
    manifest: str
    segments: tuple[SegmentPart, ...]
    left_out: tuple[int, ...]
    missing: tuple[int, ...]
    """Within the span, not in the store, and without a tombstone."""
    deleted: tuple[int, ...] = ()
    """Within the span, and deleted by `deletion`."""
    deletion: DeletionPart | None = None


class SpanPart(Part):
    """What there is of a feed from `since` to `until`."""

    kind: SpanKind
    since: int
    until: int
    deletion: DeletionPart | None = None
    """Of what was deleted."""


class Fix(Part):
    """Where a device was, by the node's clock (WGS-84)."""

    at: int
    latitude: float
    longitude: float


class PlacePart(Part):
    """From when on a device was at a site, by the recordings that began there."""

    since: int
    name: str


class CameraPart(Part):
    """One feed: who and where, what there is of it, and how large its derived copy is."""

    feed: str
    file: str
    """The derived copy's name in the package."""
    is_voice: bool
    """It is the centre's own: there is nothing to see."""
    places: tuple[PlacePart, ...]
    """The first is also where it was before."""
    officer: str
    width: int
    height: int
    recordings: tuple[RecordingPart, ...]
    spans: tuple[SpanPart, ...]
    track: tuple[Fix, ...]

    @property
    def site(self) -> str:
        """Every place where it was, in its order."""
        return " → ".join(place.name for place in self.places)

    def place_at(self, at: int) -> str:
        """Where it was at an instant."""
        return next((place.name for place in reversed(self.places) if place.since <= at), self.places[0].name)

    def span_at(self, at: int) -> SpanPart:
        """What there is of it at an instant within the plan's span."""
        return self.spans[min(bisect_right(self.spans, at, key=lambda span: span.until), len(self.spans) - 1)]


class LedgerPart(Part):
    """How much of a ledger counts; `path` is the same below the data folder and in the package.

    The operation's own journal goes in whole, of the others what `excerpts` chooses of it.
    """

    path: str
    bytes: int


class Receipt(Part):
    """Where an instruction stands at one officer; instants are Unix milliseconds."""

    officer: str
    state: str
    reason: str
    sent_at: int
    delivered_at: int | None
    seen_at: int | None
    answered_at: int | None
    done_at: int | None
    escalated_at: int | None


class InstructionPart(Part):
    """An instruction of the span, with its receipts."""

    number: int
    at: int
    priority: str
    target: str
    sender: str
    text: str
    receipts: tuple[Receipt, ...]


class EventPart(Part):
    """Something else that the journal tells of; `facts` are names of words and values, ready to be shown."""

    id: int
    at: int
    kind: str
    is_withheld: bool
    facts: tuple[tuple[str, str], ...]


class CustodyPart(Part):
    """An entry of the audit about these recordings."""

    sequence: int
    at: int
    who: str
    action: str
    purpose: str
    subject: str


class KeyPart(Part):
    """A key that signed something here."""

    id: str
    owner: str
    at: int


class Plan(Part):
    """All of it."""

    version: Literal[1] = 1
    wanted: Wanted
    court: str
    name: str
    case_number: str
    sites: tuple[str, ...]
    cameras: tuple[CameraPart, ...]
    ledgers: tuple[LedgerPart, ...]
    withheld: tuple[int, ...]
    instructions: tuple[InstructionPart, ...]
    events: tuple[EventPart, ...]
    custody: tuple[CustodyPart, ...]
    keys: tuple[KeyPart, ...]
    unanchored: tuple[str, ...] = ()
    """The ledgers for whose anchors was waited in vain: their ends aren't proven."""
    estimated_bytes: int

    @property
    def frames(self) -> int:
        """How many pictures each derived copy has."""
        return -(-(self.wanted.until - self.wanted.since) // FRAME_MS)

    @property
    def pieces(self) -> int:
        """In how many pieces each derived copy is made."""
        return -(-self.frames // PIECE_FRAMES)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(path.name + ".part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def keep_whole(draft: Path, path: Path) -> None:
    """Give a finished draft its name, both synced.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
    sync_folder(path.parent)
