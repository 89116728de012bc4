"""The journal of one operation on the disk: its ledger, and the bodies of its entries beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from command_center.evidence.ledger_file import LedgerFile, Line, append_synced
from command_center.journal import digest_of
from streams.ledger import Head, Signer

CONTEXT = "journal/1"
VERSION = 1
SUFFIX, BODIES_SUFFIX = ".jsonl", ".bodies.jsonl"
FOLDER = Path("proof") / "journals"
"""Below the data folder."""
REMEMBERED = 5_000
"""Of so many entries, the newest, it is known what they were: only of those may one come twice."""
_TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry on its way into the file."""

    id: int
    at: datetime
    kind: str
    salt: bytes
    body: str


class JournalFile:
    """One operation's journal; whoever uses it holds the lock of all journals."""

    def __init__(self, folder: Path, operation: UUID) -> None:
        self.operation = operation
        self._ledger = LedgerFile(folder / f"{operation}{SUFFIX}", CONTEXT)
        self._bodies = folder / f"{operation}{BODIES_SUFFIX}"
        self._forget()

    @property
    def head(self) -> Head:
        """Where its ledger stands."""
        return self._ledger.head

    @property
    def is_open(self) -> bool:
        """Whether it was read, and nobody else has gone on with it."""
        return self._ledger.is_open

    def open(self) -> None:
        """Read it anew, mended where a crash tore it.

        Raises:
            LedgerBroken: it was changed by somebody.
            OSError: it can't be read.
        """
        self._forget()
        self._ledger.open(lambda line, _raw: self._take(line))
        _cut_torn_body(self._bodies)

    def unknown(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those whose number the file gave to another entry: the records were put back from an older copy."""
        return [
            entry
            for entry in entries
            if entry.id <= self.last_id and self._digests.get(entry.id) != digest_of(entry.salt, entry.body)
        ]

    def write(self, entries: Sequence[Entry], court: UUID) -> None:
        """Add those that aren't there yet, in their order: first the bodies, then what holds their hashes.

        Raises:
            OSError: they weren't, or may not have been, written.
        """
        new = [entry for entry in entries if entry.id > self.last_id]
        if not new:
            return
        append_synced(self._bodies, b"".join(map(_body_line, new)))
        lines: list[Line] = [(_entry_fields(entry), None) for entry in new]
        if self.head.lines == 0:
            opened = {"type": "opened", "version": VERSION, "operation": str(self.operation), "court": str(court)}
            lines.insert(0, (opened, None))
        self._ledger.append(lines)
        for fields, _ in lines:
            self._take(fields)

    def seal(self, signer: Signer, at: datetime, anchor: tuple[int, str] | None) -> None:
        """Sign everything so far.

        Raises:
            OSError: the seal wasn't, or may not have been, written.
        """
        fields = {"type": "sealed", "at": _ms(at), "entries": self.entries, "anchor": anchor}
        self._ledger.append([(fields, signer)])
        self._take(fields)

    def _forget(self) -> None:
        self.entries = self.last_id = 0
        self.is_sealed = True
        """Whether the last line is a seal, or there is none at all."""
        self._digests: dict[int, str] = {}

    def _take(self, line: Any) -> None:
        self.is_sealed = line["type"] == "sealed"
        if line["type"] == "entry":
            self.entries += 1
            self.last_id = line["id"]
            self._digests[line["id"]] = line["digest"]
            if len(self._digests) > REMEMBERED:
                del self._digests[next(iter(self._digests))]


def unsealed(path: Path) -> bool:
    """Whether the journal at `path` goes on behind its last seal, as its end tells."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().split(b"\n")
    # A torn end stands behind the last LF: it is mended by whoever opens the file.
    return len(lines) > 1 and b'"type":"sealed"' not in lines[-2]


def operation_of(path: Path) -> UUID | None:
    """Whose ledger this is; None where it is none, but the bodies of one."""
    try:
        return UUID(path.name.removesuffix(SUFFIX))
    except ValueError:
        return None


def _entry_fields(entry: Entry) -> dict[str, Any]:
    return {
        "type": "entry",
        "id": entry.id,
        "at": _ms(entry.at),
        "kind": entry.kind,
        "digest": digest_of(entry.salt, entry.body),
    }


def _body_line(entry: Entry) -> bytes:
    fields = {"id": entry.id, "salt": entry.salt.hex(), "body": entry.body}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _cut_torn_body(path: Path) -> None:
    """Cut off what a crash left behind the last whole line; one that stands there twice does no harm."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = size
        while start:
            end, start = start, max(0, start - _TAIL_BYTES)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                start += found + 1
                break
        if start < size:
            file.truncate(start)
            os.fsync(file.fileno())


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
