"""Deletion takes two people and time; one alone, the wearer, and whatever a rule keeps are refused, and it is told."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.audit_reading import AuditReader
from command_center.database import Database
from command_center.errors import CommandCenterError, Conflict, Invalid, NotFound, NotPermitted
from command_center.evidence import deletions, disposal
from command_center.evidence.exports.plan import PLAN_FILE
from command_center.evidence.exports.tables import ExportJob, ExportState
from command_center.evidence.records import RecordingState
from command_center.evidence.retention_rules import DeletionState, RetentionClass
from command_center.evidence.standings import due
from command_center.evidence.tables import Recording
from command_center.evidence.verifier import Grade, verify
from command_center.operations.tables import Operation
from streams.ledger import FIRST, head_of, is_signed_by, line_hash
from tests.command_center.evidence.custody_world import DELAY, START, CustodyWorld, new_custody_world


@pytest.fixture
async def world(records: Database, tmp_path: Path) -> CustodyWorld:
    """Two courts, on each kind of database."""
    return await new_custody_world(records, tmp_path)


def as_role(person: Identity, role: Role) -> Identity:
    """The same account after its role was changed."""
    return dataclasses.replace(person, role=role)


async def refusal(call: Awaitable[object], kind: type[CommandCenterError]) -> str:
    with pytest.raises(kind) as caught:
        await call
    return caught.value.code


async def approved(world: CustodyWorld, recording: UUID) -> UUID:
    deletion = await world.deletions.propose(world.people["supervisor"], recording, "period over")
    await world.deletions.approve(world.people["approver"], deletion)
    return deletion


async def state_of(world: CustodyWorld, deletion: UUID) -> DeletionState:
    found = await world.deletions.listed(world.people["supervisor"], list(DeletionState))
    return next(DeletionState(one.deletion.state) for one in found if one.deletion.id == deletion)


async def test_two_people_delete_and_leave_a_signed_tombstone(world: CustodyWorld) -> None:
    recording, other = await world.record(), await world.record()
    deletion = await approved(world, recording)
    assert await world.disposal.carry_out() == 0
    world.at += DELAY
    assert await world.disposal.carry_out() == 1
    assert world.files(recording) == []
    assert len(world.files(other)) == 3
    assert await state_of(world, deletion) is DeletionState.DONE
    (raw,) = (world.data / "proof" / "tombstones.jsonl").read_bytes().splitlines()
    assert is_signed_by(raw, "tombstones/1", world.court_key.public)
    stone = json.loads(raw)
    manifest = next(world.store.root.rglob(f"{recording}.jsonl"))
    head = head_of(manifest)
    expected = {
        "type": "tombstone",
        "recording": str(recording),
        "operation": str(world.operation),
        "feed": "feed-1",
        "segments": [1, 2, 3],
        "manifest": [head.lines, head.hash],
        "class": "B",
        "reason": "period over",
        "proposed_by": str(world.people["supervisor"].user_id),
        "approved_by": str(world.people["approver"].user_id),
        "previous": FIRST,
        "signer": world.court_key.id,
    }
    assert expected.items() <= stone.items()
    (entry,) = await world.entries("recording.deleted")
    assert json.loads(entry.details)["tombstone"] == line_hash(raw)


async def test_the_verifier_tells_what_two_people_deleted_from_what_is_missing(world: CustodyWorld) -> None:
    world.write_keys()
    deleted, kept = await world.record(), await world.record()
    whole = verify(world.data, trusted=[world.court_key.id])
    assert whole.grade is not Grade.BROKEN
    await approved(world, deleted)
    world.at += DELAY
    await world.disposal.carry_out()
    report = verify(world.data, trusted=[world.court_key.id])
    assert report.grade is whole.grade
    assert report.tombstones == 1
    states = {one.id: {span.state for span in one.spans} for one in report.recordings}
    assert states[str(deleted)] == {"deleted"}
    assert "missing" not in states[str(kept)]
    for path in world.store.root.rglob(f"{kept}-0002.mp4"):
        path.unlink()
    stones = world.data / "proof" / "tombstones.jsonl"
    signed = stones.read_bytes()
    # Nobody who hasn't the court's key makes a tombstone for what is missing, nor one of another.
    for forged in (signed.replace(str(deleted).encode(), str(kept).encode()), b""):
        stones.write_bytes(forged)
        assert verify(world.data, trusted=[world.court_key.id]).grade is Grade.BROKEN


async def test_a_deleted_recording_says_who_had_it_deleted_when_and_why(world: CustodyWorld) -> None:
    recording, judge = await world.record(), world.people["judge"]
    await approved(world, recording)
    (before,) = await world.recordings.listed(judge, world.operation)
    assert (before.state, before.deletion) == (RecordingState.ENDED, None)
    world.at += DELAY
    await world.disposal.carry_out()
    (listed,) = await world.recordings.listed(judge, world.operation)
    assert listed == await world.recordings.recording(judge, recording)
    assert listed.state is RecordingState.DELETED
    assert listed.deletion is not None
    names = (listed.deletion.proposed_by_name, listed.deletion.approved_by_name, listed.deletion.reason)
    assert names == ("supervisor 甲", "approver 甲", "period over")
    assert await refusal(world.recordings.segment(judge, recording, 1, is_start=True), NotFound) == "recording-deleted"
    files = (await world.recordings.index(judge, recording)).segments
    assert {(one.is_deleted, one.is_missing) for one in files} == {(True, False)}


async def test_what_is_kept_of_an_operation_is_told_with_its_class_and_holds(world: CustodyWorld) -> None:
    recording, other = await world.record(), await world.record()
    await approved(world, recording)
    world.at += DELAY
    await world.disposal.carry_out()
    supervisor = world.people["supervisor"]
    await world.retention.classify(supervisor, world.operation, other, RetentionClass.C)
    hold = await world.retention.hold(supervisor, world.operation, other, "appeal")
    found = {one.operation.id: one for one in await world.retention.listed(world.people["approver"])}
    kept = found[world.operation]
    assert (kept.recordings, kept.bytes, kept.retention_class) == (1, 1, RetentionClass.B)
    assert kept.marks == {other: RetentionClass.C}
    assert [one.id for one in kept.holds] == [hold]
    assert set(found) == {world.operation, world.district_operation}
    assert [one.operation.id for one in await world.retention.listed(world.people["district-approver"])] == [
        world.district_operation
    ]


async def test_the_time_line_shows_what_was_deleted_and_still_adds_up(world: CustodyWorld) -> None:
    await approved(world, await world.record(segments=2))
    world.at += DELAY
    await world.disposal.carry_out()
    (lane,) = (await world.timelines.of(world.people["judge"], world.operation)).lanes
    assert [span.kind for span in lane.spans] == ["deleted"]
    assert (lane.covered_ms, lane.gaps_ms) == (0, {"deleted": 120_000})


async def test_the_tombstones_follow_each_other(world: CustodyWorld) -> None:
    for _ in range(3):
        await approved(world, await world.record())
    world.at += DELAY
    while await world.disposal.carry_out():
        pass
    lines = (world.data / "proof" / "tombstones.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["previous"] for line in lines] == [FIRST, *(line_hash(line) for line in lines[:-1])]


async def test_one_person_alone_is_refused_even_with_both_roles(world: CustodyWorld) -> None:
    recording = await world.record()
    supervisor = world.people["supervisor"]
    deletion = await world.deletions.propose(supervisor, recording, "x")
    assert await refusal(world.deletions.approve(supervisor, deletion), NotPermitted) == "not-permitted"
    both = as_role(supervisor, Role.APPROVER)
    assert await refusal(world.deletions.approve(both, deletion), NotPermitted) == "deletion-needs-two"
    assert await state_of(world, deletion) is DeletionState.PROPOSED
    told = [json.loads(entry.details)["code"] for entry in await world.entries("deletion.denied")]
    assert told == ["not-permitted", "deletion-needs-two"]


async def test_the_wearer_is_refused_whatever_the_role(world: CustodyWorld) -> None:
    recording = await world.record()
    officer = world.people["officer"]
    assert await refusal(world.deletions.propose(officer, recording, "x"), NotPermitted) == "not-permitted"
    promoted = as_role(officer, Role.SUPERVISOR)
    assert await refusal(world.deletions.propose(promoted, recording, "x"), NotPermitted) == "deletion-by-wearer"
    deletion = await world.deletions.propose(world.people["supervisor"], recording, "x")
    head = as_role(officer, Role.APPROVER)
    assert await refusal(world.deletions.approve(head, deletion), NotPermitted) == "deletion-by-wearer"
    assert len(world.files(recording)) == 3


@pytest.mark.parametrize("is_whole_operation", [True, False])
async def test_nothing_under_legal_hold_is_deleted(world: CustodyWorld, is_whole_operation: bool) -> None:
    recording = await world.record()
    held = None if is_whole_operation else recording
    await world.retention.hold(world.people["supervisor"], world.operation, held, "complaint")
    proposing = world.deletions.propose(world.people["supervisor"], recording, "x")
    assert await refusal(proposing, Conflict) == "legal-hold"
    assert [json.loads(entry.details)["code"] for entry in await world.entries("deletion.denied")] == ["legal-hold"]


@pytest.mark.parametrize("is_approved", [True, False])
async def test_a_hold_stops_what_is_on_its_way(world: CustodyWorld, is_approved: bool) -> None:
    recording = await world.record()
    deletion = await world.deletions.propose(world.people["supervisor"], recording, "x")
    if is_approved:
        await world.deletions.approve(world.people["approver"], deletion)
    await world.retention.hold(world.people["other-supervisor"], world.operation, None, "appeal")
    assert await state_of(world, deletion) is DeletionState.REFUSED
    world.at += 2 * DELAY
    assert await world.disposal.carry_out() == 0
    assert len(world.files(recording)) == 3
    assert len(await world.entries("deletion.stopped")) == 1


async def test_a_hold_is_lifted_by_somebody_else_only(world: CustodyWorld) -> None:
    recording = await world.record()
    supervisor, approver = world.people["supervisor"], world.people["approver"]
    hold = await world.retention.hold(supervisor, world.operation, recording, "complaint")
    assert await refusal(world.retention.lift(supervisor, hold, "over"), NotPermitted) == "hold-needs-two"
    await world.retention.lift(approver, hold, "over")
    assert await refusal(world.retention.lift(approver, hold, "over"), Conflict) == "hold-lifted"
    await world.deletions.propose(supervisor, recording, "x")
    assert [entry.action for entry in await world.entries("hold.set", "hold.lifted")] == ["hold.set", "hold.lifted"]


async def test_nothing_is_deleted_before_its_period_is_over(world: CustodyWorld) -> None:
    recording = await world.record()
    supervisor, approver = world.people["supervisor"], world.people["approver"]
    world.at = START + timedelta(days=1094)
    assert await refusal(world.deletions.propose(supervisor, recording, "x"), Conflict) == "period-not-over"
    shortening = world.retention.classify(supervisor, world.operation, None, RetentionClass.A)
    assert await refusal(shortening, NotPermitted) == "class-shortened"
    await world.retention.classify(approver, world.operation, None, RetentionClass.A)
    deletion = await world.deletions.propose(supervisor, recording, "x")
    await world.retention.classify(supervisor, world.operation, recording, RetentionClass.C)
    assert await state_of(world, deletion) is DeletionState.REFUSED
    assert await refusal(world.deletions.propose(supervisor, recording, "x"), Conflict) == "kept-for-ever"


async def test_what_grows_is_not_deleted(world: CustodyWorld) -> None:
    recording = await world.record(ended_at=None)
    proposing = world.deletions.propose(world.people["supervisor"], recording, "x")
    assert await refusal(proposing, Conflict) == "recording-growing"


@pytest.mark.parametrize("feed", ["feed-1", "another"])
async def test_nobody_decides_on_what_an_export_is_being_made_of(world: CustodyWorld, feed: str) -> None:
    proposed = await world.deletions.propose(world.people["supervisor"], await world.record(), "x")
    other = await world.record()
    await world.export(ExportState.QUEUED, feeds=(feed,))
    proposing = world.deletions.propose(world.people["supervisor"], other, "x")
    approving = world.deletions.approve(world.people["approver"], proposed)
    if feed == "another":
        await asyncio.gather(proposing, approving)
        return
    assert await refusal(proposing, Conflict) == "export-running"
    assert await refusal(approving, Conflict) == "export-running"


async def test_who_decides_knows_which_packages_hold_it_and_how_often_they_were_fetched(world: CustodyWorld) -> None:
    recording, other = await world.record(), await world.record(operation=world.district_operation)
    for one in (recording, other):
        await world.deletions.propose(world.people["supervisor"], one, "x")
    kept, over, unfetched = await world.export(), await world.export(ExportState.EXPIRED), await world.export()
    await world.export(ExportState.CANCELLED)
    async with world.database.write() as session:
        for job in (kept, kept, over):
            await world.audit.record(
                session, actor=None, court_id=None, action="export.downloaded", subject_type="export",
                subject_id=str(job),
            )  # fmt: skip
    found = {
        one.deletion.recording_id: one.packages
        for one in await world.deletions.listed(world.people["approver"], [DeletionState.PROPOSED])
    }
    told = {(package.id, package.is_there, package.fetchings) for package in found[recording]}
    assert told == {(kept, True, 2), (over, False, 1), (unfetched, True, 0)}
    assert found[other] == ()


async def test_a_package_counts_by_what_its_plan_holds_and_not_if_it_was_begun_after_the_deletion(
    world: CustodyWorld,
) -> None:
    recording, other = await world.record(), await world.record()
    with_it, without_it = await world.export(), await world.export()
    for job, segments in ((with_it, [{"number": 1}]), (without_it, [])):
        parts = [{"id": str(recording), "segments": segments}, {"id": str(other), "segments": [{"number": 1}]}]
        plan = world.packages / str(job) / PLAN_FILE
        await asyncio.to_thread(plan.write_text, json.dumps({"cameras": [{"recordings": parts}]}))
    await approved(world, recording)

    async def told() -> set[UUID]:
        found = await world.deletions.listed(world.people["approver"], list(DeletionState))
        return {package.id for one in found if one.deletion.recording_id == recording for package in one.packages}

    assert await told() == {with_it}
    world.at += DELAY
    await world.disposal.carry_out()
    later = await world.export()
    async with world.database.write() as session:
        job = await session.get_one(ExportJob, later)
        job.started_at = world.at + timedelta(minutes=1)
        for one in (with_it, later):
            await world.audit.record(
                session, actor=None, court_id=None, action="export.downloaded", subject_type="export",
                subject_id=str(one),
            )  # fmt: skip
    assert await told() == {with_it}


async def test_either_withdraws_until_it_takes_effect(world: CustodyWorld) -> None:
    supervisor, approver = world.people["supervisor"], world.people["approver"]
    for who in (supervisor, approver):
        recording = await world.record()
        deletion = await approved(world, recording)
        stranger = world.deletions.withdraw(world.people["other-supervisor"], deletion, "x")
        assert await refusal(stranger, NotPermitted) == "deletion-not-yours"
        await world.deletions.withdraw(who, deletion, "needed after all")
        world.at += DELAY
        assert await world.disposal.carry_out() == 0
        assert len(world.files(recording)) == 3
        again = await world.deletions.propose(supervisor, recording, "again")
        assert again != deletion


async def test_what_is_done_cannot_be_withdrawn_or_proposed_again(world: CustodyWorld) -> None:
    recording = await world.record()
    deletion = await approved(world, recording)
    world.at += DELAY
    await world.disposal.carry_out()
    supervisor = world.people["supervisor"]
    assert await refusal(world.deletions.withdraw(supervisor, deletion, "x"), Conflict) == "deletion-under-way"
    assert await refusal(world.deletions.propose(supervisor, recording, "x"), Conflict) == "recording-deleted"


async def test_a_proposal_is_refused_with_a_reason(world: CustodyWorld) -> None:
    recording = await world.record()
    deletion = await world.deletions.propose(world.people["supervisor"], recording, "x")
    again = world.deletions.propose(world.people["other-supervisor"], recording, "x")
    assert await refusal(again, Conflict) == "deletion-proposed"
    await world.deletions.refuse(world.people["approver"], deletion, "still needed")
    approving = world.deletions.approve(world.people["approver"], deletion)
    assert await refusal(approving, Conflict) == "deletion-ended"


async def test_a_reason_with_somebodys_number_is_not_taken(world: CustodyWorld) -> None:
    recording, supervisor = await world.record(), world.people["supervisor"]
    for reason in (
        "11010519491231002X",
        "6217 0000 6000 0000 008",
        "call 138-0013-8000",
        "电话１３８（0013）8000",
        "护照E12345678",
        "zhangsan@163.com",
        "138*0013*8000",
        "住海拉尔东大街12号3单元501室",
    ):
        assert await refusal(world.deletions.propose(supervisor, recording, reason), Invalid) == "reason-holds-number"
    await world.deletions.propose(supervisor, recording, "（2026）内01执1023号 closed on 2026-03-01")


async def test_another_courts_recordings_are_not_there(world: CustodyWorld) -> None:
    recording = await world.record()
    deletion = await world.deletions.propose(world.people["supervisor"], recording, "x")
    district, approver = world.people["district-supervisor"], world.people["district-approver"]
    for call in (
        world.deletions.propose(district, recording, "x"),
        world.deletions.approve(approver, deletion),
        world.retention.hold(district, world.operation, None, "x"),
        world.retention.classify(approver, world.operation, recording, RetentionClass.C),
    ):
        assert await refusal(call, NotFound) == "operation-not-found"
    assert await world.deletions.listed(district, list(DeletionState)) == []


async def test_what_is_due_is_listed_once_and_proposed_by_a_person(world: CustodyWorld) -> None:
    due = {await world.record() for _ in range(3)}
    held = await world.record()
    await world.retention.hold(world.people["supervisor"], world.operation, held, "x")
    await world.record(ended_at=None)
    await world.record(ended_at=world.at - timedelta(days=10))
    assert await world.disposal.list_due() == 3
    assert await world.disposal.list_due() == 0
    found = await world.deletions.listed(world.people["approver"], [DeletionState.DUE])
    assert {one.deletion.recording_id for one in found} == due
    (entry,) = await world.entries("retention.due")
    assert json.loads(entry.details) == {"count": 3}
    one = found[0].deletion
    assert await world.deletions.propose(world.people["supervisor"], one.recording_id, "x") == one.id
    await world.retention.hold(world.people["supervisor"], world.operation, None, "x")
    assert await world.deletions.listed(world.people["approver"], [DeletionState.DUE]) == []


async def test_all_of_it_is_in_an_audit_that_is_whole(world: CustodyWorld, tmp_path: Path) -> None:
    await approved(world, await world.record())
    world.at += DELAY
    await world.disposal.carry_out()
    entries = await world.entries("deletion.proposed", "deletion.approved", "recording.deleted")
    people = [world.people["supervisor"].user_id, world.people["approver"].user_id, None]
    assert [entry.actor_id for entry in entries] == people
    verdict = await AuditReader(world.database, world.audit, tmp_path / "anchors.jsonl").verify()
    assert verdict.broken_at is None


async def test_of_a_recording_one_deletion_is_under_way_at_a_time(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has read what is due, and before it writes a person proposes one of it."""
    first, second = await world.record(), await world.record()
    supervisor, is_listing, proposals = world.people["supervisor"], asyncio.Event(), list[asyncio.Task[UUID]]()

    async def slow_due(*arguments: Any) -> list[tuple[Recording, str]]:
        found = await due(*arguments)
        is_listing.set()
        if not world.database.is_sqlite:  # where the worker holds the only writer's place meanwhile
            await proposals[0]
        return found

    monkeypatch.setattr(disposal, "due", slow_due)
    listing = asyncio.create_task(world.disposal.list_due())
    proposals.append(asyncio.create_task(_after(is_listing, world.deletions.propose(supervisor, first, "x"))))
    count = await listing
    proposed = await proposals[0]
    assert count == (2 if world.database.is_sqlite else 1)
    found = {
        one.deletion.recording_id: one.deletion for one in await world.deletions.listed(supervisor, list(DeletionState))
    }
    assert len(await world.deletions.listed(supervisor, list(DeletionState))) == 2
    assert (found[first].id, found[first].state, found[second].state) == (proposed, "proposed", "due")


async def _after(event: asyncio.Event, call: Awaitable[UUID]) -> UUID:
    await event.wait()
    return await call


async def test_two_who_propose_at_once_without_waiting_for_each_other_make_one_proposal(
    world: CustodyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where no lock orders them, the records do."""
    recording = await world.record()

    async def unlocked(session: AsyncSession, _identity: Identity, operation_id: UUID) -> Operation:
        return await session.get_one(Operation, operation_id)

    monkeypatch.setattr(deletions, "lock_operation", unlocked)
    proposals = await asyncio.gather(
        *(world.deletions.propose(world.people[name], recording, "x") for name in ("supervisor", "other-supervisor")),
        return_exceptions=True,
    )
    (refused,) = [one for one in proposals if isinstance(one, BaseException)]
    assert isinstance(refused, Conflict)
    assert refused.code == "deletion-proposed"


async def test_of_what_happens_at_once_one_thing_goes_first(world: CustodyWorld) -> None:
    recording = await world.record()
    proposals = await asyncio.gather(
        *(world.deletions.propose(world.people[name], recording, "x") for name in ("supervisor", "other-supervisor")),
        return_exceptions=True,
    )
    (deletion,) = [one for one in proposals if isinstance(one, UUID)]
    (refused,) = [one for one in proposals if isinstance(one, Conflict)]
    assert refused.code == "deletion-proposed"
    await asyncio.gather(
        world.deletions.approve(world.people["approver"], deletion),
        world.retention.hold(world.people["other-supervisor"], world.operation, None, "appeal"),
        return_exceptions=True,
    )
    world.at += DELAY
    await world.disposal.carry_out()
    assert await state_of(world, deletion) is DeletionState.REFUSED
    assert len(world.files(recording)) == 3
