"""Orders about a measure over HTTP, from the freeze to the release, with the simulated bank on the other side."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.command_center.assets.conftest import Court
from tests.support.waiting import until

FOUND = "0018"
RULING = "（2026）内01执123号之一"


def _order(**body: object) -> dict[str, Any]:
    return {"ruling_number": RULING, "idempotency_key": str(uuid4()), **body}


async def _sheet(court: Court, asset: str) -> dict[str, Any]:
    answer = await court.judge.get(f"/api/assets/items/{asset}/controls")
    assert answer.status_code == 200, answer.text
    sheet: dict[str, Any] = answer.json()
    return sheet


async def _until_measure(court: Court, asset: str, **wanted: object) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        measure = (await _sheet(court, asset))["measure"] or {}
        return measure if wanted.items() <= measure.items() else None

    measure = await until(found, 20)
    assert measure is not None
    return measure


async def _frozen(court: Court, cents: int = 5_000_000) -> tuple[str, dict[str, Any]]:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    asset: str = (await court.until_standing("0008", "none"))["id"]
    body = _order(asset_id=asset, amount_cents=cents)
    assert (await court.judge.post("/api/assets/freezes", json=body)).status_code == 202
    return asset, await _until_measure(court, asset, state="in_force")


async def test_a_freeze_is_renewed_given_back_in_part_and_released_once_a_second_person_agrees(court: Court) -> None:
    asset, measure = await _frozen(court)
    assert (measure["controlled_cents"], measure["term_rule"], measure["contradiction"]) == (5_000_000, "first", "")
    offered = {one["action"]: (one["why"], one["needs_approval"]) for one in (await _sheet(court, asset))["allowed"]}
    assert offered["freeze"] == ("measure-stands", False)
    assert offered["renew"] == ("", False)
    assert offered["release"] == ("", True)

    body = _order(measure_id=measure["id"])
    sent = [await court.judge.post("/api/assets/renewals", json=body) for _ in range(3)]
    assert [one.status_code for one in sent] == [202, 202, 202]
    assert len({one.json()["number"] for one in sent}) == 1
    renewed = await _until_measure(court, asset, renewals=1)
    assert (renewed["term_rule"], renewed["starts_on"]) == ("renewed", measure["starts_on"])
    assert int(renewed["ends_on"][:4]) == int(measure["ends_on"][:4]) + 1
    again = await court.judge.post("/api/assets/renewals", json=_order(measure_id=measure["id"]))
    assert (again.status_code, again.json()["code"]) == (409, "renewed-already")

    approver = await court.web.signed_in("approver")
    await _agreed(court, approver, "part-releases", _order(measure_id=measure["id"], amount_cents=1_000_000))
    await _until_measure(court, asset, controlled_cents=4_000_000)
    await _agreed(court, approver, "releases", _order(measure_id=measure["id"]))
    await _until_measure(court, asset, state="released", controlled_cents=0)
    assert (await court.case())["controlled_cents"] == 0


async def _agreed(court: Court, approver: httpx.AsyncClient, door: str, body: dict[str, Any]) -> None:
    drafted = await court.judge.post(f"/api/assets/{door}", json=body)
    assert (drafted.status_code, drafted.json()["state"]) == (202, "draft"), drafted.text
    address = f"/api/assets/requests/{drafted.json()['id']}/approve"
    agreed = await approver.post(address, json={"idempotency_key": str(uuid4())})
    assert agreed.status_code == 200, agreed.text


async def test_money_is_frozen_and_transferred_in_one_and_income_withdrawn_once_a_second_person_agrees(
    court: Court,
) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    asset = (await court.until_standing("0008", "none"))["id"]
    approver = await court.web.signed_in("approver")
    allowed = {one["action"]: one for one in (await _sheet(court, asset))["allowed"]}
    for action in ("freeze_and_transfer", "withdraw_income"):
        offered = allowed[action]
        assert (offered["why"], offered["needs_approval"], offered["is_urgent"]) == ("", True, False)
    assert allowed["freeze"]["is_urgent"]
    hasty = _order(asset_id=asset, amount_cents=100, emergency="正在转移")
    refused = await court.judge.post("/api/assets/freeze-transfers", json=hasty)
    assert (refused.status_code, refused.json()["code"]) == (409, "no-emergency")
    for door, cents, action in (
        ("freeze-transfers", 1_000_000, "freeze_and_transfer"),
        ("income-withdrawals", 300_000, "withdraw_income"),
    ):
        await _agreed(court, approver, door, _order(asset_id=asset, amount_cents=cents))
        measure = await _until_measure(court, asset, state="transferred", transferred_cents=cents)
        assert measure["receipt_number"].startswith("HZ")
        history = (await court.judge.get(f"/api/assets/items/{asset}/history")).json()
        of_order = [one["what"] for one in history["entries"] if one["action"] == action]
        assert {"ordered", "approved", "answered", "transferred", "sealed"} <= set(of_order)
        documents = [one["details"]["document"] for one in history["entries"] if one["what"] == "sealed"]
        assert {"ruling", "transfer_notice"} <= set(documents)


async def test_what_an_order_would_cover_is_shown_and_nothing_is_sent(court: Court) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    asset = (await court.until_standing("0008", "none"))["id"]
    seen = (await court.judge.get(f"/api/assets/items/{asset}/preview", params={"amount_cents": 100})).json()
    assert (seen["added_cents"], seen["is_over_limit"]) == (100, False)
    assert seen["cover"]["covered_cents"] == seen["cover"]["collected_cents"], "nothing is held yet"
    assert seen["limit_cents"] == seen["cover"]["claim_cents"] * 12 // 10
    assert court.bank.ledger.controls() == []


async def test_a_mark_stands_against_an_order_until_there_is_a_reason(court: Court) -> None:
    await court.query(FOUND, "bank")
    await court.until_answered(FOUND, "bank", "answered")
    asset = (await court.until_standing("0008", "none"))["id"]
    mark = {"special": "union", "reason": "工会经费账户"}
    assert (await court.judge.put(f"/api/assets/items/{asset}/marks", json=mark)).status_code == 204
    refused = await court.judge.post("/api/assets/freezes", json=_order(asset_id=asset, amount_cents=100))
    assert (refused.status_code, refused.json()["code"], refused.json()["why"]) == (
        409, "override-needed", "special-account",
    )  # fmt: skip
    body = _order(asset_id=asset, amount_cents=100, override_reason="账户内另有自有资金")
    drafted = await court.judge.post("/api/assets/freezes", json=body)
    assert (drafted.status_code, drafted.json()["state"]) == (202, "draft")
    assert (await _sheet(court, asset))["special"] == "union"
    assert court.bank.ledger.controls() == []
