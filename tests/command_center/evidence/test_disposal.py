"""However a worker dies over a deletion: no file goes before its tombstone stands, and the next worker ends it."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from command_center.accounts.tables import User
from command_center.database import Database
from command_center.errors import Conflict
from command_center.evidence import disposal
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.exports import folder
from command_center.evidence.exports.plan import PACKAGE_FILE
from command_center.evidence.exports.tables import ExportState
from command_center.evidence.retention_rules import DeletionState
from command_center.evidence.store import StoreAway
from command_center.evidence.store_whereabouts import new_segments
from command_center.evidence.tombstones import Tombstone, Tombstones
from command_center.journal import JournalEntry
from streams.ledger import FIRST, is_signed_by, line_hash
from tests.command_center.evidence import disposal_child
from tests.command_center.evidence.custody_world import DELAY, START, CustodyWorld, new_custody_world
from tests.support.killable import Killable
from tests.support.records import sqlite_records

KILLS = 8
ENDS_WITHIN_SECONDS = 40.0


@pytest.fixture
async def world(records: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CustodyWorld:
    """Two courts, on each kind of database; a round is as long as a busy machine makes it."""
    monkeypatch.setattr(disposal, "CARRYING_SECONDS", 60.0)
    return await new_custody_world(records, tmp_path)


async def approve(world: CustodyWorld, recordings: int, segments: int = 3) -> list[UUID]:
    """Recordings whose deletion two people want."""
    made = []
    for _ in range(recordings):
        recording = await world.record(segments=segments)
        deletion = await world.deletions.propose(world.people["supervisor"], recording, "period over")
        await world.deletions.approve(world.people["approver"], deletion)
        made.append(recording)
    return made


def tombstones(world: CustodyWorld) -> list[bytes]:
    path = world.data / "proof" / "tombstones.jsonl"
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


def check(world: CustodyWorld, recordings: list[UUID], segments: int) -> None:
    """The tombstones are a chain of signed lines, one for each recording at most; what has none has all its files."""
    previous, named = FIRST, Counter[str]()
    for line in tombstones(world):
        if not line.endswith(b"\n"):
            break  # torn by the kill
        assert json.loads(line)["previous"] == previous
        assert is_signed_by(line[:-1], "tombstones/1", world.court_key.public)
        previous = line_hash(line[:-1])
        named[json.loads(line)["recording"]] += 1
    assert set(named.values()) <= {1}
    for recording in recordings:
        assert str(recording) in named or len(world.files(recording)) == segments


class Died(BaseException):
    """The process ended here."""


async def check_packages(world: CustodyWorld, recordings: list[UUID], segments: int) -> None:
    """What was done is there whole; nothing holds, or may be fetched with, a recording of which a file is gone."""
    states = await world.export_states()
    for job, state in states.items():
        if state is ExportState.DONE:
            assert (world.packages / str(job) / PACKAGE_FILE).read_bytes() == b"package"
    if any(len(world.files(one)) < segments for one in recordings):
        assert set(states.values()) <= {ExportState.WITHDRAWN, ExportState.QUEUED}
        assert [job for job in states if (world.packages / str(job)).exists()] == []


@pytest.mark.parametrize("step", range(14))
async def test_a_worker_that_dies_at_any_step_leaves_what_the_next_one_ends(
    world: CustodyWorld, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = await approve(world, 2)
    packages = {await world.export(), await world.export(ExportState.RUNNING)}
    world.at += DELAY
    left = step

    def die_in_time() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died

    real_set_up, real_remove = Tombstones.set_up, world.store.remove

    def set_up(self: Tombstones, stone: object) -> str:
        die_in_time()
        line = real_set_up(self, stone)  # type: ignore[arg-type]
        die_in_time()
        return line

    async def remove(path: str) -> None:
        die_in_time()
        await real_remove(path)

    real_removal = folder.remove

    def remove_folder(work: Path) -> None:
        die_in_time()
        real_removal(work)
        die_in_time()

    with monkeypatch.context() as patch:
        patch.setattr(Tombstones, "set_up", set_up)
        patch.setattr(world.store, "remove", remove)
        patch.setattr(folder, "remove", remove_folder)
        with pytest.raises(Died):
            await world.disposal.carry_out()
    check(world, recordings, 3)
    await check_packages(world, recordings, 3)
    heir = world.new_disposal()
    while await heir.carry_out():
        pass
    check(world, recordings, 3)
    assert [world.files(one) for one in recordings] == [[], []]
    assert len(tombstones(world)) == 2
    found = await world.deletions.listed(world.people["supervisor"], list(DeletionState))
    assert {one.deletion.state for one in found} == {DeletionState.DONE}
    assert len(await world.entries("recording.deleted")) == 2
    await check_packages(world, recordings, 3)
    assert await world.export_states() == dict.fromkeys(packages, ExportState.WITHDRAWN)
    assert {entry.subject_id for entry in await world.entries("export.withdrawn")} == {str(one) for one in packages}
    assert len(await world.entries("export.withdrawn")) == 2


async def test_of_the_packages_only_those_with_the_recording_are_withdrawn(world: CustodyWorld) -> None:
    (recording,) = await approve(world, 1)
    states = (ExportState.DONE, ExportState.RUNNING, ExportState.QUEUED, ExportState.CANCELLED, ExportState.FAILED)
    made = {state: await world.export(state) for state in states}
    of_another = await world.export(feeds=("feed-2", "voice"))
    world.at += DELAY
    assert await world.disposal.carry_out() == 1, "it waits for no export that was asked for after the decision"
    found = await world.export_states()
    assert found.pop(of_another) is ExportState.DONE
    assert {state: found[made[state]] for state in states} == {
        ExportState.DONE: ExportState.WITHDRAWN,
        ExportState.RUNNING: ExportState.WITHDRAWN,
        ExportState.QUEUED: ExportState.QUEUED,
        ExportState.CANCELLED: ExportState.CANCELLED,
        ExportState.FAILED: ExportState.FAILED,
    }
    left = {UUID(path.name) for path in world.packages.iterdir()}
    assert left == {of_another, made[ExportState.QUEUED]}, "what was called off and not yet cleared away goes with it"
    told = [json.loads(entry.details) for entry in await world.entries("export.withdrawn")]
    assert {one["recording"] for one in told} == {str(recording)}
    assert {one["code"] for one in told} == {"export-recording-deleted"}


async def test_an_export_that_was_begun_while_files_go_is_withdrawn_too(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approve(world, 1)
    world.at += DELAY
    real_remove, begun = world.store.remove, list[UUID]()

    async def remove(path: str) -> None:
        if not begun:
            begun.append(await world.export(ExportState.RUNNING))
        await real_remove(path)

    monkeypatch.setattr(world.store, "remove", remove)
    assert await world.disposal.carry_out() == 1
    assert await world.export_states() == {begun[0]: ExportState.WITHDRAWN}
    assert list(world.packages.iterdir()) == []


async def test_a_deletion_ends_only_once_nobody_builds_a_package_with_it(world: CustodyWorld) -> None:
    (recording,) = await approve(world, 1)
    job = await world.export(ExportState.RUNNING)
    world.at += DELAY
    with folder.alone_in(world.packages / str(job)):
        assert await world.disposal.carry_out() == 0
    assert (await world.export_states())[job] is ExportState.WITHDRAWN, "its process is told to end"
    (found,) = await world.deletions.listed(world.people["supervisor"], list(DeletionState))
    assert found.deletion.state == DeletionState.DELETING
    assert await world.disposal.carry_out() == 1
    assert (world.files(recording), list(world.packages.iterdir())) == ([], [])
    assert len(await world.entries("export.withdrawn")) == 1


async def test_the_tombstone_is_on_the_disk_before_a_file_goes(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approve(world, 1)
    world.at += DELAY
    steps: list[str] = []
    real_sync, real_unlink = os.fsync, Path.unlink

    def sync(descriptor: int) -> None:
        real_sync(descriptor)
        steps.append("synced")

    def unlink(path: Path, missing_ok: bool = False) -> None:
        steps.append("unlinked")
        real_unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "unlink", unlink)
    assert await world.disposal.carry_out() == 1
    assert steps == ["synced", "synced", "unlinked", "unlinked", "unlinked"]


async def test_a_store_that_is_away_is_asked_again_and_keeps_no_other_waiting(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await approve(world, 2)
    world.at += DELAY
    real_remove = world.store.remove

    async def remove(path: str) -> None:
        if str(first) in path:
            raise StoreAway("store-away")
        await real_remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "remove", remove)
        assert await world.disposal.carry_out() == 1
    assert (len(world.files(first)), world.files(second)) == (3, [])
    assert await world.disposal.carry_out() == 1
    assert world.files(first) == []
    assert len(tombstones(world)) == 2


async def test_a_hold_stops_what_has_no_tombstone_yet_and_is_refused_where_files_may_be_gone(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await approve(world, 2)
    world.at += DELAY

    def broken(self: Tombstones, stone: Tombstone) -> str:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Tombstones, "set_up", broken)
        assert await world.disposal.carry_out() == 0
    with pytest.raises(Conflict, match="deletion-under-way"):
        await world.retention.hold(world.people["supervisor"], world.operation, first, "an objection")
    await world.retention.hold(world.people["supervisor"], world.operation, None, "an objection")
    assert await world.disposal.carry_out() == 0
    assert [len(world.files(one)) for one in (first, second)] == [3, 3]
    assert tombstones(world) == []
    found = await world.deletions.listed(world.people["supervisor"], list(DeletionState))
    assert {one.deletion.state for one in found} == {DeletionState.REFUSED}


async def test_a_manifest_that_names_anothers_file_takes_nothing_with_it(world: CustodyWorld) -> None:
    victim = await world.record(segments=1)
    (recording,) = await approve(world, 1, segments=1)
    path = next((world.data / "recordings").glob(f"*/*/{recording}.jsonl"))
    path.write_bytes(path.read_bytes().replace(f"{recording}-0001".encode(), f"{victim}-0001".encode()))
    world.at += DELAY
    assert await world.disposal.carry_out() == 0
    assert len(world.files(victim)) == 1
    assert tombstones(world) == []


async def test_a_torn_line_is_written_anew(world: CustodyWorld) -> None:
    recordings = await approve(world, 2)
    world.at += DELAY
    await world.disposal.carry_out()
    path = world.data / "proof" / "tombstones.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    (torn,) = [one for one in recordings if str(one).encode() in whole.splitlines()[1]]
    async with world.database.write() as session:
        await session.execute(update(Deletion).where(Deletion.recording_id == torn).values(state="deleting"))
    assert await world.disposal.carry_out() == 1
    check(world, recordings, 3)
    assert len(tombstones(world)) == 2


async def test_nothing_is_deleted_while_the_tombstones_are_not_as_they_were_written(world: CustodyWorld) -> None:
    await approve(world, 2)
    world.at += DELAY
    await world.disposal.carry_out()
    path = world.data / "proof" / "tombstones.jsonl"
    changed = path.read_bytes().replace(b"period over", b"period OVER", 1)
    path.write_bytes(changed)
    (third,) = await approve(world, 1)
    world.at += DELAY
    assert await world.disposal.carry_out() == 0
    assert len(world.files(third)) == 3
    assert path.read_bytes() == changed


async def test_the_tombstone_names_nobody_whom_the_records_know(world: CustodyWorld) -> None:
    """Of whatever court: the line is signed, goes out with every package, and can't be masked afterwards."""
    async with world.database.write() as session:
        officer = await session.get_one(User, world.people["officer"].user_id)
        auditor = await session.get_one(User, world.people["district-approver"].user_id)
        officer.display_name, auditor.display_name = "王磊", "乌兰图雅"
    recording = await world.record()
    reason = "涉及 王磊、李静 与 乌兰 图雅，期满"
    deletion = await world.deletions.propose(world.people["supervisor"], recording, reason)
    await world.deletions.approve(world.people["approver"], deletion)
    world.at += DELAY
    await world.disposal.carry_out()
    (line,) = tombstones(world)
    assert json.loads(line)["reason"] == "涉及 王*、李静 与 乌*，期满"


async def test_the_operations_journal_tells_of_it_once(world: CustodyWorld) -> None:
    (recording,) = await approve(world, 1)
    world.at += DELAY
    for _ in range(2):
        await world.disposal.carry_out()
    async with world.database.read() as session:
        (entry,) = await session.scalars(select(JournalEntry).where(JournalEntry.kind == "deleted"))
    told = json.loads(entry.body)
    assert (told["recording"], told["segments"], told["class"]) == (str(recording), [1, 2, 3], "B")


async def test_a_workers_steps_list_what_is_due_and_carry_out_what_is_approved(world: CustodyWorld) -> None:
    (recording,) = await approve(world, 1)
    due = await world.record()
    world.at += DELAY
    await world.disposal.step()
    found = await world.deletions.listed(world.people["approver"], [DeletionState.DUE])
    assert [one.deletion.recording_id for one in found] == [due]
    await world.disposal.step()
    assert (world.files(recording), len(world.files(due))) == ([], 3)


async def test_a_storage_that_comes_later_is_brought_nothing_of_what_was_deleted(world: CustodyWorld) -> None:
    await approve(world, 1)
    kept = await world.record(segments=2)
    world.at += DELAY
    await world.disposal.carry_out()
    async with world.database.read() as session:
        found = await new_segments(session, START, 10)
    assert [(one.recording_id, one.number) for one in found] == [(kept, 1), (kept, 2)]


async def test_a_killed_workers_deletions_are_ended_by_the_next(tmp_path: Path) -> None:
    url = sqlite_records(tmp_path)
    world = await new_custody_world(Database(url), tmp_path)
    moments = random.Random(4)
    recordings = await approve(world, KILLS, segments=4)
    packages = [await world.export() for _ in range(3)]
    for _ in range(KILLS):
        await _run_and_kill(url, tmp_path, moments.randrange(1, 16))
        check(world, recordings, 4)
        await check_packages(world, recordings, 4)
    assert await _run_and_kill(url, tmp_path, None) == "done"
    check(world, recordings, 4)
    assert [world.files(one) for one in recordings] == [[]] * KILLS
    assert len(tombstones(world)) == KILLS
    assert len(await world.entries("recording.deleted")) == KILLS
    await check_packages(world, recordings, 4)
    assert len(await world.entries("export.withdrawn")) == len(packages)
    await world.database.close()


async def _run_and_kill(url: str, data: Path, lines: int | None) -> str:
    """Let the child go so many steps, and kill it where it stands; gives the last that it told."""
    child = Killable(disposal_child.work, url, data)
    last, count = "", 0
    while count != lines and (line := await child.line()):
        last, count = line, count + 1
    if lines is None:
        assert await child.ended_within(ENDS_WITHIN_SECONDS)
    await child.kill()
    return last
