"""Ten thousand seeded tamperings with a whole set of evidence: every one is detected, and the untouched set never is.

A thousand more with values of the database, and as many with bytes of an exported package as it lies, packed.

The reader knows what the court tells everybody: the id of its first key, and one anchor kept elsewhere. Whoever tampers
can write every file and has no private key.

What is excluded by definition, since nothing could cover it, and how a verification says so:

* bytes behind the last fragment that counts in a file that a crash left: no part of the recording, told as such;
* lines behind the last one that is signed or anchored: told as not proven (exit code 2); this set has none, so here
  every byte of every ledger counts;
* the address of the time-stamp authority in the very last line of the anchors: a remark; the token in it proves itself;
* names of times and attributes in a ZIP's own directory: they are no evidence.

A text put beside an entry's own in the file of texts changes nothing that is proven; it is told as proving nothing
(exit code 2). All others must give exit code 1.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from command_center.accounts.permissions import Role
from command_center.accounts.tables import Court, User
from command_center.database import Database
from command_center.evidence.database_check import DatabaseCheck
from command_center.evidence.rebuild import rebuild
from command_center.evidence.store_local import LocalStore
from command_center.evidence.verifier import Claims, Report, Unusable, verify
from command_center.journal import Journal
from command_center.operations.tables import Feed, Operation, Site
from tests.support.proof_world import START_MS, ProofWorld, package, whole, zipped
from tests.support.records import sqlite_records
from tests.support.row_tampering import one_value_edited
from tests.support.tampering import KINDS, tamper, untouched

TAMPERINGS = int(os.environ.get("SOAK_TAMPERINGS", "10000"))
SEED = int(os.environ.get("SOAK_SEED", "2026"))
CONTROL_EVERY = 200
WEIGHTS = {"byte flipped in media": 6, "byte flipped in a ledger": 12, "line edited": 3, "rehashed without the key": 3}
"""The others have 1."""

pytestmark = pytest.mark.timeout(3600)


def test_ten_thousand_tamperings_are_detected(tmp_path: Path) -> None:
    world, evidence = untouched(tmp_path)
    kinds = list(KINDS)
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    done: Counter[str] = Counter()
    undetected: list[str] = []
    started, chance = time.monotonic(), random.Random(SEED)
    for number in range(TAMPERINGS):
        kind = chance.choices(kinds, weights)[0]
        tamper(evidence, random.Random(f"{SEED} {number}"), kind)
        with evidence.applied():
            report = verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor)
        done[kind] += 1
        if report.exit_code != (2 if kind == "text put in" else 1) or "stopped" in report.counts:
            undetected.append(f"{kind}: SOAK_SEED={SEED}, number {number}: {dict(report.counts)}")
        if number % CONTROL_EVERY == 0:
            control = verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor)
            assert control.exit_code == 0, control.text("en")
    for kind in kinds:
        print(f"\n{done[kind]:6} {kind}", end="")
    print(f"\n{TAMPERINGS} tamperings in {time.monotonic() - started:.0f} s, {len(undetected)} undetected")
    assert undetected == []


async def test_a_thousand_edited_values_of_the_index_are_detected(tmp_path: Path) -> None:
    world = whole(tmp_path / "data")
    report, chance = verify(world.data), random.Random(SEED)
    store = LocalStore(world.data / "recordings")
    database = Database(sqlite_records(tmp_path))
    try:
        other = await _indexed(database, store, world)
        assert await _differences(database, store, report) == 0
        done: Counter[str] = Counter()
        for _ in range(TAMPERINGS // 10):
            async with one_value_edited(database, chance, other) as (table, column, *values):
                assert await _differences(database, store, report), (table, column, values)
            done[f"{table}.{column}"] += 1
        assert await _differences(database, store, report) == 0
    finally:
        await database.close()
    for name, count in sorted(done.items()):
        print(f"\n{count:6} {name}", end="")
    print(f"\n{done.total()} edited values, 0 undetected")


async def _differences(database: Database, store: LocalStore, untouched: Report) -> int:
    report = Report(untouched.path, untouched.scope, recordings=untouched.recordings)
    await DatabaseCheck(database, store, report, Claims()).index()
    return report.counts.total()


async def _indexed(database: Database, store: LocalStore, world: ProofWorld) -> UUID:
    """An index of the recordings in a database that knows their feeds; gives another operation."""
    at = datetime.fromtimestamp(START_MS / 1000 - 60, UTC)
    court = Court(id=uuid4(), code="内01", name_zh="市中院", name_en="City court")
    user = User(
        id=uuid4(), court_id=court.id, username="user", display_name="甲", role=Role.COMMANDER.value, password_hash="-",
        created_at=at,
    )  # fmt: skip
    one, other = (
        Operation(
            id=uuid4(), court_id=court.id, name_zh="春雷", name_en="Spring", case_number="（2026）内01执1号",
            commander_id=user.id, starts_at=at,
        )
        for _ in range(2)
    )  # fmt: skip
    site = Site(
        id=uuid4(), operation_id=one.id, ordinal=1, name_zh="现场", name_en="Site", district_zh="新城区",
        district_en="Xincheng", latitude=40.84, longitude=111.7,
    )  # fmt: skip
    feeds = [
        Feed(
            id=uuid4(), name=recording.feed, operation_id=one.id, site_id=site.id, officer_id=user.id,
            device=recording.feed, created_at=at,
        )
        for recording in world.recordings
    ]  # fmt: skip
    async with database.write() as session:
        for row in (court, user, one, other, site, *feeds):
            session.add(row)
            await session.flush()
    await rebuild(database, store, Journal())
    return other.id


def test_a_thousand_changed_bytes_of_a_packed_package_are_detected(tmp_path: Path) -> None:
    """Also of the ZIP's own headers and directory; where it can't be opened any more, that is told, too."""
    world = whole(tmp_path / "data")
    path = zipped(package(world, tmp_path / "package"))
    data, chance = path.read_bytes(), random.Random(SEED)
    assert verify(path, trusted=[world.first_key]).exit_code == 0
    unopened = 0
    for _ in range(TAMPERINGS // 10):
        at = chance.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :])
        try:
            assert verify(path, trusted=[world.first_key]).exit_code == 1, at
        except Unusable:
            unopened += 1
    print(f"\n{TAMPERINGS // 10} changed bytes, 0 undetected; {unopened} made the ZIP one that can't be opened")
