"""The asset routes over real HTTP: answers told apart, orders given once, and nobody let in who shouldn't be."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.command_center.assets.conftest import Court

FOUND, FIRM, SILENT, NOTHING = "0018", "0007W", "1021", "2038"
RULING = "（2026）内01执123号之一"


async def test_nothing_found_no_answer_and_failed_are_three_answers(court: Court) -> None:
    for id_end in (SILENT, NOTHING, FIRM):
        sent = await court.query(id_end)
        assert sent.status_code == 202
        assert {one["state"] for one in sent.json()["items"]} == {"sent"}
    nothing = await court.until_answered(NOTHING, "bank", "nothing_found")
    failed = await court.until_answered(SILENT, "registry", "failed")
    silent = await court.until_answered(SILENT, "bank", "no_answer")
    found = await court.until_answered(FIRM, "bank", "answered")
    assert [nothing["trouble"], failed["trouble"], silent["trouble"]] == [
        "",
        "gateway-broke",
        "gateway-unreachable",
    ]
    assert found["found"] == 1
    listed = (await court.judge.get("/api/assets/requests", params={"case_id": found["case_id"]})).json()
    assert len(listed["items"]) == 6
    one = await court.judge.get(f"/api/assets/requests/{found['id']}")
    assert one.json()["number"] == found["number"]


async def test_requests_are_paged(court: Court) -> None:
    sent = (await court.query(FOUND)).json()["items"]
    case_id = sent[0]["case_id"]
    first = (await court.judge.get("/api/assets/requests", params={"case_id": case_id, "limit": 1})).json()
    page = {"case_id": case_id, "limit": 1, "cursor": first["next"]}
    second = (await court.judge.get("/api/assets/requests", params=page)).json()
    assert {first["items"][0]["id"], second["items"][0]["id"]} == {one["id"] for one in sent}


async def test_a_freeze_sent_three_times_with_one_key_is_one_freeze(court: Court) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    account = await court.until_standing("0008", "none")
    body = {
        "asset_id": account["id"],
        "amount_cents": 5_000_000,
        "ruling_number": RULING,
        "idempotency_key": str(uuid4()),
    }
    sent = [await court.judge.post("/api/assets/freezes", json=body) for _ in range(3)]
    assert {one.status_code for one in sent} == {202}
    assert len({one.json()["number"] for one in sent}) == 1
    frozen = await court.until_standing("0008", "controlled")
    assert frozen["controlled_cents"] == 5_000_000
    assert [one["cents"] for one in court.bank.ledger.controls()] == [5_000_000]
    assert (await court.case())["controlled_cents"] == 5_000_000
    again = await court.judge.post("/api/assets/freezes", json=body | {"idempotency_key": str(uuid4())})
    assert (again.status_code, again.json()["code"]) == (409, "measure-stands")


async def test_a_unit_of_another_court_is_seized_in_waiting(court: Court) -> None:
    await court.query(FOUND, "registry")
    await court.until_answered(FOUND, "registry", "answered")
    unit = await court.until_standing("050101", "none")
    body = {"asset_id": unit["id"], "ruling_number": RULING, "idempotency_key": str(uuid4())}
    assert (await court.judge.post("/api/assets/seizures", json=body)).status_code == 202
    assert (await court.until_standing("050101", "waiting"))["rank"] == 1


WRONG_ORDERS: list[tuple[dict[str, Any], int, str]] = [
    ({"ruling_number": ""}, 422, "ruling-missing"),
    ({"ruling_number": "裁定"}, 422, "bad-format"),
    ({"amount_cents": 0}, 422, "not-valid"),
    ({"asset_id": str(uuid4())}, 404, "no-such-asset"),
    ({"surprise": 1}, 422, "not-valid"),
]


async def test_a_wrong_order_is_a_problem_with_its_code(court: Court) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    account = await court.until_standing("0008", "none")
    body = {
        "asset_id": account["id"],
        "amount_cents": 100,
        "ruling_number": RULING,
        "idempotency_key": str(uuid4()),
    }
    for change, status, code in WRONG_ORDERS:
        answer = await court.judge.post("/api/assets/freezes", json=body | change)
        assert (answer.status_code, answer.json()["code"]) == (status, code), change
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert court.bank.ledger.controls() == []


async def test_only_the_person_under_enforcement_is_queried(court: Court) -> None:
    answer = await court.query("0022T")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-under-enforcement")


async def test_the_district_court_never_sees_the_citys_case(court: Court) -> None:
    case = await court.case()
    district = await court.web.signed_in("saihan-judge")
    numbers = [one["number"] for one in (await district.get("/api/assets/cases")).json()["items"]]
    assert len(numbers) == 1
    assert case["head"]["number"] not in numbers
    first = (await court.judge.get("/api/assets/cases", params={"limit": 1})).json()
    rest = (await court.judge.get("/api/assets/cases", params={"cursor": first["next"]})).json()
    assert [one["number"] for one in first["items"] + rest["items"]] == sorted([case["head"]["number"], *numbers])
    assert rest["next"] is None
    answer = await district.get(f"/api/assets/cases/{case['head']['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-case")
    body = {
        "case_id": case["head"]["id"],
        "person_id": case["persons"][0]["id"],
        "gateways": [],
        "idempotency_key": str(uuid4()),
    }
    assert (await district.post("/api/assets/queries", json=body)).status_code == 404
    for ruling in ("", "裁定", RULING):
        for door, amount in (("freezes", {"amount_cents": 100}), ("seizures", {})):
            order = {"asset_id": case["assets"][0]["id"], "ruling_number": ruling, "idempotency_key": str(uuid4())}
            answer = await district.post(f"/api/assets/{door}", json=order | amount)
            assert answer.status_code == 404, (door, ruling, answer.text)


async def test_who_may_look_may_not_order(court: Court) -> None:
    case = await court.case()
    supervisor = await court.web.signed_in("supervisor")
    assert (await court.case(supervisor))["head"] == case["head"]
    body = {
        "case_id": case["head"]["id"],
        "person_id": case["persons"][0]["id"],
        "gateways": [],
        "idempotency_key": str(uuid4()),
    }
    assert (await supervisor.post("/api/assets/queries", json=body)).status_code == 403
    officer = await court.web.signed_in("officer1")
    assert (await officer.get("/api/assets/cases")).status_code == 403
    assert (await court.web.client().get("/api/assets/cases")).status_code == 401


async def test_the_audit_holds_who_asked_and_no_personal_contents(court: Court) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    reader = await court.web.signed_in("audit")
    entries = (await reader.get("/api/audit", params={"limit": 50})).json()["items"]
    actions = {one["action"]: one for one in entries if one["action"].startswith("asset.")}
    assert set(actions) == {"asset.query.sent", "asset.query.answered"}
    assert actions["asset.query.sent"]["actor_id"] == str(court.web.world.users["judge"])
    assert actions["asset.query.answered"]["actor_id"] is None
    for secret in ("150105199001010018", "张某甲", "6217000060000000008"):
        assert secret not in str(entries)
