"""Where recordings are kept: the one door to their files, whether in a folder of this machine or far away.

A path is relative to the recordings folder, with slashes, as manifests and the index name it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 262_144
"""What a file is read in."""


class NotStored(FileNotFoundError):
    """The store answers, and has no such file; what leads out of it isn't in it."""


class StoreAway(ConnectionError):
    """The store doesn't answer, or answers that it can't or won't; `code` says how.

    `store-away`: no connection, no answer in time, or an answer that breaks off. `store-busy`: it asks to come later.
    `store-refused`: it doesn't let us. `store-unreadable`: this machine's own disk or system doesn't. Whether it has
    the file isn't known then.
    """

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}" if reason else code)
        self.code = code


class ChecksumMismatch(ValueError):
    """Other bytes than were meant were read, taken or given; `where` says of what: `local`, `sent`, `remote`."""

    def __init__(self, path: str, where: str) -> None:
        super().__init__(f"{path}: {where}")
        self.where = where


class Files(Protocol):
    """What can be read of every place that holds files. Each call ends in bounded time; none blocks the event loop."""

    async def size(self, path: str) -> int:
        """How many bytes the file has now.

        Raises:
            NotStored, StoreAway: there is none; it can't be asked.
        """

    async def exists(self, path: str) -> bool:
        """Whether there is such a file.

        Raises:
            StoreAway: it can't be asked.
        """

    def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
        """The file's bytes from `first` to `last`, both included, piece by piece; those that there are.

        Raises:
            NotStored, StoreAway: as the bytes are asked for.
        """


class Store(Files, Protocol):
    """The store of recordings, as those who serve and verify them need it."""

    async def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """How many bytes those of these files have that are known to be there; a place that is away isn't asked."""

    async def changed_at(self, path: str) -> datetime | None:
        """When the file on this machine was last written to; None where there is none."""

    async def keep(self, path: str) -> None:
        """Return once all that can be read of the file now would outlast a power cut.

        Raises:
            OSError: there is none, or the disk refuses.
        """

    async def manifests(self) -> list[str]:
        """Every manifest, sorted.

        Raises:
            StoreAway: it can't be asked.
        """

    async def manifest(self, path: str) -> Path:
        """Where the manifest lies on this machine; fetched first where only a remote store has it.

        Raises:
            NotStored, StoreAway: there is none; it can't be asked.
        """

    async def remove(self, path: str) -> None:
        """Delete the file wherever it is; nothing happens where there is none.

        Raises:
            StoreAway: it can't be asked, and may still have it.
        """

    async def close(self) -> None:
        """Close what it holds open."""


async def read_all(files: Files, path: str, first: int = 0) -> bytes:
    """A file that is small enough to be held, from byte `first` on.

    Raises:
        NotStored, StoreAway: as the place does.
    """
    size = await files.size(path)
    return b"".join([piece async for piece in files.open_range(path, first, size - 1)]) if size > first else b""
