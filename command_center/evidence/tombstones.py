"""The ledger of what was deleted by two people: one signed line for each recording, written before its files go."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from streams.ledger import Chain, Head, Signer, head_of, line_hash

LEDGER = "tombstones/1"
FILE = Path("proof") / "tombstones.jsonl"
"""Below the data folder."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is said of a recording that is deleted; `manifest` is the head of the manifest that stays."""

    at: datetime
    recording: UUID
    operation: UUID
    feed: str
    segments: tuple[int, ...]
    manifest: Head
    retention_class: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID

    def fields(self) -> dict[str, object]:
        """As they stand in the line."""
        return {
            "type": "tombstone",
            "at": _milliseconds(self.at),
            "recording": str(self.recording),
            "operation": str(self.operation),
            "feed": self.feed,
            "segments": list(self.segments),
            "manifest": [self.manifest.lines, self.manifest.hash],
            "class": self.retention_class,
            "reason": self.reason,
            "proposed_by": str(self.proposed_by),
            "proposed_at": _milliseconds(self.proposed_at),
            "approved_by": str(self.approved_by),
        }


class Tombstones:
    """Writes the ledger; whoever has it open keeps every other process out."""

    def __init__(self, path: Path, signer: Callable[[], Signer]) -> None:
        self._path = path
        self._signer = signer

    def set_up(self, stone: Tombstone) -> str:
        """Write the tombstone of a recording that has none yet; gives the hash of its line, which is on the disk then.

        Raises:
            OSError: it can't be written; then it may be there or not, and doing it again settles it.
        """
        with self._alone():
            found = self.of(stone.recording)
            if found is not None:
                # It may have been written by a process that was killed before it was on the disk.
                _sync(self._path)
                return found
            chain = Chain(LEDGER, head_of(self._path))
            with self._path.open("ab") as file:
                file.write(chain.line(stone.fields(), self._signer()))
                file.flush()
                os.fsync(file.fileno())
            _sync(self._path.parent)
            return chain.head.hash

    def of(self, recording: UUID) -> str | None:
        """The hash of the line about this recording; None where it has no tombstone.

        Raises:
            OSError: the ledger can't be read.
        """
        return next((line_hash(line) for line, about in self._lines() if about == str(recording)), None)

    def _lines(self) -> Iterator[tuple[bytes, str | None]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                yield line[:-1], _about(line)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _cut_unfinished_line(file)
            yield


def _cut_unfinished_line(file: BinaryIO) -> None:
    """Cut off what a crash left of a line; a whole line stays, even where somebody has changed it: that is evidence."""
    data = file.read()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        file.truncate(whole)
        os.fsync(file.fileno())


def _about(line: bytes) -> str | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found.get("recording") if isinstance(found, dict) else None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
