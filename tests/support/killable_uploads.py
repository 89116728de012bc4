"""The storage's job as a process of its own, killed at seeded moments and begun again: `run` says what came of it."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from command_center.config import Settings
from command_center.database import Database
from command_center.evidence import store_job
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.store_tables import StoredSegment, StoredState
from command_center.evidence.tables import RecordingSegment
from streams.hub.hub import Hub
from tests.support.s3 import BUCKET, KEY, BadLine
from tests.support.waiting import until

WAIT_SECONDS = 60.0
NO_HUB = "redis://127.0.0.1:9/0"


def settings_of(data: Path, database_url: str, storage_url: str) -> Settings:
    """Of an installation whose folder's copies leave as soon as they may."""
    return Settings(
        data=data, database_url=database_url, redis_url=NO_HUB, s3_url=storage_url, s3_bucket=BUCKET, s3_prefix="court",
        s3_access_key=KEY.id, s3_secret_key=KEY.secret, local_copy_hours=0,
    )  # fmt: skip


async def work(settings: Settings) -> None:
    """Be the child: do the job until killed."""
    for name in ("IDLE_SECONDS", "RELEASE_SECONDS"):
        setattr(store_job, name, 0.05)
    job = store_job.store_job(settings, Database(settings.records_url), Hub(settings.hub_url))
    assert job is not None
    await job.run()


async def run(data: Path, database: Database, line: BadLine, *, kills: int, seed: int = 1) -> None:
    """Kill the job so often, let it end its work, and see that every segment is in the storage, whole, and only there.

    Raises:
        AssertionError: one isn't, or was gone from the folder before it was proven to be there.
    """
    random_ = random.Random(seed)
    settings = settings_of(data, database.engine.url.render_as_string(hide_password=False), line.bucket().url)
    remote = S3Store(line.bucket(), KEY, "recordings")
    segments = await _segments(database)
    try:
        for _ in range(kills):
            child = _start(settings)
            moment = len(line.seen) + random_.randint(1, 8)
            await until(
                lambda child=child, moment=moment: len(line.seen) >= moment or child.poll() is not None, WAIT_SECONDS
            )
            assert child.poll() is None, "the job ended"
            child.kill()
            child.wait(10)
            await _see(segments, data, remote)
        child = _start(settings)
        await until(lambda: _all_remote(database, len(segments)), WAIT_SECONDS)
        child.kill()
        child.wait(10)
        await _see(segments, data, remote)
        assert not any((data / "recordings" / segment.path).exists() for segment in segments)
    finally:
        await remote.close()


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.killable_uploads"]
    return subprocess.Popen([*command, str(settings.data), settings.database_url, settings.s3_url])


async def _see(segments: list[RecordingSegment], data: Path, remote: S3Store) -> None:
    """A segment that the folder has no more is whole in the storage, whatever the records say."""
    for segment in segments:
        if not (data / "recordings" / segment.path).exists():
            assert (await remote.digest(segment.path))[0] == segment.sha256


async def _segments(database: Database) -> list[RecordingSegment]:
    async with database.read() as session:
        return list(await session.scalars(select(RecordingSegment)))


async def _all_remote(database: Database, count: int) -> bool:
    async with database.read() as session:
        states = list(await session.scalars(select(StoredSegment.state)))
    return states == [StoredState.REMOTE.value] * count


if __name__ == "__main__":
    asyncio.run(work(settings_of(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
