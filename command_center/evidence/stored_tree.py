"""The data folder as the verifier reads it, with the recordings that only the storage behind it still has."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from command_center.evidence.store import NotStored, Store, StoreAway
from command_center.evidence.verifier import RECORDINGS_PATH, FolderTree

T = TypeVar("T")

PATIENCE_SECONDS = 120.0
"""A call of the store ends by itself before that."""


class StoredTree(FolderTree):
    """Reads in threads of the verifier's own what the store gives on the event loop, which must go on running."""

    def __init__(self, data: Path, store: Store, manifests: Sequence[str], loop: asyncio.AbstractEventLoop) -> None:
        """`manifests`: all that the store has."""
        super().__init__({RECORDINGS_PATH: data / RECORDINGS_PATH, "proof": data / "proof"})
        self._store = store
        self._loop = loop
        self._manifests = manifests

    def size(self, path: str) -> int | None:
        """How many bytes the file has, here or there."""
        found = super().size(path)
        if found is not None or not path.startswith(f"{RECORDINGS_PATH}/"):
            return found
        try:
            return self._ask(self._store.size(_stored(path)))
        except NotStored:
            return None
        except StoreAway:
            return 0  # it may be there; whoever opens it is told why not

    def open(self, path: str) -> io.RawIOBase:
        """Open the file, here or there."""
        if super().size(path) is not None or not path.startswith(f"{RECORDINGS_PATH}/"):
            return super().open(path)
        try:
            size = self._ask(self._store.size(_stored(path)))
        except StoreAway as away:
            raise OSError(str(away)) from away
        return _Streamed(self, self._store.open_range(_stored(path), 0, size - 1) if size else None)

    def folders(self, under: str) -> Iterator[tuple[str, list[str]]]:
        """The folders here, with the manifests that are only there."""
        if under != RECORDINGS_PATH:
            yield from super().folders(under)
            return
        remote: dict[str, set[str]] = {}
        for path in self._manifests:
            whole = PurePosixPath(RECORDINGS_PATH) / path
            remote.setdefault(whole.parent.as_posix(), set()).add(whole.name)
        for folder, names in super().folders(under):
            yield folder, sorted({*names, *remote.pop(folder, set())})
        for folder, found in sorted(remote.items()):
            yield folder, sorted(found)

    def take(self, pieces: AsyncIterator[bytes]) -> bytes:
        """The next piece; nothing at the end.

        Raises:
            OSError: the store doesn't give it.
        """
        try:
            return self._ask(_next(pieces))
        except StoreAway as away:
            raise OSError(str(away)) from away

    def _ask(self, call: Coroutine[Any, Any, T]) -> T:
        asked = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return asked.result(PATIENCE_SECONDS)
        except TimeoutError as error:
            asked.cancel()
            raise OSError("the store doesn't answer") from error


class _Streamed(io.RawIOBase):
    """A file of the store, read once from its beginning to its end."""

    def __init__(self, tree: StoredTree, pieces: AsyncIterator[bytes] | None) -> None:
        super().__init__()
        self._tree = tree
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest and self._pieces is not None:
            self._rest = memoryview(self._tree.take(self._pieces))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


async def _next(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")


def _stored(path: str) -> str:
    return path.removeprefix(f"{RECORDINGS_PATH}/")
