"""Frees the folder's copies of segments that the storage was proven to have; manifests stay for ever."""

from __future__ import annotations

import logging
from datetime import timedelta

from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.store import NotStored
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.store_tables import StoredSegment, StoredState
from command_center.evidence.store_uploads import REMOTE_LOST
from command_center.evidence.store_whereabouts import releasable
from command_center.evidence.tables import RecordingSegment

logger = logging.getLogger(__name__)

BATCH = 10


class Release:
    """The one that frees. `grace` is how long a copy stays after the proof, where there is room."""

    def __init__(
        self,
        database: Database,
        local: LocalStore,
        remote: S3Store,
        grace: timedelta,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._local = local
        self._remote = remote
        self._grace = grace
        self._clock = clock

    async def step(self, *, is_space_low: bool) -> int:
        """Free some, the oldest first; gives how many were freed. Where space is low, the grace isn't waited for.

        Raises:
            StoreAway: the storage can't be asked whether it still has what it had.
        """
        verified_before = self._clock() if is_space_low else self._clock() - self._grace
        async with self._database.read() as session:
            found = await releasable(session, verified_before, BATCH)
        freed = 0
        for stored, segment in found:
            freed += await self._free(stored, segment)
        return freed

    async def _free(self, stored: StoredSegment, segment: RecordingSegment) -> bool:
        is_kept = await self._is_still_there(stored, segment)
        if is_kept:
            # Before the records say so: after a crash between, it is freed again, not forgotten.
            await self._local.remove(segment.path)
        async with self._database.write() as session:
            row = await session.get(StoredSegment, (stored.recording_id, stored.number))
            if row is None or row.state != StoredState.BOTH:
                return False
            if is_kept:
                row.state, row.freed_at = StoredState.REMOTE.value, self._clock()
            else:
                logger.error("segment %s-%04d: the storage has lost it", stored.recording_id, stored.number)
                row.state, row.error, row.next_try_at = StoredState.FAILED.value, REMOTE_LOST, None
        return is_kept

    async def _is_still_there(self, stored: StoredSegment, segment: RecordingSegment) -> bool:
        """Whether the storage has the very content that was read back: by its tag, or else by reading it again."""
        try:
            found = await self._remote.head(segment.path)
            if found.etag and found.etag[:200] == stored.etag and found.bytes == segment.bytes:
                return True
            digest, _ = await self._remote.digest(segment.path)
        except NotStored:
            return False
        return digest == segment.sha256
