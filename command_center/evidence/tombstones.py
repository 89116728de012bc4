"""The ledger of what was deleted by two people: one signed line for each recording, written before its files go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from command_center.clock import Clock, now
from command_center.evidence.ledger_file import LedgerFile
from streams.ledger import Head, Signer, line_hash
from streams.recording.descriptor import sync_folder

LEDGER = "tombstones/1"
FILE = Path("proof") / "tombstones.jsonl"
"""Below the data folder."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is said of a recording that is deleted; `manifest` is the head of the manifest that stays."""

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

    def fields(self, at: datetime) -> dict[str, object]:
        """As they stand in the line."""
        return {
            "type": "tombstone",
            "at": _milliseconds(at),
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
    """Writes the ledger; whoever does keeps every other process out."""

    def __init__(self, path: Path, signing: Callable[[], AbstractContextManager[Signer]], clock: Clock = now) -> None:
        self._path = path
        self._signing = signing
        self._clock = clock

    def set_up(self, stone: Tombstone) -> str:
        """Write the tombstone of a recording that has none yet; gives the hash of its line, which is on the disk then.

        Raises:
            LedgerBroken: somebody changed the ledger; nothing is written, so nothing may be deleted.
            OSError, ValueError: it can't be read, signed or written; doing it again settles it.
        """
        with self._alone():
            ledger = LedgerFile(self._path, LEDGER)
            found = _hash_of(ledger, stone.recording)
            if found is not None:
                self._keep()
                return found
            with self._signing() as signer:
                ledger.append([(stone.fields(self._clock()), signer)])
            return ledger.head.hash

    def stands(self, recording: UUID) -> bool:
        """Whether this recording's tombstone is written: from then on there is no way back.

        Raises:
            LedgerBroken: somebody changed the ledger.
            OSError: it can't be read.
        """
        with self._alone():
            return _hash_of(LedgerFile(self._path, LEDGER), recording) is not None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _keep(self) -> None:
        """What a process wrote that was killed then may not be on the disk yet."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(self._path.parent)


def _hash_of(ledger: LedgerFile, recording: UUID) -> str | None:
    """Open the ledger; the hash of the recording's line, where there is one."""
    found: list[str] = []

    def take(fields: dict[str, Any], raw: bytes) -> None:
        if fields.get("recording") == str(recording):
            found.append(line_hash(raw))

    ledger.open(take)
    return found[0] if found else None


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
