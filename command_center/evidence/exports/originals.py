"""Reads the originals: from the store, by the bytes that a plan lets count."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from command_center.evidence.store import NotStored, Store

CHUNK_BYTES = 1 << 20


class OriginalMissing(RuntimeError):
    """The store no longer holds what the plan counts on."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file's bytes come to."""

    bytes: int
    sha256: str
    crc: int
    """CRC-32, which a ZIP holds beside."""


def digest_of(chunks: Iterable[bytes]) -> Digest:
    """What these bytes come to."""
    size, digest, crc = 0, hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return Digest(size, digest.hexdigest(), crc)


class Originals:
    """The store, for code that runs in one thread and may block. A store that is away raises `StoreAway`."""

    def __init__(self, store: Store, runner: asyncio.Runner) -> None:
        self._store = store
        self._runner = runner

    def size(self, path: str) -> int | None:
        """How long the file is; None where it isn't there."""
        try:
            return self._runner.run(self._store.size(path))
        except NotStored:
            return None

    def manifest(self, path: str) -> Path | None:
        """Where the manifest lies on this machine; None where there is none."""
        try:
            return self._runner.run(self._store.manifest(path))
        except NotStored:
            return None

    def read(self, path: str, first: int, length: int) -> bytes:
        """`length` bytes from `first` on.

        Raises:
            OriginalMissing: there aren't so many.
        """
        try:
            data = self._runner.run(self._collect(path, first, length)) if length else b""
        except NotStored as error:
            raise OriginalMissing(path) from error
        if len(data) != length:
            raise OriginalMissing(path)
        return data

    def chunks(self, path: str, length: int) -> Iterator[bytes]:
        """The first `length` bytes, piece by piece.

        Raises:
            OriginalMissing: there aren't so many.
        """
        for first in range(0, length, CHUNK_BYTES):
            yield self.read(path, first, min(CHUNK_BYTES, length - first))

    async def _collect(self, path: str, first: int, length: int) -> bytes:
        return b"".join([piece async for piece in self._store.open_range(path, first, first + length - 1)])
