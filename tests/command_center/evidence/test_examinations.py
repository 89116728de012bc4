"""A verification from the screen: for a purpose, one at a time, its verdict in the audit."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest

from command_center.database import Database
from command_center.errors import NotFound, NotPermitted, TooMany
from command_center.evidence.custody import Purpose
from command_center.evidence.examinations import WAITING, Examinations
from command_center.evidence.verdicts import EvidenceVerdict
from tests.command_center.evidence.custody_world import CustodyWorld, new_custody_world
from tests.support.waiting import until


@pytest.fixture
async def world(records: Database, tmp_path: Path) -> CustodyWorld:
    """Two courts, on each kind of database."""
    world = await new_custody_world(records, tmp_path)
    world.write_keys()
    return world


@pytest.fixture
def examinations(world: CustodyWorld) -> Examinations:
    return Examinations(world.database, world.audit, world.store, world.data, world.custody, world.denials, world.clock)


async def begun(world: CustodyWorld, name: str = "supervisor") -> UUID:
    return (await world.custody.begin(world.people[name], world.operation, Purpose.EVIDENCE)).id


async def test_what_was_found_is_told_and_audited_with_its_purpose(
    world: CustodyWorld, examinations: Examinations
) -> None:
    recording, supervisor, review = await world.record(), world.people["supervisor"], await begun(world)
    whole = await examinations.examine(supervisor, review, recording)
    assert whole.verdict is not EvidenceVerdict.BROKEN
    assert [one["id"] for one in whole.report["recordings"]] == [str(recording)]
    listed = await world.recordings.recording(supervisor, recording)
    assert (whole.checked_at, whole.lines) == (world.at, listed.lines)
    assert {one.weight for one in whole.findings} <= {"unproven", "note"}
    (path,) = world.store.root.rglob(f"{recording}-0002.mp4")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    changed = await examinations.examine(supervisor, review, recording)
    assert changed.verdict is EvidenceVerdict.BROKEN
    assert changed.text
    (wrong,) = (one.words for one in changed.findings if one.weight == "broken")
    assert wrong == "第 2 段有 1 个片段被改动、调换或替换（第一个是第 0 号，时间 2026-03-01 08:58:00.000）。"
    details = [json.loads(entry.details) for entry in await world.entries("evidence.verified")]
    assert [(one["verdict"], one["purpose"], one["review"]) for one in details] == [
        (whole.verdict, "evidence", str(review)),
        ("broken", "evidence", str(review)),
    ]


async def test_a_recording_whose_manifest_vanished_is_told_as_gone(
    world: CustodyWorld, examinations: Examinations
) -> None:
    recording, supervisor, review = await world.record(), world.people["supervisor"], await begun(world)
    next(world.store.root.rglob(f"{recording}.jsonl")).unlink()
    found = await examinations.examine(supervisor, review, recording)
    assert (found.verdict, found.lines) == (EvidenceVerdict.BROKEN, 0)
    assert [one["code"] for one in found.report["findings"] if one["grade"] == "broken"] == ["database-extra"]


async def test_nobody_verifies_without_a_purpose_or_of_another_court(
    world: CustodyWorld, examinations: Examinations
) -> None:
    recording, review = await world.record(), await begun(world)
    for name, kind in (("judge", NotPermitted), ("approver", NotPermitted), ("district-supervisor", NotFound)):
        with pytest.raises(kind):
            await examinations.examine(world.people[name], review, recording)
    assert await world.entries("evidence.verified") == []
    assert len(await world.entries("recording.denied")) == 3


async def test_one_goes_after_the_other_and_too_many_are_sent_away(
    world: CustodyWorld, examinations: Examinations
) -> None:
    recording, supervisor, review = await world.record(), world.people["supervisor"], await begun(world)
    await examinations._slot.acquire()  # as one under way would
    asked = [asyncio.create_task(examinations.examine(supervisor, review, recording)) for _ in range(WAITING + 1)]
    await until(lambda: examinations._asked > WAITING)
    with pytest.raises(TooMany):
        await examinations.examine(supervisor, review, recording)
    assert not any(task.done() for task in asked)
    examinations._slot.release()
    await asyncio.gather(*asked)
    assert len(await world.entries("evidence.verified")) == WAITING + 1
