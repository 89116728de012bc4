"""A ledger on the disk: read when it is opened, mended where a crash tore its end, appended to and synced."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from streams.ledger import FIRST, Chain, Head, NotALedger, Signer, cut_behind, line_hash, parsed
from streams.recording.descriptor import sync_folder

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]
Line = tuple[Fields, Signer | None]


class LedgerBroken(RuntimeError):
    """A ledger was changed by somebody: after a line that doesn't follow the one before there are signed ones.

    Nothing is appended to such a file, and nothing of it is cut.
    """


class LedgerFile:
    """One ledger. The caller sees to it that nobody else appends while it is open here."""

    def __init__(self, path: Path, context: str) -> None:
        self.path = path
        self._context = context
        self._chain = Chain(context)
        self._size: int | None = None
        """How long the file is by our own doing; None where it must be opened first."""

    @property
    def head(self) -> Head:
        """Where it stands, as far as it was read and written here."""
        return self._chain.head

    @property
    def is_open(self) -> bool:
        """Whether it was read, and is as it was left: another process may have gone on with it."""
        return self._size is not None and self._size == (self.path.stat().st_size if self.path.exists() else 0)

    def open(self, take: Callable[[dict[str, Any], bytes], None] | None = None) -> None:
        """Read it, giving each line to `take`, parsed and as it stands without its LF.

        A torn end is cut off, and a copy of it kept beside the file.

        Raises:
            LedgerBroken: it was changed.
            OSError: it can't be read or mended.
        """
        self._size, lines, previous, whole = None, 0, FIRST, 0
        if self.path.exists():
            with self.path.open("rb") as file:
                for raw in file:
                    line = parsed(raw)
                    if line is None or line.get("previous") != previous:
                        break
                    lines, previous, whole = lines + 1, line_hash(raw[:-1]), whole + len(raw)
                    if take is not None:
                        take(line, raw[:-1])
            self._cut_behind(whole)
        self._chain = Chain(self._context, Head(lines, previous) if lines else None)
        self._size = whole

    def _cut_behind(self, whole: int) -> None:
        try:
            cut = cut_behind(self.path, whole)
        except NotALedger as error:
            raise LedgerBroken(str(error)) from error
        if cut:
            logger.warning("ledger %s: %d bytes that a crash tore were cut off", self.path.name, cut)

    def append(self, lines: Iterable[Line]) -> bytes:
        """Add lines, synced, and give them as they stand; after an error the file is opened anew before the next.

        Raises:
            OSError: they weren't, or may not have been, written.
        """
        size, self._size = self._size, None
        if size is None:
            raise ValueError(f"{self.path.name} isn't open")
        data = b"".join(self._chain.line(fields, signer) for fields, signer in lines)
        append_synced(self.path, data)
        self._size = size + len(data)
        return data


class GrowingLedger:
    """A ledger that another part appends to: where it stands now, each time that it is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head = Head()
        self._size = 0

    def head(self) -> Head:
        """Its head, by the lines that follow each other and are on the disk for good.

        Raises:
            OSError: it can't be read.
        """
        if not self.path.exists():
            self._head, self._size = Head(), 0
            return self._head
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size == self._size:
                return self._head
            if size < self._size:
                self._head, self._size = Head(), 0
            os.fsync(file.fileno())
            file.seek(self._size)
            while self._size < size:
                raw = file.readline()
                line = parsed(raw)
                if line is None or line.get("previous") != self._head.hash:
                    break
                self._head = Head(self._head.lines + 1, line_hash(raw[:-1]))
                self._size += len(raw)
        return self._head


def append_synced(path: Path, data: bytes) -> None:
    """Add bytes to a file, which is made where there is none, and have them on the disk.

    Raises:
        OSError: they can't be written.
    """
    is_new = not path.exists()
    if is_new:
        path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640), "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)
