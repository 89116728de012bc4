"""The store of an installation: the folder of this machine, and behind it S3-compatible storage where that is set."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.keyring import LEDGER_FILE as KEYS_FILE
from command_center.evidence.store import NotStored, Store, StoreAway, read_all
from command_center.evidence.store_client import AccessKey, Bucket, Patience
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.store_whereabouts import Whereabouts
from streams.recording.manifest import SUFFIX

RECORDINGS_FOLDER, PROOF_FOLDER = "recordings", "proof"
"""The storage below its prefix looks as the data folder does."""

MANIFEST_DEPTH = 2
"""Folders above each: its feed's and its day's."""
LARGEST_LEDGER = 1024**3
WATCHED = Patience(silent_seconds=5.0, tries=2)
"""Somebody waits for a picture."""


class TieredStore:
    """What the folder has is read there, all else from the storage."""

    def __init__(self, local: LocalStore, remote: S3Store, whereabouts: Whereabouts) -> None:
        self._local = local
        self._remote = remote
        self._whereabouts = whereabouts

    async def size(self, path: str) -> int:
        """How many bytes the file has now; the storage is asked only about what it wasn't proven to have."""
        there = await self.sizes([path])
        return there[path] if path in there else await self._remote.size(path)

    async def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """How many bytes those have that are in the folder, or that the storage was proven to have."""
        there = await self._local.sizes(paths)
        missing = [path for path in paths if path not in there]
        return there | (await self._whereabouts.sizes(missing) if missing else {})

    async def changed_at(self, path: str) -> datetime | None:
        """When the folder's file was last written to."""
        return await self._local.changed_at(path)

    async def keep(self, path: str) -> None:
        """Force the folder's file to the disk; the storage has forced its own."""
        if await self._local.exists(path):
            await self._local.keep(path)

    async def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return path in await self.sizes([path]) or await self._remote.exists(path)

    async def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
        """The file's bytes; where the folder has none, or its disk gives no more, they come from the storage."""
        position = first
        try:
            async for piece in self._local.open_range(path, first, last):
                position += len(piece)
                yield piece
        except (NotStored, StoreAway) as failed:
            try:
                async for piece in self._remote.open_range(path, position, last):
                    yield piece
            except NotStored:
                raise failed from None

    async def manifests(self) -> list[str]:
        """Every manifest of both."""
        remote = {name for name in await self._remote.names(SUFFIX) if name.count("/") == MANIFEST_DEPTH}
        return sorted({*await self._local.manifests(), *remote})

    async def manifest(self, path: str) -> Path:
        """Where the manifest lies; one that only the storage has is put into the folder."""
        try:
            return await self._local.manifest(path)
        except NotStored:
            return await _fetch(self._remote, path, self._local.path(path))

    async def remove(self, path: str) -> None:
        """Delete the file in both; in the storage first, so that what can't be reached is still known of here."""
        await self._whereabouts.removed(path)
        await self._remote.remove(path)
        await self._local.remove(path)

    async def close(self) -> None:
        """Close the connections."""
        await self._remote.close()


async def _fetch(remote: S3Store, path: str, to: Path) -> Path:
    if await remote.size(path) > LARGEST_LEDGER:
        raise StoreAway("store-refused", f"{path} is larger than any ledger of ours")
    return await asyncio.to_thread(_put_down, to, await read_all(remote, path))


async def restore(local: LocalStore, remote: S3Store) -> int:
    """Fetch every ledger that the folder doesn't have; those that it has stay as they are. Gives how many came.

    That of the keys comes last: where it is, all have come.

    Raises:
        StoreAway: the storage can't be asked.
    """
    count = 0
    for path in sorted(await remote.names(SUFFIX), key=lambda name: (name == KEYS_FILE, name)):
        if not await local.exists(path):
            await _fetch(remote, path, local.path(path))
            count += 1
    return count


def _put_down(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all; one that came there meanwhile stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path


def remote_of(settings: Settings, folder: str, patience: Patience | None = None) -> S3Store | None:
    """A folder of the storage that the settings name; None where they name none.

    Raises:
        OSError: the secret's file, or that of the authority, can't be read.
    """
    if not settings.s3_url:
        return None
    bucket = Bucket(
        url=settings.s3_url,
        name=settings.s3_bucket,
        prefix=settings.s3_prefix.strip("/"),
        is_path_style=settings.s3_path_style,
        authority=settings.s3_authority,
    )
    return S3Store(bucket, AccessKey(settings.s3_access_key, settings.s3_secret, settings.s3_region), folder, patience)


def store_of(settings: Settings, database: Database) -> Store:
    """The store of this installation's recordings; `database` is where it is written down what the storage has.

    Raises:
        OSError: as `remote_of`.
    """
    local, remote = LocalStore(settings.recordings), remote_of(settings, RECORDINGS_FOLDER, WATCHED)
    return local if remote is None else TieredStore(local, remote, Whereabouts(database))
