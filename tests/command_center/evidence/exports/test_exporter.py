"""The worker's side: what was asked for is made in a process of its own, and cleared away in the end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from command_center.audit import Audit, AuditEntry
from command_center.config import Settings
from command_center.evidence.exports import exporter as module
from command_center.evidence.exports.exporter import Exporter
from command_center.evidence.exports.folder import Busy
from command_center.evidence.exports.plan import PACKAGE_FILE
from command_center.evidence.exports.tables import ExportJob, ExportState
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.tables import Recording
from tests.command_center.evidence.conftest import START
from tests.command_center.evidence.exports.conftest import Case

BUILD_SECONDS = 90.0
"""A process starts and builds within this, on a machine that does much else."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_SECONDS", 0.05)
    monkeypatch.setenv("COMMAND_CENTER_EXPORTS_RESERVE_MB", "0")


@pytest.fixture
async def exporter(case: Case) -> AsyncIterator[Exporter]:
    made = Exporter(case.world.database, Audit(), Settings(data=case.data, exports_keep_days=30))
    yield made
    await made.close()


async def ask(case: Case, **changes: object) -> UUID:
    """Put an export into the queue."""
    values: dict[str, object] = {
        "since": START - timedelta(seconds=1),
        "until": START + timedelta(seconds=7),
        "feeds": ["feed-1", "feed-2"],
    }
    async with case.world.database.write() as session:
        job = ExportJob(
            operation_id=case.world.operation, requested_by=case.world.city.user_id, purpose="appeal",
            idempotency_key=uuid4(), requested_at=datetime.now(UTC), **(values | changes),
        )  # fmt: skip
        session.add(job)
        await session.flush()
        return job.id


async def job_of(case: Case, job_id: UUID) -> ExportJob:
    async with case.world.database.read() as session:
        return await session.get_one(ExportJob, job_id)


async def step_until(case: Case, exporter: Exporter, job_id: UUID, *states: ExportState) -> ExportJob:
    """Step until the export is in one of these states."""
    async with asyncio.timeout(BUILD_SECONDS):
        while (job := await job_of(case, job_id)).state not in states:
            await exporter.step()
    return job


@pytest.mark.timeout(120)
async def test_what_was_asked_for_is_made_with_its_progress_told(case: Case, exporter: Exporter) -> None:
    job_id = await ask(case)
    job = await step_until(case, exporter, job_id, ExportState.DONE, ExportState.FAILED)
    assert (job.state, job.error) == ("done", "")
    assert job.units_done == job.units > 0
    path = case.data / "exports" / str(job_id) / PACKAGE_FILE
    assert (job.bytes, job.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    async with case.world.database.read() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "export.finished"))
    assert entry is not None
    assert json.loads(entry.details) == {"operation": str(case.world.operation), "purpose": "appeal", "code": "done"}


@pytest.mark.timeout(120)
async def test_what_a_dead_worker_left_is_gone_on_with_first(case: Case, exporter: Exporter) -> None:
    job_id = await ask(case)
    async with asyncio.timeout(BUILD_SECONDS):
        while exporter._building is None or not exporter._building.units:
            await exporter.step()
    os.kill(exporter._building.process.pid, signal.SIGKILL)
    await exporter.close()
    other = await ask(case)
    second = Exporter(case.world.database, Audit(), Settings(data=case.data))
    try:
        await step_until(case, second, job_id, ExportState.DONE)
        assert (await job_of(case, other)).state == ExportState.QUEUED
    finally:
        await second.close()


@pytest.mark.timeout(120)
async def test_what_is_called_off_while_it_is_made_leaves_nothing(case: Case, exporter: Exporter) -> None:
    job_id = await ask(case, until=START + timedelta(hours=1))
    async with asyncio.timeout(BUILD_SECONDS):
        while exporter._building is None or not exporter._building.units:
            await exporter.step()
    async with case.world.database.write() as session:
        (await session.get_one(ExportJob, job_id)).move_to(ExportState.CANCELLED)
    async with asyncio.timeout(BUILD_SECONDS):
        while exporter._building is not None:
            await exporter.step()
    assert not (case.data / "exports" / str(job_id)).exists()


@pytest.mark.timeout(120)
async def test_what_is_withdrawn_while_it_is_made_is_stopped_and_leaves_nothing(case: Case, exporter: Exporter) -> None:
    job_id = await ask(case, until=START + timedelta(hours=1))
    async with case.world.database.read() as session:
        recording = (await session.scalars(select(Recording.id).order_by(Recording.started_at).limit(1))).one()
    async with asyncio.timeout(BUILD_SECONDS):
        while exporter._building is None or not exporter._building.units:
            await exporter.step()
    withdrawals = Withdrawals(case.world.database, Audit(), case.data / "exports")
    with pytest.raises(Busy):
        await withdrawals.withdraw(recording)
    async with asyncio.timeout(BUILD_SECONDS):
        while exporter._building is not None:
            await exporter.step()
    await withdrawals.withdraw(recording)
    job = await job_of(case, job_id)
    assert (job.state, job.error) == ("withdrawn", "export-recording-deleted")
    assert not (case.data / "exports" / str(job_id)).exists()


@pytest.mark.timeout(120)
async def test_without_room_it_fails_with_its_code(
    case: Case, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMAND_CENTER_EXPORTS_RESERVE_MB", str(1 << 40))
    job_id = await ask(case)
    job = await step_until(case, exporter, job_id, ExportState.DONE, ExportState.FAILED)
    assert (job.state, job.error) == ("failed", "export-no-room")
    assert not (case.data / "exports" / str(job_id)).exists()


async def test_packages_go_when_their_time_is_over(case: Case, exporter: Exporter) -> None:
    now = datetime.now(UTC)
    old = await ask(case, state="done", finished_at=now - timedelta(days=31))
    young = await ask(case, state="done", finished_at=now - timedelta(days=29))
    failed = await ask(case, state="failed", finished_at=now)
    for job_id in (old, young, failed):
        (case.data / "exports" / str(job_id)).mkdir(parents=True)
    await exporter.step()
    assert (await job_of(case, old)).state == ExportState.EXPIRED
    left = [path.name for path in (case.data / "exports").iterdir()]
    assert left == [str(young)]
