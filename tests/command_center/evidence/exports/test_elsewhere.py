"""Exports with records in PostgreSQL, with originals in S3-compatible storage, and while the court changes its key."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from command_center.accounts.permissions import Role
from command_center.audit import Audit
from command_center.config import Settings
from command_center.evidence.custody import Purpose
from command_center.evidence.denials import Denials
from command_center.evidence.exports.builder import NoRoom
from command_center.evidence.exports.exporter import Exporter
from command_center.evidence.exports.findings import find
from command_center.evidence.exports.plan import PACKAGE_FILE
from command_center.evidence.exports.records import Wish
from command_center.evidence.exports.service import Exports
from command_center.evidence.exports.tables import ExportState
from command_center.evidence.index import index_events
from command_center.evidence.keyring import Keyring
from command_center.evidence.store_s3 import S3Store
from command_center.evidence.verifier import verify
from command_center.journal import Journal
from tests.command_center.evidence.conftest import START, World
from tests.command_center.evidence.exports.conftest import Case, build_package
from tests.support.manifests import make_recording
from tests.support.s3 import BUCKET, KEY, S3Server


async def test_each_kind_of_database_gives_what_a_package_needs(each_world: World) -> None:
    world = each_world
    made = make_recording(world.root, "feed-1", seconds=(2.0,))
    await index_events(world.database, made.events)
    audit, at = Audit(), START + timedelta(hours=1)
    folder, denials = world.root.parent / "exports", Denials(world.database, audit)
    exports = Exports(world.database, audit, Journal(), denials, folder, lambda: at)
    supervisor = replace(world.city, role=Role.SUPERVISOR)
    wish = Wish(
        world.operation, START, START + timedelta(minutes=1), ("feed-1", "voice"), Purpose.EVIDENCE, "", True, uuid4()
    )
    asked = await exports.request(supervisor, wish)
    assert (await exports.request(supervisor, wish)).id == asked.id
    exporter = Exporter(world.database, audit, Settings(data=world.root.parent), lambda: at)
    wanted = await exporter._next()
    assert wanted is not None
    found = await find(world.database, wanted)
    assert [(feed.name, len(feed.manifests)) for feed in found.feeds] == [("feed-1", 1), ("voice", 0)]
    assert (await exports.export(supervisor, asked.id)).state is ExportState.RUNNING
    assert (await exports.cancel(supervisor, asked.id)).state is ExportState.CANCELLED
    await exporter._sweep()


async def test_originals_come_from_storage_where_the_folder_has_none(case: Case, s3: S3Server) -> None:
    here = await asyncio.to_thread(case.build, case.wanted())
    remote = S3Store(s3.bucket(), KEY, "recordings")
    for path in [path for path in case.world.root.rglob("*") if path.suffix in {".mp4", ".webm"}]:
        await _bring(remote, case.world.root, path)
        path.unlink()
    await remote.close()
    work = case.data / "exports" / "from storage"
    settings = Settings(
        data=case.data,
        s3_url=s3.url,
        s3_bucket=BUCKET,
        s3_prefix="court",
        s3_access_key=KEY.id,
        s3_secret_key=SecretStr(KEY.secret),
    )
    records = f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    await asyncio.to_thread(build_package, case.data, case.wanted(), work, records, settings=settings)
    assert (work / PACKAGE_FILE).read_bytes() == here.read_bytes()


async def test_a_key_that_is_changed_meanwhile_signs_and_is_in_the_package(case: Case) -> None:
    work, records = case.data / "exports" / "rotated", f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    later = START + timedelta(hours=2)
    with pytest.raises(NoRoom):
        await asyncio.to_thread(build_package, case.data, case.wanted(), work, records, reserve_bytes=1 << 60)
    first = case.signer().id
    Keyring(case.data, case.data / "keys", lambda: later).rotate("court")
    assert case.signer().id != first
    after = later + timedelta(minutes=1)
    await asyncio.to_thread(build_package, case.data, case.wanted(), work, records, clock=lambda: after)
    report = await asyncio.to_thread(verify, work / PACKAGE_FILE, trusted=[first])
    assert report.exit_code == 2, report.text("en")  # nothing is wrong; the old anchors alone have no younger one


async def _bring(remote: S3Store, root: Path, path: Path) -> None:
    data = path.read_bytes()

    async def body() -> AsyncIterator[bytes]:
        yield data

    await remote.put(path.relative_to(root).as_posix(), len(data), hashlib.sha256(data).hexdigest(), body)
