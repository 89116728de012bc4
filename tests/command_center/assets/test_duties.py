"""What an officer sees of assets: the cases of the own operations now, and five outcomes of a query told apart."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import update

from assets.requests import RequestState
from assets.views import RequestView
from command_center.api.asset_duty_views import outcome_of
from command_center.operations.tables import Operation
from tests.command_center.assets.conftest import Court

OUTCOMES = [
    ("draft", 0, "", "asking"),
    ("sent", 0, "", "asking"),
    ("accepted", 0, "", "asking"),
    ("answered", 3, "", "found"),
    ("checked", 3, "", "found"),
    ("nothing_found", 0, "", "nothing_found"),
    ("checked", 0, "", "nothing_found"),
    ("checked", 0, "gateway-refused", "failed"),
    ("returned", 0, "gateway-refused", "failed"),
    ("objected", 0, "gateway-objected", "failed"),
    ("failed", 0, "gateway-broke", "failed"),
    ("failed", 2, "gateway-answered-garbage", "failed"),
    ("no_answer", 0, "gateway-unreachable", "no_answer"),
]


@pytest.mark.parametrize(("state", "found", "trouble", "outcome"), OUTCOMES)
def test_only_an_answer_that_says_so_is_nothing_found(state: str, found: int, trouble: str, outcome: str) -> None:
    at = datetime.now(UTC)
    request = RequestView(
        id=uuid4(),
        number="C1",
        case_id=uuid4(),
        person_id=uuid4(),
        asset_id=None,
        action="query",
        gateway="bank",
        state=state,
        documents=[],
        ruling_number="",
        amount_cents=None,
        found=found,
        attempts=0,
        trouble=trouble,
        reason="",
        created_at=at,
        sent_at=at,
        answered_at=None,
        next_ask_at=None,
    )
    assert outcome_of(request) == outcome


def test_every_state_of_a_request_has_an_outcome_to_be_shown() -> None:
    """Those that a query never gets into are failures: nobody answered that nothing was found."""
    assert {state for state, *_ in OUTCOMES} | {"declined", "withdrawn", "approved", "sealed"} == set(RequestState)


async def test_an_officer_who_is_taken_out_of_the_operation_sees_and_does_nothing_more(court: Court) -> None:
    web = court.web
    officer, commander = await web.signed_in("officer1"), await web.signed_in("commander")
    mine = (await officer.get("/api/assets/mine")).json()
    (case,) = mine["cases"]
    person = case["persons"][0]
    assert person["name"].endswith("*")
    assert "applicant" not in str(case)
    assert len(case["persons"]) == 4, "the applicant is none of an officer's business"
    proposal = {
        "operation_id": str(web.world.operation_id),
        "kind": "movable",
        "reference": "蒙A55555",
        "action": "impound",
        "idempotency_key": str(uuid4()),
    }
    assert (await officer.post("/api/assets/mine/proposals", json=proposal)).status_code == 201
    place = f"/api/operations/{web.world.operation_id}/officers/{web.world.users['officer1']}"
    assert (await commander.delete(place)).status_code == 204
    officer = await web.signed_in("officer1")
    assert (await officer.get("/api/assets/mine")).json() | {"read_at": ""} == {
        "read_at": "",
        "cases": [],
        "proposals": [],
    }
    query = {"case_id": case["id"], "person_id": person["id"], "idempotency_key": str(uuid4())}
    assert (await officer.post("/api/assets/mine/queries", json=query)).json()["code"] == "no-such-case"
    again = await officer.post("/api/assets/mine/proposals", json=proposal)
    assert (again.status_code, again.json()["code"]) == (404, "operation-not-found")


async def test_the_case_of_an_operation_that_has_ended_is_shown_to_no_officer(court: Court) -> None:
    officer = await court.web.signed_in("officer2")
    assert (await officer.get("/api/assets/mine")).json()["cases"]
    async with court.web.web.database.write() as session:
        await session.execute(update(Operation).values(state="ended"))
    assert (await officer.get("/api/assets/mine")).json()["cases"] == []
