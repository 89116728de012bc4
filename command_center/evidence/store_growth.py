"""Sees to it that a ledger in the storage is only ever replaced by one that begins with it."""

from __future__ import annotations

import asyncio
import hashlib

from command_center.evidence.store import ChecksumMismatch, NotStored
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import S3Store, Stored

SHORTER, ALTERED = "shorter", "altered"
"""What a `ChecksumMismatch` says of the folder's: it has lost lines, or they aren't those that the storage has."""
WRONG = "wrong"
"""Stands for the content of a file that we brought and that came there with other bytes: anything is better."""
MOST_KNOWN = 2_000


class Growth:
    """Brings ledgers; remembers what the storage had last, so that it is seldom read back."""

    def __init__(self, local: LocalStore, remote: S3Store) -> None:
        self._local = local
        self._remote = remote
        self._known: dict[str, tuple[str, str]] = {}
        """The storage's name for the content that was there last, and its SHA-256, or WRONG."""

    async def bring(self, path: str, size: int, sha256: str) -> None:
        """Have the first `size` bytes of the folder's file in the storage, whole, where they begin with what it has.

        Raises:
            ChecksumMismatch: they don't, and nothing was replaced; or other bytes came there.
            NotStored, StoreAway: the folder has none; one of both can't be asked.
        """
        before = await self._checked(path, size)
        try:
            await self._remote.put(path, size, sha256, lambda: self._local.open_range(path, 0, size - 1))
            found, stored = await self._remote.digest(path)
            if found != sha256:
                raise ChecksumMismatch(path, "remote")
        except ChecksumMismatch:
            after = await self._remote.head(path)
            if before is None or before.etag != after.etag:
                self._learn(path, after, WRONG)
            raise
        self._learn(path, stored, sha256)

    async def _checked(self, path: str, size: int) -> Stored | None:
        """What the storage says of its own, which may be replaced; None where it has none."""
        try:
            found = await self._remote.head(path)
        except NotStored:
            return None
        there = await self._content(path, found)
        if there == WRONG:
            return found
        if found.bytes > size:
            raise ChecksumMismatch(path, SHORTER)
        whole = hashlib.sha256()
        async for piece in self._local.open_range(path, 0, found.bytes - 1):
            await asyncio.to_thread(whole.update, piece)
        if whole.hexdigest() != there:
            raise ChecksumMismatch(path, ALTERED)
        return found

    async def _content(self, path: str, found: Stored) -> str:
        etag, sha256 = self._known.get(path, ("", ""))
        if etag and etag == found.etag:
            return sha256
        sha256, stored = await self._remote.digest(path)
        self._learn(path, stored, sha256)
        return sha256

    def _learn(self, path: str, stored: Stored, sha256: str) -> None:
        self._known.pop(path, None)
        self._known[path] = (stored.etag, sha256)
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
