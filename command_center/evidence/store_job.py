"""The worker's part of the storage: brings, proves, frees, copies ledgers, and tells how the storage stands."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from command_center.clock import Clock, now
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.space import Limits, Space, look
from command_center.evidence.store import StoreAway
from command_center.evidence.store_ledgers import LOOK_SECONDS, Ledgers
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_release import Release
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.store_tiered import PROOF_FOLDER, RECORDINGS_FOLDER, remote_of
from command_center.evidence.store_uploads import AWAY, Uploads
from command_center.evidence.store_whereabouts import storage_troubles
from streams.hub.hub import Hub
from streams.hub.topics import PROCESS_KEY, STORAGE_PART
from streams.supervision import leave_if_cancelled

logger = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
RELEASE_SECONDS = 10.0
PROBE_SECONDS = 20.0
TELL_SECONDS = 5.0
LIFE_SECONDS = 20

State = Literal["running", "away", "faulty"]
"""`faulty`: it has, or the folder has, other bytes than the manifests sign; or it has lost some."""


class StoreJob:
    """All of it, of one worker at a time."""

    def __init__(
        self, database: Database, hub: Hub, uploads: Uploads, release: Release, ledgers: Ledgers,
        local: LocalStore, remotes: Sequence[S3Store], limits: Limits, clock: Clock = now,
    ) -> None:  # fmt: skip
        self._database = database
        self._hub = hub
        self._uploads = uploads
        self._release = release
        self._ledgers = ledgers
        self._local = local
        self._remotes = remotes
        self._limits = limits
        self._clock = clock
        self._told: State = "running"
        self._since = clock()

    async def run(self) -> None:
        """Do it until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bring())
            group.create_task(self._free())
            group.create_task(self._copy())
            group.create_task(self._tell())

    async def close(self) -> None:
        """Close the connections to the storage."""
        for remote in self._remotes:
            await remote.close()

    async def _bring(self) -> None:
        await self._uploads.begin()
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        while True:
            leave_if_cancelled()
            if await self._uploads.step() and self._uploads.trouble is None:
                asked_at = loop.time()
                continue
            if loop.time() - asked_at > PROBE_SECONDS:
                await self._uploads.probe()
                asked_at = loop.time()
            await asyncio.sleep(IDLE_SECONDS)

    async def _free(self) -> None:
        while True:
            leave_if_cancelled()
            try:
                if await self._release.step(is_space_low=await self._is_space_low()):
                    continue
            except StoreAway as error:
                logger.debug("nothing is freed while the storage is away: %s", error)
            await asyncio.sleep(RELEASE_SECONDS)

    async def _is_space_low(self) -> bool:
        try:
            room = await look(self._database, self._local.root, self._clock)
        except OSError:
            return False
        return self._limits.judge(room, Space.ENOUGH) is not Space.ENOUGH

    async def _copy(self) -> None:
        while True:
            leave_if_cancelled()
            await self._ledgers.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self) -> None:
        while True:
            leave_if_cancelled()
            state = await self.state()
            if state != self._told:
                self._told, self._since = state, self._clock()
            told = {"name": STORAGE_PART, "state": state, "since": int(self._since.timestamp() * 1000)}
            await self._hub.put(PROCESS_KEY.format(name=STORAGE_PART), json.dumps(told), life_seconds=LIFE_SECONDS)
            await asyncio.sleep(TELL_SECONDS)

    async def state(self) -> State:
        """How the storage stands."""
        async with self._database.read() as session:
            wrong = await storage_troubles(session)
        if wrong or any(not code.startswith(AWAY) for code in self._ledgers.troubles.values()):
            return "faulty"
        return "away" if self._uploads.trouble is not None else "running"


def store_job(settings: Settings, database: Database, hub: Hub) -> StoreJob | None:
    """The job as the settings want it; None where recordings stay in the folder.

    Raises:
        OSError: a file that the settings name can't be read.
    """
    remote, proof = remote_of(settings, RECORDINGS_FOLDER), remote_of(settings, PROOF_FOLDER)
    if remote is None or proof is None:
        return None
    local = LocalStore(settings.recordings)
    return StoreJob(
        database,
        hub,
        Uploads(database, local, remote),
        Release(database, local, remote, timedelta(hours=settings.local_copy_hours)),
        Ledgers(LocalStore(settings.proof), proof),
        local,
        (remote, proof),
        limits_of(settings),
    )


def limits_of(settings: Settings) -> Limits:
    """When room is low, by the settings."""
    return Limits(settings.space_low_hours, settings.space_critical_hours)
