"""Reviews for a purpose, what is sought in them, and refusals: all in the audit, and no flood of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from command_center.audit_reading import AuditReader, Query
from command_center.database import Database
from command_center.errors import NotFound, NotPermitted, TooMany
from command_center.evidence import custody as custody_module
from command_center.evidence.custody import REVIEW_LIFE, Custody, Purpose
from command_center.evidence.denials import UNKNOWN_ENTRIES, WINDOW_SECONDS
from command_center.evidence.retention_rules import RetentionClass
from tests.command_center.evidence.custody_world import CustodyWorld, new_custody_world


@pytest.fixture
async def world(records: Database, tmp_path: Path) -> CustodyWorld:
    """Two courts, on each kind of database."""
    return await new_custody_world(records, tmp_path)


async def begun(world: CustodyWorld, name: str = "supervisor") -> UUID:
    review = await world.custody.begin(world.people[name], world.operation, Purpose.COMPLAINT, "投诉 3 号")
    return review.id


async def test_a_review_is_audited_with_its_purpose(world: CustodyWorld) -> None:
    review = await begun(world)
    (entry,) = await world.entries("review.began")
    assert (entry.actor_id, entry.subject_id) == (world.people["supervisor"].user_id, str(world.operation))
    assert json.loads(entry.details) == {"purpose": "complaint", "review": str(review)}


async def test_who_does_not_review_or_is_of_another_court_begins_none(world: CustodyWorld) -> None:
    with pytest.raises(NotPermitted):
        await begun(world, "approver")
    with pytest.raises(NotFound):
        await begun(world, "district-supervisor")


async def test_a_supervisor_must_say_what_for_and_those_whose_work_it_is_may(world: CustodyWorld) -> None:
    custody, supervisor, judge = world.custody, world.people["supervisor"], world.people["judge"]
    with pytest.raises(NotPermitted, match="purpose-required"):
        await custody.review_of(supervisor, world.operation, None)
    assert await custody.review_of(judge, world.operation, None) is None
    review = await begun(world)
    found = await custody.review_of(supervisor, world.operation, review)
    assert found is not None
    assert found.purpose is Purpose.COMPLAINT


async def test_a_review_is_of_one_person_one_operation_and_one_day(world: CustodyWorld) -> None:
    custody, supervisor = world.custody, world.people["supervisor"]
    review = await begun(world)
    for person, operation in (("other-supervisor", world.operation), ("supervisor", world.district_operation)):
        with pytest.raises(NotPermitted, match="purpose-required"):
            await custody.review_of(world.people[person], operation, review)
    with pytest.raises(NotPermitted, match="purpose-required"):
        await custody.review_of(supervisor, world.operation, uuid4())
    world.at += REVIEW_LIFE + timedelta(seconds=1)
    with pytest.raises(NotPermitted, match="purpose-required"):
        await custody.review_of(supervisor, world.operation, review)


async def test_another_process_knows_the_review_too(world: CustodyWorld) -> None:
    review = await begun(world)
    other = Custody(world.database, world.audit, world.denials, world.clock)
    assert await other.review_of(world.people["supervisor"], world.operation, review) is not None


async def test_a_viewing_is_audited_with_its_purpose_and_another_purpose_is_another(
    world: CustodyWorld,
) -> None:
    recording, supervisor = await world.record(), world.people["supervisor"]
    complaint = await begun(world)
    for _ in range(3):
        await world.recordings.index(supervisor, recording, review_id=complaint)
    appeal = await world.custody.begin(supervisor, world.operation, Purpose.APPEAL)
    await world.recordings.segment(supervisor, recording, 1, is_start=True, review_id=appeal.id)
    await world.recordings.index(world.people["judge"], recording)
    entries = await world.entries("recording.viewed")
    assert [json.loads(entry.details)["purpose"] for entry in entries] == ["complaint", "appeal", "none"]
    assert [entry.subject_id for entry in entries] == [str(recording)] * 3


async def test_what_is_looked_at_of_an_operation_is_audited_once_a_review(world: CustodyWorld) -> None:
    supervisor, judge = world.people["supervisor"], world.people["judge"]
    review = await begun(world)
    for _ in range(3):
        await world.custody.admit(supervisor, world.operation, review, "tracks")
    await world.custody.admit(supervisor, world.operation, review, "journal")
    await world.custody.admit(judge, world.operation, None, "tracks")
    details = [json.loads(entry.details) for entry in await world.entries("review.looked")]
    assert [(one["what"], one["purpose"]) for one in details] == [
        ("tracks", "complaint"),
        ("journal", "complaint"),
        ("tracks", "none"),
    ]
    with pytest.raises(NotPermitted, match="purpose-required"):
        await world.custody.admit(supervisor, world.operation, None, "tracks")
    with pytest.raises(NotFound):
        await world.custody.admit(world.people["district-supervisor"], world.operation, None, "journal")
    told = [json.loads(entry.details)["code"] for entry in await world.entries("recording.denied")]
    assert told == ["purpose-required", "other-court"]


async def test_a_supervisor_without_a_purpose_sees_nothing_and_it_is_written_down(world: CustodyWorld) -> None:
    recording, supervisor = await world.record(), world.people["supervisor"]
    for call in (
        world.recordings.index(supervisor, recording),
        world.recordings.segment(supervisor, recording, 1, is_start=True),
        world.recordings.index(supervisor, recording, review_id=uuid4()),
    ):
        with pytest.raises(NotPermitted, match="purpose-required"):
            await call
    assert await world.entries("recording.viewed") == []
    (entry,) = await world.entries("recording.denied")
    assert json.loads(entry.details) == {"code": "purpose-required"}


async def test_what_is_kept_in_mind_is_bounded(world: CustodyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody_module, "BOUND", 3)
    reviews = [await begun(world) for _ in range(5)]
    assert list(world.custody._known) == reviews[-3:]
    assert await world.custody.review_of(world.people["supervisor"], world.operation, reviews[0]) is not None


async def test_seeks_are_audited_with_moment_and_feeds_and_not_faster_than_each_second(world: CustodyWorld) -> None:
    supervisor, review = world.people["supervisor"], await begun(world)
    await world.custody.sought(supervisor, review, 1_800_000_000_000, ["b", "a"])
    with pytest.raises(TooMany):
        await world.custody.sought(supervisor, review, 1_800_000_001_000)
    world.at += timedelta(seconds=2)
    await world.custody.sought(supervisor, review, 1_800_000_009_000)
    details = [json.loads(entry.details) for entry in await world.entries("recording.sought")]
    of_review = {"purpose": "complaint", "review": str(review)}
    assert details == [
        {**of_review, "at": 1_800_000_000_000, "feeds": "a b"},
        {**of_review, "at": 1_800_000_009_000},
    ]
    with pytest.raises(NotFound):
        await world.custody.sought(world.people["other-supervisor"], review, 1)


async def test_a_refusal_is_written_down_once_a_minute_and_counted_beyond(world: CustodyWorld) -> None:
    recording, officer = await world.record(), world.people["officer"]
    for _ in range(500):
        await world.denials.note_request(officer, f"/api/recordings/{recording}/index", b"")
    for number in range(3 * UNKNOWN_ENTRIES):
        await world.denials.note_request(officer, f"/api/recordings/{UUID(int=number)}", b"")
    entries = await world.entries("recording.denied")
    assert len(entries) == 1 + UNKNOWN_ENTRIES
    assert (entries[0].subject_type, entries[0].subject_id) == ("recording", str(recording))
    assert json.loads(entries[0].details) == {"code": "not-permitted"}
    world.seconds += WINDOW_SECONDS + 1
    await world.denials.note_request(officer, f"/api/recordings/{recording}/index", b"")
    repeated, made_up, again = (await world.entries("recording.denied"))[1 + UNKNOWN_ENTRIES :]
    assert (repeated.subject_id, json.loads(repeated.details)) == (
        str(recording),
        {"code": "not-permitted", "count": 499},
    )
    assert (made_up.subject_type, json.loads(made_up.details)) == ("user", {"count": 2 * UNKNOWN_ENTRIES})
    assert (again.subject_id, json.loads(again.details)) == (str(recording), {"code": "not-permitted"})


async def test_what_was_counted_is_written_down_at_the_end(world: CustodyWorld) -> None:
    for _ in range(7):
        await world.denials.note_request(world.people["officer"], "/api/exports", b"")
    await world.denials.flush()
    details = [json.loads(entry.details) for entry in await world.entries("recording.denied")]
    assert details == [{"code": "not-permitted"}, {"code": "not-permitted", "count": 6}]


async def test_every_attempt_on_a_deletion_or_a_hold_stands_by_itself(world: CustodyWorld) -> None:
    recordings = [await world.record(), await world.record()]
    supervisor, commander = world.people["supervisor"], world.people["commander"]
    deletions = [await world.deletions.propose(supervisor, one, "period over") for one in recordings]
    hold = await world.retention.hold(supervisor, world.operation, None, "appeal")
    wish = {"operation_id": str(world.operation), "recording_id": str(recordings[0]), "reason": "x"}
    for _ in range(3):
        for deletion in deletions:
            for step in ("approve", "refuse", "withdraw", "custody"):
                await world.denials.note_request(commander, f"/api/deletions/{deletion}/{step}", b"{}")
        for path in ("/api/deletions", "/api/retention/holds", "/api/retention/classes"):
            await world.denials.note_request(commander, path, json.dumps(wish).encode())
        await world.denials.note_request(commander, f"/api/retention/holds/{hold}/lift", b"not JSON")
    entries = await world.entries("deletion.denied", "hold.denied", "retention.denied", "recording.denied")
    told = {(one.action, one.subject_id, json.loads(one.details)["attempt"]) for one in entries}
    steps = {("deletion.denied", str(one), step) for one in recordings for step in ("approve", "refuse", "withdraw")}
    steps |= {("deletion.denied", str(one), "custody") for one in recordings}
    steps |= {
        ("deletion.denied", str(recordings[0]), "propose"),
        ("hold.denied", str(recordings[0]), "set"),
        ("hold.denied", str(world.operation), "lift"),
        ("retention.denied", str(recordings[0]), "classify"),
    }
    assert told == steps
    assert len(entries) == len(steps)
    assert {json.loads(one.details).get("deletion") for one in entries} >= {str(one) for one in deletions}
    await world.denials.flush()
    counted = (await world.entries("deletion.denied", "hold.denied", "retention.denied"))[len(steps) :]
    assert [json.loads(one.details)["count"] for one in counted] == [2] * len(steps)
    assert {(one.action, one.subject_id, json.loads(one.details)["attempt"]) for one in counted} == steps
    assert await world.entries("recording.denied") == []


async def test_made_up_attempts_do_not_make_the_audit_grow(world: CustodyWorld) -> None:
    commander = world.people["commander"]
    for number in range(5 * UNKNOWN_ENTRIES):
        body = json.dumps({"recording_id": str(UUID(int=number))}).encode()
        await world.denials.note_request(commander, "/api/deletions", body)
        await world.denials.note_request(commander, f"/api/deletions/{UUID(int=number)}/approve", b"")
    await world.denials.flush()
    entries = await world.entries("deletion.denied")
    assert len(entries) == UNKNOWN_ENTRIES + 1
    assert json.loads(entries[-1].details) == {"count": 9 * UNKNOWN_ENTRIES}


async def test_who_may_not_hold_or_lifts_his_own_is_in_the_audit(world: CustodyWorld) -> None:
    supervisor, commander = world.people["supervisor"], world.people["commander"]
    hold = await world.retention.hold(supervisor, world.operation, None, "appeal")
    with pytest.raises(NotPermitted):
        await world.retention.lift(supervisor, hold, "over")
    with pytest.raises(NotPermitted):
        await world.retention.hold(commander, world.operation, None, "mine")
    with pytest.raises(NotPermitted):
        await world.retention.classify(commander, world.operation, None, RetentionClass.C)
    entries = await world.entries("hold.denied", "retention.denied")
    assert [(one.actor_id, json.loads(one.details)["code"], json.loads(one.details)["attempt"]) for one in entries] == [
        (supervisor.user_id, "hold-needs-two", "lift"),
        (commander.user_id, "not-permitted", "set"),
        (commander.user_id, "not-permitted", "classify"),
    ]


async def test_a_refusal_is_of_the_court_whose_recording_it_is(world: CustodyWorld) -> None:
    recording = await world.record()
    await world.denials.note(world.people["district-supervisor"], "other-court", "recording", str(recording))
    (entry,) = await world.entries("recording.denied")
    assert entry.court_id == world.people["supervisor"].court_id


async def test_a_supervisor_reads_what_is_of_operations_and_the_auditor_all(
    world: CustodyWorld, tmp_path: Path
) -> None:
    supervisor, auditor = world.people["supervisor"], world.people["auditor"]
    await begun(world)
    async with world.database.write() as session:
        for action, subject, court in (
            ("session.began", "session", supervisor.court_id),
            ("user.created", "user", supervisor.court_id),
            ("operation.created", "operation", None),
        ):
            await world.audit.record(
                session, actor=auditor.user_id, court_id=court, action=action, subject_type=subject, subject_id="1"
            )
    reader = AuditReader(world.database, world.audit, tmp_path / "anchors.jsonl")
    own = Query(supervisor.court_ids, is_of_operations=True)
    assert [entry.action for entry in await reader.page(supervisor.user_id, supervisor.court_id, own)] == [
        "review.began"
    ]
    everything = await reader.page(auditor.user_id, auditor.court_id, Query(auditor.court_ids))
    assert [entry.action for entry in everything] == [
        "audit.read",
        "operation.created",
        "user.created",
        "session.began",
        "review.began",
    ]
    district = world.people["district-supervisor"]
    foreign = Query(district.court_ids, is_of_operations=True)
    assert await reader.page(district.user_id, district.court_id, foreign) == []
