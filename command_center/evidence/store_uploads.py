"""Brings sealed segments and their manifests from the folder to the storage, and proves that they came there whole.

Every step may be broken off anywhere and is done again. What the storage says of a file is no proof: each is read back.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.store import ChecksumMismatch, NotStored, StoreAway
from command_center.evidence.store_growth import ALTERED, SHORTER, Growth
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import LARGEST_BYTES, S3Store, Stored
from command_center.evidence.store_tables import StoredState
from command_center.evidence.store_whereabouts import (
    OutdatedManifest,
    SealedSegment,
    begin_again,
    due_segments,
    new_segments,
    outdated_manifests,
    pause,
    removed_segments,
    stored_manifest,
    stored_segment,
)
from streams.ledger import line_hash

logger = logging.getLogger(__name__)

AT_ONCE = 3
"""How many files are under way at a time."""
LATENESS = timedelta(hours=2)
"""So much later than it was sealed, a segment may come to the index, and is still found at once."""
ALL_AGAIN = timedelta(minutes=10)
"""How often it is looked for those that came still later."""
LONGEST_PAUSE_AWAY = timedelta(seconds=30)
"""Between two tries while the storage is away."""
LONGEST_PAUSE_WRONG = timedelta(minutes=10)
"""Between two tries of a file with which something is wrong."""
AWAY = "store-"
"""What those codes begin with that are about the storage's being away, not about bytes."""
MISSING = "segment-missing"
TOO_LARGE = "too-large"
REMOTE_LOST = "remote-lost"
MISMATCHES = {
    "local": "local-altered",
    "sent": "checksum-mismatch",
    "remote": "checksum-mismatch",
    SHORTER: "manifest-shorter",
    ALTERED: "manifest-altered",
}
"""What is written down of a `ChecksumMismatch`, by where the wrong bytes were."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was read back of the storage and is what it should be; the folder may have lost its own."""

    sha256: str
    stored: Stored
    is_local_there: bool = True


class Uploads:
    """The one that brings; at any time one worker's. `trouble` is why the storage can't be brought anything now."""

    def __init__(self, database: Database, local: LocalStore, remote: S3Store, clock: Clock = now) -> None:
        self._database = database
        self._local = local
        self._remote = remote
        self._growth = Growth(local, remote)
        self._clock = clock
        self.trouble: str | None = None
        self._seen_until: datetime | None = None
        """Nothing sealed before that is new, as far as the last look at all told; None where all is to be looked at."""
        self._looked_at_all = clock()

    async def begin(self) -> None:
        """Take up what a crash left."""
        async with self._database.write() as session:
            await begin_again(session)

    async def step(self) -> int:
        """Bring some of what is due; gives how much there was, 0 where nothing is due now."""
        codes = await _together([self._segment(segment) for segment in await self._due()])
        async with self._database.read() as session:
            manifests = await outdated_manifests(session, self._clock(), AT_ONCE)
        codes += await _together([self._manifest(manifest) for manifest in manifests])
        codes += await self._removed()
        self._judge(codes)
        return len(codes)

    async def _due(self) -> list[SealedSegment]:
        at = self._clock()
        if at - self._looked_at_all > ALL_AGAIN:
            self._seen_until = None
        since = datetime.fromtimestamp(0, UTC) if self._seen_until is None else self._seen_until - LATENESS
        async with self._database.read() as session:
            found = await new_segments(session, since, AT_ONCE)
            again = await due_segments(session, at, AT_ONCE - len(found)) if len(found) < AT_ONCE else []
        if self._seen_until is None and len(found) < AT_ONCE:
            self._looked_at_all = at
        if len(found) < AT_ONCE:
            self._seen_until = at
        return found + again

    def _judge(self, codes: list[str | None]) -> None:
        away = [code for code in codes if code is not None and code.startswith(AWAY)]
        if away and len(away) == len(codes):
            if self.trouble is None:
                logger.warning("the storage takes nothing: %s", away[0])
            self.trouble = away[0]
        elif codes:
            if self.trouble is not None:
                logger.info("the storage takes files again")
            self.trouble = None

    async def probe(self) -> None:
        """Ask the storage for anything, so that its being away is known before it is needed."""
        try:
            await self._remote.exists("probe")
        except StoreAway as error:
            self._judge([error.code])
        else:
            self._judge([None])

    async def _segment(self, segment: SealedSegment) -> str | None:
        """Bring one segment; gives why it couldn't be."""
        if not await self._begin(segment):
            return None
        logger.debug("segment %s-%04d goes to the storage", segment.recording_id, segment.number)
        try:
            proof = await self._proven(segment)
        except StoreAway as error:
            await self._put_off(segment, error.code, StoredState.LOCAL)
            return error.code
        except ChecksumMismatch as error:
            code = code_of(error)
        except NotStored:
            code = MISSING
        else:
            await self._came(segment, proof)
            return None
        logger.error("segment %s-%04d: %s", segment.recording_id, segment.number, code)
        await self._put_off(segment, code, StoredState.FAILED)
        return code

    async def _begin(self, segment: SealedSegment) -> bool:
        async with self._database.write() as session:
            row = await stored_segment(session, segment)
            if row.state == StoredState.REMOVED:
                return False
            row.state, row.next_try_at = StoredState.UPLOADING.value, None
        return True

    async def _proven(self, segment: SealedSegment) -> Proof:
        """Have the segment in the storage, whole; the folder's own is looked at first, and never taken as it is.

        Raises:
            ChecksumMismatch, NotStored, StoreAway: the folder's or the storage's isn't what the manifest signs; neither
                has it; the storage can't be asked.
        """
        path, size, sha256 = segment.path, segment.bytes, segment.sha256
        try:
            await self._check_local(path, size, sha256)
        except NotStored:
            # The folder has lost it, or a former database knew that it was brought and freed.
            return Proof(sha256, await self._read_back(path, sha256), is_local_there=False)
        if size > LARGEST_BYTES:
            raise ChecksumMismatch(path, TOO_LARGE)
        if segment.attempts:
            # It may have come there although we weren't told so.
            try:
                return Proof(sha256, await self._read_back(path, sha256))
            except (NotStored, ChecksumMismatch):
                pass
        await self._remote.put(path, size, sha256, lambda: self._local.open_range(path, 0, size - 1))
        return Proof(sha256, await self._read_back(path, sha256))

    async def _check_local(self, path: str, size: int, sha256: str) -> None:
        # Bytes after the last fragment that counts, which a crash may leave, are no part of it.
        if await digest_of(self._local.open_range(path, 0, size - 1)) != sha256:
            raise ChecksumMismatch(path, "local")

    async def _read_back(self, path: str, sha256: str) -> Stored:
        found, stored = await self._remote.digest(path)
        if found != sha256:
            raise ChecksumMismatch(path, "remote")
        return stored

    async def _came(self, segment: SealedSegment, proof: Proof) -> None:
        at = self._clock()
        async with self._database.write() as session:
            row = await stored_segment(session, segment)
            if row.state == StoredState.REMOVED:
                return
            row.state = (StoredState.BOTH if proof.is_local_there else StoredState.REMOTE).value
            row.sha256, row.etag = proof.sha256, proof.stored.etag[:200]
            row.attempts, row.error, row.next_try_at = 0, None, None
            row.uploaded_at, row.verified_at = row.uploaded_at or at, at

    async def _put_off(self, segment: SealedSegment, code: str, state: StoredState) -> None:
        longest = LONGEST_PAUSE_AWAY if state is StoredState.LOCAL else LONGEST_PAUSE_WRONG
        async with self._database.write() as session:
            row = await stored_segment(session, segment)
            if row.state == StoredState.REMOVED:
                return
            row.state = state.value
            row.attempts += 1
            row.next_try_at = self._clock() + pause(row.attempts, longest)
            row.error = code

    async def _manifest(self, manifest: OutdatedManifest) -> str | None:
        """Bring a manifest as far as the index knows it to be synced; gives why it couldn't be."""
        try:
            size = await self._bring_manifest(manifest)
        except (StoreAway, ChecksumMismatch, NotStored) as error:
            await self._put_off_manifest(manifest, code_of(error))
            return code_of(error)
        async with self._database.write() as session:
            row = await stored_manifest(session, manifest.recording_id)
            row.lines, row.bytes, row.uploaded_at = manifest.lines, size, self._clock()
            row.attempts, row.next_try_at, row.error = 0, None, None
        return None

    async def _bring_manifest(self, manifest: OutdatedManifest) -> int:
        path = manifest.path
        size, sha256, head = await self._first_lines(path, manifest.lines)
        if head != manifest.head:
            # It isn't what its node told of.
            raise ChecksumMismatch(path, ALTERED)
        await self._growth.bring(path, size, sha256)
        return size

    async def _put_off_manifest(self, manifest: OutdatedManifest, code: str) -> None:
        async with self._database.write() as session:
            row = await stored_manifest(session, manifest.recording_id)
            row.attempts += 1
            row.next_try_at = self._clock() + pause(row.attempts, LONGEST_PAUSE_AWAY)
            row.error = code
        if not code.startswith(AWAY) and code != manifest.error:
            logger.error("the manifest of recording %s: %s", manifest.recording_id, code)

    async def _first_lines(self, path: str, wanted: int) -> tuple[int, str, str]:
        """How many bytes the first lines have, their SHA-256, and the hash of the last of them.

        Raises:
            ChecksumMismatch: there are fewer.
        """
        size, whole, last = 0, hashlib.sha256(), b""
        async for piece in self._local.open_range(path, 0, await self._local.size(path) - 1):
            for line in piece.splitlines(keepends=True):
                whole.update(line)
                size += len(line)
                last = line if last.endswith(b"\n") else last + line
                wanted -= line.endswith(b"\n")
                if not wanted:
                    return size, whole.hexdigest(), line_hash(last[:-1])
        raise ChecksumMismatch(path, SHORTER)

    async def _removed(self) -> list[str | None]:
        """Make sure that what was deleted on purpose while it was under way isn't there after all."""
        async with self._database.read() as session:
            removed = await removed_segments(session, AT_ONCE)
        codes: list[str | None] = []
        for stored, path in removed:
            try:
                await self._remote.remove(path)
            except StoreAway as error:
                codes.append(error.code)
                continue
            async with self._database.write() as session:
                (await session.merge(stored)).freed_at = self._clock()
            codes.append(None)
        return codes


async def digest_of(pieces: AsyncIterator[bytes]) -> str:
    """The SHA-256 in hex of what comes."""
    whole = hashlib.sha256()
    async for piece in pieces:
        await asyncio.to_thread(whole.update, piece)
    return whole.hexdigest()


def code_of(error: StoreAway | ChecksumMismatch | NotStored) -> str:
    """What is written down of it."""
    if isinstance(error, StoreAway):
        return error.code
    return MISSING if isinstance(error, NotStored) else MISMATCHES.get(error.where, error.where)


async def _together(calls: list[Awaitable[str | None]]) -> list[str | None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_awaited(call)) for call in calls]
    return [task.result() for task in tasks]


async def _awaited(call: Awaitable[str | None]) -> str | None:
    return await call
