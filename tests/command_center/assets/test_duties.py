"""What an officer sees of assets: the cases of the own operations now, and five outcomes of a query told apart."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import update

from assets.requests import RequestState
from command_center.api.asset_duty_views import outcome_of
from command_center.operations.tables import Operation
from tests.command_center.assets.conftest import Court

OUTCOMES = {
    RequestState.DRAFT: "asking",
    RequestState.APPROVED: "asking",
    RequestState.SEALED: "asking",
    RequestState.SENT: "asking",
    RequestState.ACCEPTED: "asking",
    RequestState.ANSWERED: "found",
    RequestState.NOTHING_FOUND: "nothing_found",
    RequestState.NO_ANSWER: "no_answer",
    RequestState.RETURNED: "failed",
    RequestState.OBJECTED: "failed",
    RequestState.FAILED: "failed",
    # A query never gets into these; if it did, nobody would have said that nothing was found.
    RequestState.DECLINED: "failed",
    RequestState.WITHDRAWN: "failed",
    RequestState.CHECKED: "failed",
}


@pytest.mark.parametrize("state", RequestState)
def test_only_an_answer_that_says_so_is_nothing_found(state: RequestState) -> None:
    assert outcome_of(state, found=2) == OUTCOMES[state]


async def test_an_officer_who_is_taken_out_of_the_operation_sees_and_does_nothing_more(court: Court) -> None:
    web = court.web
    officer, commander = await web.signed_in("officer1"), await web.signed_in("commander")
    mine = (await officer.get("/api/assets/mine")).json()
    (case,) = mine["cases"]
    person = case["persons"][0]
    assert person["name"].endswith("*")
    assert "applicant" not in str(case)
    assert len(case["persons"]) == 4, "the applicant is none of an officer's business"
    assert case["assets_total"] == len(case["assets"])
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
    mine = (await officer.get("/api/assets/mine")).json()
    assert (mine["cases"], mine["proposals"]) == ([], [])
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
