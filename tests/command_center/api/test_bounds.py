"""What lies beyond any number and any time is told so, and nothing breaks by it; nor is a blank a reason."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")

EARLIEST, LATEST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
OPERATION = "{operation}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 10**30])
async def test_a_number_beyond_all_is_told_so(web: RunningWeb, number: int) -> None:
    auditor, commander = await web.signed_in("audit"), await web.signed_in("commander")
    assert problem(await auditor.get("/api/audit", params={"cursor": number})) == (422, "not-valid")
    query = {"operation_id": str(web.world.operation_id), "cursor": number}
    assert problem(await commander.get("/api/instructions", params=query)) == (422, "not-valid")


@pytest.mark.parametrize("at", [EARLIEST, LATEST, "1969-12-31T23:59:59Z", "2026-01-15T16:00:00"])
async def test_a_time_near_the_ends_of_all_is_told_so(web: RunningWeb, at: str) -> None:
    commander = await web.signed_in("commander")
    operation, sensible = str(web.world.operation_id), "2026-01-15T16:00:00+08:00"
    wish: dict[str, Any] = {"operation_id": operation, "feeds": ["voice"], "purpose": "appeal"}
    for since, until in ((at, sensible), (sensible, at), (at, at)):
        body = {**wish, "since": since, "until": until, "idempotency_key": str(uuid4())}
        assert problem(await commander.post("/api/exports", json=body)) == (422, "time-not-valid")
    answer = await commander.post(f"/api/operations/{operation}/notes", json={"at": at, "text": "x"})
    assert problem(answer) == (422, "time-not-valid")
    for path in (f"/api/operations/{operation}/tracks", "/api/positions", f"/api/operations/{operation}/timeline"):
        answer = await commander.get(path, params={"feed": "feed-1", "since": at, "until": at})
        assert problem(answer) == (422, "time-not-valid"), path
    for path in ("/api/recordings", "/api/positions", "/api/retention", "/api/deletions"):
        query = {"operation_id": operation, "feed": "feed-1", "cursor": f"{at}~{uuid4()}"}
        asking = commander if path in {"/api/recordings", "/api/positions"} else await web.signed_in("supervisor")
        assert problem(await asking.get(path, params=query)) == (422, "cursor-not-valid"), path


async def test_a_feed_is_asked_for_by_letters_that_feeds_have(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    body = {
        "operation_id": str(web.world.operation_id), "since": "2026-01-15T16:00:00Z", "until": "2026-01-15T16:01:00Z",
        "feeds": ["feed\x00"], "purpose": "appeal", "idempotency_key": str(uuid4()),
    }  # fmt: skip
    assert problem(await commander.post("/api/exports", json=body)) == (422, "not-valid")


@pytest.mark.parametrize("reason", ["", "   ", "\u3000\t\n", "⠀⠀", "…", "ㅤ"])
async def test_a_blank_is_no_reason(web: RunningWeb, reason: str) -> None:
    supervisor = await web.signed_in("supervisor")
    operation = str(web.world.operation_id)
    for path, body in (
        ("/api/retention/holds", {"operation_id": operation}),
        (f"/api/retention/holds/{uuid4()}/lift", {}),
        ("/api/deletions", {"recording_id": str(uuid4())}),
        (f"/api/deletions/{uuid4()}/withdraw", {}),
    ):
        answer = await supervisor.post(path, json={**body, "reason": reason})
        assert problem(answer) == (422, "reason-required"), path
    approver = await web.signed_in("approver")
    answer = await approver.post(f"/api/deletions/{uuid4()}/refuse", json={"reason": reason})
    assert problem(answer) == (422, "reason-required")
    body = {
        "operation_id": operation, "since": "2026-01-15T16:00:00Z", "until": "2026-01-15T16:01:00Z",
        "feeds": ["voice"], "purpose": "appeal", "reason": reason, "is_masked": False, "idempotency_key": str(uuid4()),
    }  # fmt: skip
    commander = await web.signed_in("commander")
    assert problem(await commander.post("/api/exports", json=body)) == (422, "export-reason-missing")


async def test_a_reason_is_kept_without_the_blanks_around_it(web: RunningWeb) -> None:
    supervisor = await web.signed_in("supervisor")
    body = {"operation_id": str(web.world.operation_id), "reason": " \u3000上诉期间 \n"}
    assert (await supervisor.post("/api/retention/holds", json=body)).status_code == 201
    listed = (await supervisor.get("/api/retention")).json()["items"]
    assert [hold["reason"] for one in listed for hold in one["holds"]] == ["上诉期间"]
