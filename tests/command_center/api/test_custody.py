"""Custody over HTTP: a purpose in a header, refusals in the audit, and the audit of operations for supervisors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from command_center.accounts.tables import User
from command_center.database import new_id
from command_center.evidence.tables import Recording
from command_center.operations.tables import Site
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recording(web: RunningWeb) -> UUID:
    """One of the city court's operation, whose files are nowhere."""
    recording_id, at = new_id(), datetime.now(UTC)
    async with web.web.database.write() as session:
        operation_id = web.world.operation_id
        site_id = await session.scalar(select(Site.id).where(Site.operation_id == operation_id).limit(1))
        session.add(
            Recording(
                id=recording_id, operation_id=operation_id, site_id=site_id, node="node-1", version=2,
                manifest=f"{recording_id}.jsonl", started_at=at, ended_at=at, head="",
            )
        )  # fmt: skip
    return recording_id


async def begun(web: RunningWeb, client: httpx.AsyncClient) -> str:
    body = {"operation_id": str(web.world.operation_id), "purpose": "appeal", "note": "上诉"}
    answer = await client.post("/api/reviews", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(client: httpx.AsyncClient, action: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/audit", params={"action": action})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_supervisor_states_a_purpose_and_the_audit_holds_it(web: RunningWeb, recording: UUID) -> None:
    supervisor = await web.signed_in("supervisor")
    for part in ("index", "segments/1"):
        refused = await supervisor.get(f"/api/recordings/{recording}/{part}")
        assert (refused.status_code, refused.json()["code"]) == (403, "purpose-required")
    headers = {"X-Review": await begun(web, supervisor)}
    assert (await supervisor.get(f"/api/recordings/{recording}/index", headers=headers)).status_code == 503
    other = {"X-Review": str(uuid4())}
    assert (await supervisor.get(f"/api/recordings/{recording}/index", headers=other)).status_code == 403
    assert (await supervisor.get(f"/api/recordings/{recording}/index", headers={"X-Review": "x"})).status_code == 422
    (viewed,) = await told(supervisor, "recording.viewed")
    assert (viewed["subject_id"], viewed["details"]["purpose"]) == (str(recording), "appeal")
    assert viewed["details"]["review"] == headers["X-Review"]


async def test_what_a_reviewer_wrote_is_read_by_supervisors_and_by_nobody_who_sees_no_case(web: RunningWeb) -> None:
    supervisor, auditor = await web.signed_in("supervisor"), await web.signed_in("audit")
    review = await begun(web, supervisor)
    for client, note in ((supervisor, "上诉"), (auditor, None)):
        newest = (await told(client, "review.began"))[0]
        assert (newest["details"]["review"], newest["details"]["purpose"]) == (review, "appeal")
        assert newest["review_note"] == note
    headers = {"X-Review": review}
    await supervisor.get(f"/api/operations/{web.world.operation_id}/journal", headers=headers)
    looked = (await told(supervisor, "review.looked"))[0]
    assert (looked["details"]["review"], looked["review_note"]) == (review, None), "once is enough"


async def test_the_commander_may_look_without_and_the_audit_says_so(web: RunningWeb, recording: UUID) -> None:
    commander, auditor = await web.signed_in("commander"), await web.signed_in("audit")
    assert (await commander.get(f"/api/recordings/{recording}/index")).status_code == 503
    newest = (await told(auditor, "recording.viewed"))[0]
    assert (newest["actor_username"], newest["details"]) == ("commander", {"purpose": "none"})


async def test_who_is_shut_out_is_in_the_audit_of_the_court_whose_recording_it_is(
    web: RunningWeb, recording: UUID
) -> None:
    for username, status in (("officer1", 403), ("approver", 403), ("saihan-judge", 404)):
        client = await web.signed_in(username)
        for _ in range(5):
            assert (await client.get(f"/api/recordings/{recording}/index")).status_code == status
    supervisor = await web.signed_in("supervisor")
    denied = {
        (entry["actor_username"], entry["details"]["code"])
        for entry in await told(supervisor, "recording.denied")
        if entry["subject_id"] == str(recording)
    }
    assert denied >= {("officer1", "not-permitted"), ("approver", "not-permitted"), ("saihan-judge", "other-court")}
    assert len([one for one in denied if one[0] == "officer1"]) == 1


async def test_seeks_come_in_lots(web: RunningWeb) -> None:
    supervisor = await web.signed_in("supervisor")
    address = f"/api/reviews/{await begun(web, supervisor)}/seeks"
    assert (await supervisor.post(address, json={"at": 1_800_000_000_000, "feeds": ["one"]})).status_code == 204
    again = await supervisor.post(address, json={"at": 1_800_000_000_000})
    assert (again.status_code, again.json()["code"], again.headers["retry-after"]) == (429, "seeks-too-often", "1")
    commander = await web.signed_in("commander")
    assert (await commander.post(address, json={"at": 1})).status_code == 404
    for wrong in ({"at": -1}, {"at": 10**15}, {"at": 1, "feeds": ["f"] * 17}, {"at": 1, "more": 2}):
        assert (await supervisor.post(address, json=wrong)).status_code == 422


async def test_a_supervisor_reads_nothing_of_accounts_and_that_it_read_is_recorded(web: RunningWeb) -> None:
    supervisor, auditor = await web.signed_in("supervisor"), await web.signed_in("audit")
    for action in ("session.began", "audit.read", "user.created"):
        assert await told(supervisor, action) == []
    assert (await supervisor.get("/api/audit/verdict")).status_code == 403
    async with web.web.database.read() as session:
        person = await session.get_one(User, web.world.users["supervisor"])
    assert str(person.id) in {entry["actor_id"] for entry in await told(auditor, "audit.read")}


async def test_an_attempt_at_a_deletion_by_the_wrong_role_is_in_the_audit_as_that(
    web: RunningWeb, recording: UUID
) -> None:
    commander, supervisor = await web.signed_in("commander"), await web.signed_in("supervisor")
    body = {"recording_id": str(recording), "reason": "over"}
    for path, attempt in (
        ("/api/deletions", body),
        ("/api/retention/holds", {**body, "operation_id": str(web.world.operation_id)}),
    ):
        assert (await commander.post(path, json=attempt)).status_code == 403
    for action, step in (("deletion.denied", "propose"), ("hold.denied", "set")):
        (entry,) = [one for one in await told(supervisor, action) if one["details"]["attempt"] == step]
        assert (entry["actor_username"], entry["subject_type"], entry["subject_id"]) == (
            "commander", "recording", str(recording),
        )  # fmt: skip
        assert entry["details"]["code"] == "not-permitted"
