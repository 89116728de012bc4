"""Copies the ledgers below `proof` to the storage as they grow, so that a lost disk takes no proof with it."""

from __future__ import annotations

import asyncio
import hashlib
import logging

from command_center.evidence.store import ChecksumMismatch, NotStored, StoreAway
from command_center.evidence.store_growth import Growth
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import S3Store

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often they are looked at: an anchor is written as often."""
BYTES_PER_SECOND = 262_144
"""A ledger that has grown large is copied so much less often that it costs no more than this."""
SUFFIX = ".jsonl"


class Ledgers:
    """The copies. `troubles` holds what couldn't be copied, and why."""

    def __init__(self, local: LocalStore, remote: S3Store) -> None:
        self._local = local
        self._remote = remote
        self._growth = Growth(local, remote)
        self._copied: dict[str, tuple[int, float]] = {}
        """How many bytes of each the storage was proven to have, and when (monotonic) it was copied."""
        self.troubles: dict[str, str] = {}

    async def step(self) -> None:
        """Copy those that have grown and whose time has come."""
        at = asyncio.get_running_loop().time()
        for path, size in (await asyncio.to_thread(self._files)).items():
            copied, copied_at = self._copied.get(path, (0, 0.0))
            if size == copied or (copied and at - copied_at < size / BYTES_PER_SECOND):
                continue
            try:
                self._copied[path] = (await self._copy(path, size), at)
            except (StoreAway, ChecksumMismatch, NotStored) as error:
                code = error.code if isinstance(error, StoreAway) else type(error).__name__
                if self.troubles.get(path) != code:
                    logger.error("ledger %s can't be copied: %s", path, error)
                self.troubles[path] = code
            else:
                self.troubles.pop(path, None)

    def _files(self) -> dict[str, int]:
        root = self._local.root
        return {one.relative_to(root).as_posix(): one.stat().st_size for one in sorted(root.rglob(f"*{SUFFIX}"))}

    async def _copy(self, path: str, size: int) -> int:
        size, sha256 = await self._whole_lines(path, size)
        await self._growth.bring(path, size, sha256)
        return size

    async def _whole_lines(self, path: str, size: int) -> tuple[int, str]:
        """Up to the last whole line in its first `size` bytes: how many bytes that is, and their SHA-256."""
        whole, rest, length = hashlib.sha256(), b"", 0
        async for piece in self._local.open_range(path, 0, size - 1):
            rest += piece
            cut = rest.rfind(b"\n") + 1
            await asyncio.to_thread(whole.update, rest[:cut])
            length, rest = length + cut, rest[cut:]
        return length, whole.hexdigest()
