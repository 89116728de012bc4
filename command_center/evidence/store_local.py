"""The store that is a folder of this machine, into which the media nodes write."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from command_center.evidence.store import CHUNK_BYTES, NotStored, StoreAway
from streams.recording.manifest import SUFFIX

T = TypeVar("T")
NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
"""What the system says where there is no such file; all else says nothing about whether there is one."""


class LocalStore:
    """The recordings folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def path(self, path: str) -> Path:
        """Where the file lies, or would.

        Raises:
            NotStored: the path leads out of the folder.
        """
        whole = (self.root / path).resolve()
        if not whole.is_relative_to(self.root):
            raise NotStored(path)
        return whole

    async def size(self, path: str) -> int:
        """How many bytes the file has now."""
        return (await self._call(path, self.path(path).stat)).st_size

    async def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        try:
            await self.size(path)
        except NotStored:
            return False
        return True

    async def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """How many bytes those have that are there."""
        found = await asyncio.to_thread(lambda: [(path, self._stat(path)) for path in paths])
        return {path: stat.st_size for path, stat in found if stat is not None}

    async def changed_at(self, path: str) -> datetime | None:
        """When the file was last written to."""
        stat = await asyncio.to_thread(self._stat, path)
        return None if stat is None else datetime.fromtimestamp(stat.st_mtime, UTC)

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            return self.path(path).stat()
        except OSError:
            return None

    async def keep(self, path: str) -> None:
        """Force it to the disk; what its writer has written and not yet forced goes with it."""
        await asyncio.to_thread(self._force, path)

    def _force(self, path: str) -> None:
        descriptor = os.open(self.path(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    async def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
        """The file's bytes; a file that is deleted meanwhile is still read to its end.

        Raises:
            NotStored, StoreAway: there is none; the disk doesn't give it.
        """
        descriptor = await self._call(path, os.open, self.path(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            position = first
            while position <= last:
                size = min(CHUNK_BYTES, last + 1 - position)
                piece = await self._call(path, os.pread, descriptor, size, position)
                if not piece:
                    return
                position += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def _call(self, path: str, call: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.to_thread(call, *arguments)
        except OSError as error:
            if error.errno in NOTHING_THERE:
                raise NotStored(path) from error
            raise StoreAway("store-unreadable", errno.errorcode.get(error.errno or 0, "")) from error

    async def manifests(self) -> list[str]:
        """Every manifest, sorted."""
        found = await asyncio.to_thread(lambda: list(self.root.glob(f"*/*/*{SUFFIX}")))
        return sorted(one.relative_to(self.root).as_posix() for one in found)

    async def manifest(self, path: str) -> Path:
        """Where the manifest lies."""
        await self.size(path)
        return self.path(path)

    async def remove(self, path: str) -> None:
        """Delete the file."""
        whole = self.path(path)
        await asyncio.to_thread(whole.unlink, missing_ok=True)

    async def close(self) -> None:
        """Nothing is held open."""
