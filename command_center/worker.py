"""The worker process: what the hub's streams hold into SQL, deadlines watched, what waits sent out."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType

from sqlalchemy.exc import SQLAlchemyError

from command_center.accounts.revocations import Revocations
from command_center.accounts.sessions import EXPIRED_BATCH, ExpiredSignIns
from command_center.asset_desk import assets_of
from command_center.asset_jobs import LOOK_SECONDS, Resting, asset_jobs
from command_center.audit import Audit
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.disposal import Disposal
from command_center.evidence.exports.exporter import Exporter
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.index import index_events
from command_center.evidence.keyring import Keyring
from command_center.evidence.proof import proof_of
from command_center.evidence.rebuild import compare
from command_center.evidence.retention_rules import periods_of
from command_center.evidence.space_watch import SpaceWatch
from command_center.evidence.store import Store
from command_center.evidence.store_job import limits_of, store_job
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_tiered import store_of
from command_center.evidence.store_whereabouts import storage_troubles
from command_center.evidence.tombstones import FILE, Tombstones
from command_center.journal import Journal
from command_center.lease import Leases
from command_center.operations.alarms import Alarms
from command_center.operations.feeds import Feeds
from command_center.operations.instructions import Instructions
from command_center.operations.positions import Positions
from command_center.operations.talks import Talks
from command_center.outbox import Outbox
from command_center.stream_job import StreamJob
from streams.hub.hub import Hub, HubAway
from streams.hub.topics import (
    CAMERAS_STREAM,
    POSITIONS_STREAM,
    RECORDINGS_STREAM,
    TALKS_STREAM,
    WORKER_KEY,
    WORKER_LIFE_SECONDS,
    CameraChanged,
    PositionTaken,
    RecordingChanged,
    RecordingWritten,
    TalkChanged,
)
from streams.supervision import keep_running, leave_if_cancelled

logger = logging.getLogger(__name__)


LEASE_SECONDS = 10.0
RENEW_SECONDS = 3.0
STEP_SECONDS = 1.0
"""How often deadlines and the outbox are looked at."""
CAUGHT_UP_SECONDS = 15.0
"""So long nothing must have come of talks before a node's silence means anything: it may bring what it kept."""
EXPIRY_SECONDS = 30.0
"""How long after a sign-in's end its pictures may go on at most."""
LIFE_SIGN_SECONDS = 2.0
POSITIONS_GATHER_SECONDS = 1.0
"""Screens are told of each position at once; into the records and journals they go together."""
LOOK_OVER_SECONDS = 3600.0
"""How often SQLite is shown how large its tables are."""
COMPARE_SECONDS = 3600.0
"""How often it is looked for recordings of which not every line came."""
RECORDINGS_CONSUMER, TALKS_CONSUMER = "recordings", "talks"
"""One name for all workers: what a recording or a talk went through must be kept in order, by who has the lease."""
Step = Callable[[], Awaitable[object]]


class Worker:
    """One worker; several share the streams, and of them one at a time does each of the other jobs."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        name: str = "",
        *,
        idle_minutes: int,
        jobs: Mapping[str, Step] = MappingProxyType({}),
        lasting: Mapping[str, Callable[[], Awaitable[None]]] = MappingProxyType({}),
    ) -> None:
        """`jobs`: what else one worker at a time does, again and again; each step waits by itself where it is idle.
        `lasting`: what one worker at a time does that has no end, and steps longer than a lease.
        """
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        outbox = Outbox(database, hub)
        audit, journal = Audit(), Journal()
        self._hub = hub
        self._journal = journal
        self._outbox = outbox
        self._talks = Talks(database, audit, journal)
        self._leases = Leases(database, self.name, LEASE_SECONDS)
        self._positions = Positions(database, journal)
        self._instructions = Instructions(database, hub, audit, journal)
        revocations = Revocations(outbox, hub)
        self._feeds = Feeds(database, hub, audit, journal, revocations)
        self._expired = ExpiredSignIns(database, revocations, idle_minutes=idle_minutes)
        self._expiry_at = 0.0
        self._talks_heard_since: float | None = None
        self._database = database
        self._jobs = jobs
        self._lasting = lasting
        self.recordings_job: StreamJob[RecordingWritten] = StreamJob(
            hub,
            RECORDINGS_STREAM,
            RECORDINGS_CONSUMER,
            RecordingWritten.model_validate_json,
            self._index,
            idle_seconds=0,
        )
        self.positions_job: StreamJob[PositionTaken] = StreamJob(
            hub,
            POSITIONS_STREAM,
            self.name,
            PositionTaken.model_validate_json,
            self._positions.insert,
            gather_seconds=POSITIONS_GATHER_SECONDS,
        )
        self.cameras_job: StreamJob[CameraChanged] = StreamJob(
            hub, CAMERAS_STREAM, self.name, CameraChanged.model_validate_json, self._keep_cameras
        )

        self.talks_job: StreamJob[TalkChanged] = StreamJob(
            hub, TALKS_STREAM, TALKS_CONSUMER, TalkChanged.model_validate_json, self._talks.record, idle_seconds=0
        )

    async def run(self) -> None:
        """Work until cancelled; then give the leases back, so that another worker goes on at once."""
        leased = {
            "escalation": self._escalate,
            "outbox": self._flush,
            "recordings": self._record,
            "sign-ins": self._expire,
            "talks": self._keep_talks,
            **self._jobs,
        }
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_running("positions", self.positions_job.run))
                group.create_task(keep_running("cameras", self.cameras_job.run))
                group.create_task(keep_running("life sign", self._give_life_sign))
                for job, step in leased.items():
                    group.create_task(keep_running(job, partial(self._do_leased, job, step)))
                for job, work in self._lasting.items():
                    group.create_task(keep_running(job, partial(self._leases.work, job, work, RENEW_SECONDS)))
        finally:
            for job in (*leased, *self._lasting):
                await self._give_back(job)

    async def _do_leased(self, job: str, step: Step) -> None:
        """Do `step` again and again for as long as the lease of `job` is ours; wait for it otherwise."""
        loop = asyncio.get_running_loop()
        renewed_at = 0.0
        while True:
            leave_if_cancelled()
            if loop.time() - renewed_at >= RENEW_SECONDS or not renewed_at:
                if not await self._leases.take(job):
                    await asyncio.sleep(RENEW_SECONDS)
                    continue
                renewed_at = loop.time()
            await step()

    async def _escalate(self) -> None:
        if await self._instructions.escalate() == 0:
            await asyncio.sleep(STEP_SECONDS)

    async def _expire(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._expiry_at:
            await asyncio.sleep(STEP_SECONDS)
        elif await self._expired.end() < EXPIRED_BATCH:
            self._expiry_at = now + EXPIRY_SECONDS

    async def _flush(self) -> None:
        try:
            if await self._outbox.flush() > 0:
                return
        except HubAway:
            logger.debug("hub away, the outbox waits")
        await asyncio.sleep(STEP_SECONDS)

    async def _record(self) -> None:
        try:
            await self.recordings_job.step()
        except HubAway:
            await asyncio.sleep(STEP_SECONDS)

    async def _keep_talks(self) -> None:
        try:
            count = await self.talks_job.step()
        except HubAway:
            self._talks_heard_since = None
            await asyncio.sleep(STEP_SECONDS)
            return
        now = asyncio.get_running_loop().time()
        if count or self._talks_heard_since is None:
            self._talks_heard_since = now
        # After an outage the nodes bring what they have kept meanwhile: the end of a talk may be among it.
        await self._talks.close_due(gives_up=now - self._talks_heard_since >= CAUGHT_UP_SECONDS)

    async def _index(self, events: Sequence[RecordingWritten]) -> None:
        for feed in sorted(await index_events(self._database, events, self._journal)):
            await self._hub.publish(RecordingChanged(feed=feed))

    async def _keep_cameras(self, events: Sequence[CameraChanged]) -> None:
        """Write down what devices say of their cameras over the data channel; an older word changes nothing."""
        for event in events:
            await self._feeds.camera_changed(event.feed, event.state, event.received_at)

    async def _give_life_sign(self) -> None:
        while True:
            await self._hub.put(WORKER_KEY.format(name=self.name), "1", life_seconds=WORKER_LIFE_SECONDS)
            await asyncio.sleep(LIFE_SIGN_SECONDS)

    async def _give_back(self, job: str) -> None:
        try:
            await self._leases.give_back(job)
        except (SQLAlchemyError, OSError):
            logger.warning("the lease of %s runs out by itself", job)


async def _keep_compared(database: Database, store: LocalStore) -> None:
    """Index what the folder holds and no event told of, now and again; events and this may come in any order.

    What storage far away alone still has, `command-center index rebuild` fetches.
    """
    await _compare(database, store)
    while True:
        leave_if_cancelled()
        await asyncio.sleep(COMPARE_SECONDS)
        await _compare(database, store, passes_growing=True)


async def _compare(database: Database, store: LocalStore, *, passes_growing: bool = False) -> None:
    try:
        count = await compare(database, store, Journal(), passes_growing=passes_growing)
    except (SQLAlchemyError, OSError):
        logger.exception("the store of recordings could not be compared with its index")
    else:
        logger.info("%d recordings compared with their index", count)


async def _keep_looked_over(database: Database) -> None:
    """Plans that were good for an empty table are no good for a full one."""
    while True:
        await database.look_over()
        await asyncio.sleep(LOOK_OVER_SECONDS)


def _disposal(settings: Settings, database: Database, store: Store) -> Disposal:
    tombstones = Tombstones(settings.data / FILE, Keyring(settings.data, settings.keys).signing)
    withdrawals = Withdrawals(database, Audit(), settings.exports)
    return Disposal(database, Audit(), Journal(), store, tombstones, withdrawals, periods_of(settings))


async def _watch(alarms: Alarms) -> None:
    try:
        await alarms.look()
    except HubAway:
        logger.debug("hub away, alarms wait")
    await asyncio.sleep(STEP_SECONDS)


async def run(settings: Settings) -> None:
    """Be the worker until SIGTERM or Ctrl-C."""
    database, hub = Database(settings.records_url), Hub(settings.hub_url)
    store, storage = store_of(settings, database), store_job(settings, database, hub)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        proof = proof_of(settings, database, hub)
        alarms = Alarms(database, hub, Journal(), stored=None if storage is None else storage_troubles)
        exporter = Exporter(database, Audit(), settings)
        assets = assets_of(settings, database, hub, Audit(), Journal())
        jobs: dict[str, Step] = {
            "journals": proof.keep_journals,
            "anchors": proof.keep_anchors,
            "alarms": partial(_watch, alarms),
            "exports": exporter.step,
            "space": SpaceWatch(database, hub, settings.recordings, limits_of(settings)).step,
            **asset_jobs(settings, database, hub),
            "asset chasing": Resting(assets.chasing.step, LOOK_SECONDS).step,
        }
        lasting: dict[str, Callable[[], Awaitable[None]]] = {
            "comparing": partial(_keep_compared, database, LocalStore(settings.recordings)),
            "disposal": _disposal(settings, database, store).run,
            # The web process sends as well, and sooner: this one goes on where that has died.
            "assets": assets.run,
        }
        if database.is_sqlite:
            lasting["plans"] = partial(_keep_looked_over, database)
        if storage is not None:
            lasting["storage"] = storage.run
        worker = Worker(database, hub, idle_minutes=settings.session_idle_minutes, jobs=jobs, lasting=lasting)
        working = asyncio.create_task(worker.run())
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await proof.finish()
        await exporter.close()
        await assets.close()
    finally:
        if storage is not None:
            await storage.close()
        await store.close()
        await hub.close()
        await database.close()
