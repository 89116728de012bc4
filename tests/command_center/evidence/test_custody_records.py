"""Who decides on a deletion reads before why the recording is kept, what held it, who saw it; of his courts alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.database import Database
from command_center.errors import NotFound, NotPermitted
from command_center.evidence import custody_records
from command_center.evidence.custody import Purpose
from command_center.evidence.custody_records import CustodyRecords
from command_center.evidence.retention_rules import RetentionClass
from tests.command_center.evidence.custody_world import PERIODS, START, CustodyWorld, new_custody_world


@pytest.fixture
async def world(records: Database, tmp_path: Path) -> CustodyWorld:
    """Two courts, on each kind of database."""
    return await new_custody_world(records, tmp_path)


@pytest.fixture
def custody(world: CustodyWorld) -> CustodyRecords:
    return CustodyRecords(world.database, world.audit, world.denials, PERIODS)


async def test_the_approver_reads_why_it_is_kept_what_held_it_and_who_saw_it(
    world: CustodyWorld, custody: CustodyRecords
) -> None:
    recording, other = await world.record(), await world.record()
    supervisor, approver = world.people["supervisor"], world.people["approver"]
    lifted = await world.retention.hold(supervisor, world.operation, recording, "complaint")
    await world.retention.lift(approver, lifted, "settled")
    await world.retention.hold(supervisor, world.operation, other, "not about it")
    await world.retention.classify(approver, world.operation, recording, RetentionClass.A)
    await world.custody.begin(supervisor, world.operation, Purpose.COMPLAINT)
    refused = await world.deletions.propose(supervisor, recording, "first")
    await world.deletions.refuse(approver, refused, "still needed")
    deletion = await world.deletions.propose(supervisor, recording, "again")
    record = await custody.of(approver, deletion)
    assert (record.retention_class, record.over_at) == (RetentionClass.A, PERIODS.over_at(RetentionClass.A, START))
    assert record.mark is not None
    assert record.mark.set_by == approver.user_id
    assert [(one.reason, one.lift_reason) for one in record.holds] == [("complaint", "settled")]
    assert [(one.id, one.end_reason) for one in record.earlier] == [(refused, "still needed")]
    told = [(one.action, one.actor_id) for one in record.entries]
    assert told[0] == ("deletion.proposed", supervisor.user_id)
    assert {action for action, _ in told} == {
        "deletion.proposed", "deletion.refused", "hold.set", "hold.lifted", "retention.classified", "review.began",
    }  # fmt: skip
    (entry,) = await world.entries("deletion.examined")
    assert (entry.actor_id, entry.subject_id) == (approver.user_id, str(recording))


async def test_nobody_reads_another_courts_and_nobody_without_a_part_in_it(
    world: CustodyWorld, custody: CustodyRecords
) -> None:
    deletion = await world.deletions.propose(world.people["supervisor"], await world.record(), "x")
    with pytest.raises(NotFound, match="deletion-not-found"):
        await custody.of(world.people["district-approver"], deletion)
    assert len(await world.entries("deletion.denied")) == 1
    for name in ("judge", "commander", "officer"):
        with pytest.raises(NotPermitted):
            await custody.of(world.people[name], deletion)
    assert await world.entries("deletion.examined") == []


async def test_of_many_entries_the_latest_are_shown_and_that_there_are_more(
    world: CustodyWorld, custody: CustodyRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody_records, "MOST_ENTRIES", 2)
    deletion = await world.deletions.propose(world.people["supervisor"], await world.record(), "x")
    assert not (await custody.of(world.people["approver"], deletion)).is_cut
    await custody.of(world.people["approver"], deletion)
    record = await custody.of(world.people["approver"], deletion)
    assert ([one.action for one in record.entries], record.is_cut) == (["deletion.examined"] * 2, True)
