"""The worker's side of exports: one at a time is built in a process of its own, watched, and cleared away at last."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import case, select

from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.exports.auditing import audit_export
from command_center.evidence.exports.plan import Wanted
from command_center.evidence.exports.tables import KEPT_STATES, OPEN_STATES, ExportJob, ExportState
from command_center.evidence.exports.troubles import TRANSIENT, Trouble
from command_center.operations.records import to_ms

logger = logging.getLogger(__name__)

STEP_SECONDS = 1.0
SWEEP_SECONDS = 60.0
RETRY_SECONDS = 30.0
TRIES = 3
"""How often a package is begun whose process ends without a word."""
PATIENT_TRIES = 240
"""How often one whose store is away: two hours."""
STALL_SECONDS = 1800.0
"""A process that tells no progress for so long hangs."""
END_SECONDS = 5.0
"""How long a process may take to end when it is told to."""


@dataclass(slots=True)
class _Building:
    """A package being built."""

    job: UUID
    process: asyncio.subprocess.Process
    reading: asyncio.Task[None] | None = None
    done: int = 0
    units: int = 0
    told: tuple[int, int] = (0, 0)
    """What of it is in the records."""
    heard_at: float = 0.0
    outcome: dict[str, object] = field(default_factory=dict)


class Exporter:
    """Does what was asked for, the oldest first; what was under way when a worker died is gone on with."""

    def __init__(self, database: Database, audit: Audit, settings: Settings, clock: Clock = now) -> None:
        self._database = database
        self._audit = audit
        self._settings = settings
        self._clock = clock
        self._building: _Building | None = None
        self._tries: dict[UUID, int] = {}
        self._wait_until = self._sweep_at = 0.0

    async def step(self) -> None:
        """Look after the package under way, or begin the next one; takes about a second."""
        at = asyncio.get_running_loop().time()
        if self._building is not None:
            await self._watch(self._building)
        elif at >= self._sweep_at:
            self._sweep_at = at + SWEEP_SECONDS
            await self._sweep()
        elif at >= self._wait_until and (wanted := await self._next()) is not None:
            self._building = await self._begin(wanted)
            return
        await asyncio.sleep(STEP_SECONDS)

    async def close(self) -> None:
        """Let go of the package under way; whoever has the lease next goes on with it."""
        if self._building is not None:
            await _end(self._building)
            self._building = None

    async def _next(self) -> Wanted | None:
        """What is to be done: first what was under way."""
        query = (
            select(ExportJob)
            .where(ExportJob.state.in_(OPEN_STATES))
            .order_by(case((ExportJob.state == ExportState.RUNNING.value, 0), else_=1), ExportJob.requested_at)
            .limit(1)
        )
        async with self._database.read() as session:
            if await session.scalar(query) is None:
                return None
        async with self._database.write() as session:
            job = await session.scalar(query.with_for_update())
            if job is None:
                return None
            if job.state == ExportState.QUEUED.value:
                job.move_to(ExportState.RUNNING)
                job.started_at = self._clock()
            return _wanted(job, job.started_at or job.requested_at)

    async def _begin(self, wanted: Wanted) -> _Building:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "utf8", "-m", "command_center.evidence.exports"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment(),
        )
        assert process.stdin is not None  # noqa: S101 - as asked for
        with suppress(ConnectionError):
            process.stdin.write(wanted.model_dump_json().encode() + b"\n")
            await process.stdin.drain()
        building = _Building(wanted.job, process, heard_at=asyncio.get_running_loop().time())
        building.reading = asyncio.create_task(_read(building))
        logger.info("export %s: building", wanted.job)
        return building

    def _environment(self) -> Mapping[str, str]:
        """What the process reads its settings from: ours, whatever they were made of."""
        return {
            **os.environ,
            "COMMAND_CENTER_DATA": str(self._settings.data.resolve()),
            "COMMAND_CENTER_DATABASE_URL": self._settings.records_url,
        }

    async def _watch(self, building: _Building) -> None:
        if building.reading is not None and building.reading.done() and building.process.returncode is not None:
            self._building = None
            await self._ended(building)
            return
        if asyncio.get_running_loop().time() - building.heard_at > STALL_SECONDS:
            logger.error("export %s: no progress, its process is ended", building.job)
            await _end(building)
            return
        progress = (building.done, building.units)
        async with self._database.read() as session:
            job = await session.get(ExportJob, building.job)
        if job is None or job.state != ExportState.RUNNING.value:
            self._building = None
            await _end(building)
            await self._remove(building.job)
        elif progress != building.told:
            async with self._database.write() as session:
                job = await session.get_one(ExportJob, building.job, with_for_update=True)
                job.units_done, job.units = progress
            building.told = progress

    async def _ended(self, building: _Building) -> None:
        """Write down what came of it, or have it tried again."""
        result, error = building.outcome.get("result"), building.outcome.get("error")
        if isinstance(result, dict):
            await self._finish(building.job, size=int(result["bytes"]), sha256=str(result["sha256"]))
            return
        trouble = Trouble(str(error)) if error is not None else Trouble.FAILED
        tries = self._tries[building.job] = self._tries.get(building.job, 0) + 1
        is_final = error is not None and trouble not in TRANSIENT
        if is_final or tries >= (PATIENT_TRIES if error is not None else TRIES):
            await self._finish(building.job, trouble=trouble)
            return
        logger.warning("export %s: try %d ended with %s", building.job, tries, building.process.returncode)
        if error is not None:
            self._wait_until = asyncio.get_running_loop().time() + RETRY_SECONDS

    async def _finish(self, job_id: UUID, *, size: int = 0, sha256: str = "", trouble: Trouble | None = None) -> None:
        self._tries.pop(job_id, None)
        async with self._database.write() as session:
            job = await session.get_one(ExportJob, job_id, with_for_update=True)
            if job.state == ExportState.RUNNING.value:
                job.finished_at = self._clock()
                if trouble is None:
                    job.move_to(ExportState.DONE)
                    job.bytes, job.sha256, job.units_done = size, sha256, job.units
                else:
                    job.move_to(ExportState.FAILED)
                    job.error = trouble.value
                details = {"code": trouble.value if trouble else "done"}
                await audit_export(session, self._audit, job, "export.finished", details)
        if trouble is not None:
            await self._remove(job_id)

    async def _sweep(self) -> None:
        """Remove packages whose time is over, and what cancelled or failed exports have left."""
        due = self._clock() - timedelta(days=self._settings.exports_keep_days)
        async with self._database.write() as session:
            over = await session.scalars(
                select(ExportJob).where(ExportJob.state == ExportState.DONE.value, ExportJob.finished_at < due)
            )
            for job in over.all():
                job.move_to(ExportState.EXPIRED)
                await audit_export(session, self._audit, job, "export.expired")
        async with self._database.read() as session:
            kept = set(await session.scalars(select(ExportJob.id).where(ExportJob.state.in_(KEPT_STATES))))
        for left in await asyncio.to_thread(_folders, self._settings.exports):
            if left not in kept:
                await self._remove(left)

    async def _remove(self, job_id: UUID) -> None:
        await asyncio.to_thread(shutil.rmtree, self._settings.exports / str(job_id), ignore_errors=True)


def _wanted(job: ExportJob, at: datetime) -> Wanted:
    return Wanted(
        job=job.id,
        operation=job.operation_id,
        requested_by=job.requested_by,
        purpose=job.purpose,
        reason=job.reason,
        since=to_ms(job.since),
        until=to_ms(job.until),
        feeds=tuple(str(feed) for feed in job.feeds),
        is_masked=job.is_masked,
        at=to_ms(at),
    )


async def _read(building: _Building) -> None:
    """Take in what the process tells, until its end."""
    assert building.process.stdout is not None  # noqa: S101 - as asked for
    async for line in building.process.stdout:
        building.heard_at = asyncio.get_running_loop().time()
        with suppress(ValueError, TypeError):
            told = json.loads(line)
            if "units" in told:
                building.done, building.units = int(told["done"]), int(told["units"])
            else:
                building.outcome = told
    await building.process.wait()


async def _end(building: _Building) -> None:
    process = building.process
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if building.reading is not None:
        await asyncio.wait([building.reading])


def _folders(exports: Path) -> list[UUID]:
    found = []
    for path in exports.iterdir() if exports.exists() else ():
        with suppress(ValueError):
            found.append(UUID(path.name))
    return found
