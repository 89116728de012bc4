"""The database against the ledgers: every row that was edited, put in or taken out is told."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, insert, select

from command_center.audit import Audit, AuditEntry
from command_center.evidence.database_check import DatabaseCheck
from command_center.evidence.index import index_events
from command_center.evidence.store_local import LocalStore
from command_center.evidence.verifier import Claims, FolderTree, Found, Options, Report, Source, Verification
from streams.recording.manifest import GapLine
from tests.command_center.evidence.conftest import START, World
from tests.support.manifests import START_MS, Made, make_recording, told
from tests.support.row_tampering import TABLES, one_value_edited

ROWS = 60


async def recorded(world: World) -> list[Made]:
    """Two recordings in the index, one of two segments with a gap, and one under way."""
    gap = GapLine(kind="network", track="video", since=START_MS, until=START_MS + 400, packets=9)
    made = [
        make_recording(world.root, "feed-1", gaps=[gap]),
        make_recording(world.root, "feed-2", codec="VP8", begins=30, reason=None),
    ]
    await index_events(world.database, list(told(made)))
    return made


async def check(world: World, *, later: timedelta = timedelta(0)) -> Report:
    """Verify the folder, and compare."""
    tree = FolderTree({"recordings": world.root})
    verification = Verification(Found("-", "recordings", tree), Options())
    report = verification.run()
    store = LocalStore(world.root)
    await DatabaseCheck(world.database, store, report, verification.claims, lambda: START + later).run()
    return report


def about_database(report: Report) -> dict[str, int]:
    """How many findings there are of each kind."""
    return {code: count for code, count in report.counts.items() if code.startswith("database-")}


async def test_what_the_index_took_in_is_what_the_manifests_say(world: World) -> None:
    await recorded(world)
    assert about_database(await check(world)) == {}


async def test_a_row_that_was_edited_is_told(world: World) -> None:
    await recorded(world)
    chance = random.Random(6)
    for _ in range(ROWS):
        async with one_value_edited(world.database, chance, world.other_operation) as edited:
            assert about_database(await check(world)), edited
    assert about_database(await check(world)) == {}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_rows_put_in_or_taken_out_are_told(world: World, table: Table) -> None:
    await recorded(world)
    async with world.database.read() as session:
        row = (await session.execute(select(table))).all()[0]
    put_in = dict(row._mapping)
    put_in |= {"id": UUID(int=9), "manifest": "feed-1/none.jsonl"} if table.name == "recordings" else {}
    put_in |= {name: 99 for name in ("number", "ordinal") if name in put_in}
    put_in |= {"path": "feed-1/none.mp4"} if "path" in put_in else {}
    async with world.database.write() as session:
        await session.execute(insert(table).values(**put_in))
    assert about_database(await check(world)) == {"database-extra": 1}
    keys = [one == put_in[one.name] for one in table.primary_key]
    async with world.database.write() as session:
        await session.execute(delete(table).where(*keys))
    if table.name == "recordings":
        return
    async with world.database.write() as session:
        await session.execute(delete(table).where(*(one == getattr(row, one.name) for one in table.primary_key)))
    assert about_database(await check(world)) == {"database-missing": 1}


async def test_a_recording_that_the_index_lost_is_told_once_it_is_old(world: World) -> None:
    made = await recorded(world)
    async with world.database.write() as session:
        for table in reversed(TABLES):
            key = "id" if table.name == "recordings" else "recording_id"
            await session.execute(delete(table).where(table.columns[key] == made[0].recording))
    assert about_database(await check(world)) == {"database-behind": 1}
    assert about_database(await check(world, later=timedelta(hours=1))) == {"database-missing": 1}


async def test_a_recording_of_a_device_that_no_operation_knows_is_in_no_index(world: World) -> None:
    make_recording(world.root, "strange-device")
    assert about_database(await check(world, later=timedelta(hours=1))) == {}


async def test_an_index_that_lags_behind_a_finished_manifest_is_told(world: World) -> None:
    made = make_recording(world.root, "feed-1")
    await index_events(world.database, made.events[:-1])
    assert about_database(await check(world)) == {"database-behind": 1}


async def test_the_audit_is_held_against_the_anchors(world: World) -> None:
    async with world.database.write() as session:
        for _ in range(3):
            await Audit().record(session, actor=None, court_id=None, action="test", subject_type="-", subject_id="-")
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    report, claims = Report("-", "data"), Claims()
    for entry in entries:
        claims.add("audit", (entry.sequence, entry.hash), Source("anchor", entry.sequence))
    checking = DatabaseCheck(world.database, LocalStore(world.root), report, claims)
    await checking.audit()
    assert report.counts == {}
    claims.add("audit", (2, bytes(32)), Source("anchor", 4))
    claims.add("audit", (4, bytes(32)), Source("anchor", 5))
    await checking.audit()
    assert report.counts == {"audit-not-as-anchored": 2}
