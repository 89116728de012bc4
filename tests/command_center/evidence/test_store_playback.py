"""The whole way: a worker brings recordings to storage and frees the folder, the web process plays them from there."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import typer
from sqlalchemy import select

from command_center.__main__ import _fetch_ledgers, _prepare, _rebuild
from command_center.config import Settings
from command_center.evidence import store_job
from command_center.evidence.index import index_events
from command_center.evidence.keyring import Keyring
from command_center.evidence.store_ledgers import Ledgers
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from command_center.evidence.verification import verify_installation
from command_center.evidence.verifier import Options
from command_center.worker import Worker
from streams.ledger import Chain
from tests.support.lines import register, screen
from tests.support.manifests import Made, make_recording
from tests.support.s3 import BUCKET, KEY, BadLine, S3Server, bad_line
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

LONG = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test's size."""
    for name in ("IDLE_SECONDS", "RELEASE_SECONDS", "PROBE_SECONDS", "TELL_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(store_job, name, 0.1)


@pytest.fixture
async def line(s3: S3Server) -> AsyncIterator[BadLine]:
    """The line to the storage."""
    async with bad_line(s3) as line:
        yield line


@pytest.fixture
async def stored_web(tmp_path: Path, valkey: Valkey, line: BadLine) -> AsyncIterator[RunningWeb]:
    """A web process whose recordings go to storage, the folder's copies leaving as soon as they may."""
    secret = tmp_path / "s3-secret"
    secret.write_text(f"{KEY.secret}\n")
    settings = settings_for(
        tmp_path / "data", valkey.url, s3_url=line.bucket().url, s3_bucket=BUCKET, s3_prefix="/court/",
        s3_access_key=KEY.id, s3_secret_key_file=secret, local_copy_hours=0,
    )  # fmt: skip
    async with running_web(settings) as web:
        yield web


@asynccontextmanager
async def working(web: RunningWeb) -> AsyncIterator[None]:
    """A worker with the storage's job."""
    job = store_job.store_job(web.web.settings, web.web.database, web.web.hub)
    assert job is not None
    worker = Worker(web.web.database, web.web.hub, "one", idle_minutes=60, lasting={"storage": job.run})
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await job.close()


async def _record(web: RunningWeb) -> Made:
    feed = await register(web, await web.signed_in("officer1"))
    made = make_recording(web.web.settings.recordings, feed)
    await index_events(web.web.database, made.events)
    return made


def _segment(made: Made, number: int = 1) -> str:
    return f"/api/recordings/{made.recording}/segments/{number}"


async def _part(client: httpx.AsyncClient, name: str = "storage") -> str | None:
    return str((await client.get("/healthz")).json()["parts"].get(name))


async def test_a_recording_is_brought_freed_and_played_from_the_storage(stored_web: RunningWeb, line: BadLine) -> None:
    made = await _record(stored_web)
    contents = [path.read_bytes() for path in made.segments]
    ledger = stored_web.web.settings.proof / "anchors.jsonl"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    ledger.write_bytes(Chain("anchors/1").line({"type": "anchor"}) + b"torn")
    client = await stored_web.signed_in("commander")
    async with working(stored_web):
        await until(lambda: not any(path.exists() for path in made.segments), LONG)
        assert made.manifest.exists()
        index = (await client.get(f"/api/recordings/{made.recording}/index")).json()
        assert [one["is_missing"] for one in index["segments"]] == [False, False]
        for number, content in enumerate(contents, start=1):
            answer = await client.get(_segment(made, number))
            assert (answer.status_code, answer.content) == (200, content)
            part = await client.get(_segment(made, number), headers={"Range": "bytes=100-4099"})
            assert (part.status_code, part.content) == (206, content[100:4100])
        await until(lambda: any(path.endswith("/proof/anchors.jsonl") for method, path in line.seen if method == "PUT"))
        await until(lambda: _is(client, "running"), LONG)

        await line.close()
        answer = await client.get(_segment(made), headers={"Range": "bytes=100-4099"})
        assert (answer.status_code, answer.json()["code"]) == (503, "recording-unreachable")
        await until(lambda: _is(client, "away"), LONG)
        async with screen(stored_web, client) as page:
            await until(lambda: "storage" in page.parts and page.parts["storage"].state == "away", 10)
            await line.open()
            await until(lambda: page.parts["storage"].state == "running", LONG)
        assert (await client.get(_segment(made))).content == contents[0]


async def _is(client: httpx.AsyncClient, state: str) -> bool:
    return await _part(client) == state


async def test_what_the_storage_was_given_wrongly_is_told_and_brought_again(
    stored_web: RunningWeb, line: BadLine
) -> None:
    line.corrupts_uploads = True
    made = await _record(stored_web)
    client = await stored_web.signed_in("commander")
    async with working(stored_web):
        await until(lambda: _is(client, "faulty"), LONG)
        assert all(path.exists() for path in made.segments)
        line.corrupts_uploads = False
        await until(lambda: not any(path.exists() for path in made.segments), LONG)
        await until(lambda: _is(client, "running"), LONG)


async def test_one_command_makes_the_index_anew_where_the_folder_was_lost(
    stored_web: RunningWeb, line: BadLine
) -> None:
    made = await _record(stored_web)
    content = made.segments[0].read_bytes()
    async with working(stored_web):
        await until(lambda: not any(path.exists() for path in made.segments), LONG)
        ledger = stored_web.web.settings.proof / "journals" / "one.jsonl"
        ledger.parent.mkdir(parents=True, exist_ok=True)
        ledger.write_text("{}\n")
        storage = S3Store(line.bucket(), KEY, "proof")
        await until(lambda: storage.exists("journals/one.jsonl"), LONG)
        await storage.close()
    before = await _index(stored_web)
    shutil.rmtree(stored_web.web.settings.proof)
    shutil.rmtree(stored_web.web.settings.recordings)
    async with stored_web.web.database.write() as session:
        for table in (RecordingGap, RecordingSegment, Recording):
            for row in await session.scalars(select(table)):
                await session.delete(row)
            await session.flush()
    settings = stored_web.web.settings
    assert await _fetch_ledgers(settings) > 0
    rebuilt = await _rebuild(settings)
    assert (rebuilt.manifests, rebuilt.unread) == (1, 0)
    assert ledger.read_text() == "{}\n"
    assert await _fetch_ledgers(settings) == 0
    assert await _index(stored_web) == before
    assert (await (await stored_web.signed_in("commander")).get(_segment(made))).content == content


async def test_where_the_disk_is_lost_the_ledger_of_keys_comes_back_before_any_is_made(
    stored_web: RunningWeb, line: BadLine
) -> None:
    settings = stored_web.web.settings
    Keyring(settings.data, settings.keys).ensure(["node-1"])
    kept = (settings.proof / "keys.jsonl").read_bytes()
    storage = S3Store(line.bucket(), KEY, "proof")
    await Ledgers(LocalStore(settings.proof), storage).step()
    await storage.close()
    shutil.rmtree(settings.proof)
    line.answers = 503
    with pytest.raises(typer.Exit):
        await asyncio.to_thread(_prepare, settings)
    assert not (settings.proof / "keys.jsonl").exists()
    line.answers = 0
    assert await asyncio.to_thread(_prepare, settings) == 1
    assert (settings.proof / "keys.jsonl").read_bytes() == kept
    # Nobody asks the storage where the ledger is.
    line.answers = 503
    assert await asyncio.to_thread(_prepare, settings) == 0


async def test_what_only_the_storage_has_is_verified_there(stored_web: RunningWeb, line: BadLine) -> None:
    settings = stored_web.web.settings
    made = await _record(stored_web)
    content = made.segments[0].read_bytes()
    before = await _findings(settings)
    async with working(stored_web):
        await until(lambda: not any(path.exists() for path in made.segments), LONG)
    assert await _findings(settings) == before

    storage = S3Store(line.bucket(), KEY, "recordings")
    path = made.segments[0].relative_to(settings.recordings).as_posix()
    changed = content[:-1] + bytes([content[-1] ^ 1])

    async def pieces() -> AsyncIterator[bytes]:
        yield changed

    await storage.put(path, len(changed), hashlib.sha256(changed).hexdigest(), pieces)
    broken = {code for code, _ in await _findings(settings) - before}
    await storage.remove(path)
    missing = {code for code, _ in await _findings(settings) - before}
    await storage.close()
    assert broken
    assert missing
    assert broken != missing


async def _findings(settings: Settings) -> set[tuple[str, str]]:
    report, _ = await verify_installation(settings, Options())
    return {(finding.code, finding.where) for finding in report.findings}


async def _index(web: RunningWeb) -> list[tuple[object, ...]]:
    async with web.web.database.read() as session:
        found: list[tuple[object, ...]] = []
        for table in (Recording, RecordingSegment, RecordingGap):
            columns = list(table.__table__.columns)
            found += [tuple(row) for row in await session.execute(select(*columns).order_by(*columns[:2]))]
    return found
