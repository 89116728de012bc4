"""The whole road of a case's money over real HTTP: found, frozen, transferred, arrived, approved, paid out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.command_center.assets.conftest import Court, new_court
from tests.support.simulator import Simulator
from tests.support.valkey import Valkey
from tests.support.waiting import until

DEBTOR, ACCOUNT, CENTS = "0018", "0008", 5_000_000
MONEY = "/api/assets/accounts"


def _pressed(**body: object) -> dict[str, Any]:
    return {"idempotency_key": str(uuid4()), **body}


async def _done(client: httpx.AsyncClient, path: str, **body: object) -> Any:
    answer = await client.post(path, json=_pressed(**body))
    assert answer.is_success, answer.text
    return answer.json()


async def test_what_a_bank_freezes_is_transferred_arrives_at_its_case_and_is_paid_out(
    tmp_path: Path, valkey: Valkey
) -> None:
    paying = Simulator("paying", tmp_path / "paying.sqlite3")
    await paying.start()
    async with new_court(tmp_path, valkey.url, paying_url=paying.url) as court:
        approver = await court.web.signed_in("approver")
        case_id = (await court.case())["head"]["id"]
        await _transfer(court, approver)
        arrival = await _arrived(court, case_id)
        assert (arrival["cents"], arrival["matched_by"], arrival["remark"].endswith("协助扣划")) == (
            CENTS, "sub-account", True,
        )  # fmt: skip
        pot = (await _account(court, case_id))["line"]["places"]["undistributed_cents"]
        proposal = await _done(court.judge, f"{MONEY}/cases/{case_id}/distributions")
        await _done(approver, f"{MONEY}/proposals/{proposal['id']}/approve")

        async def paid() -> bool:
            return {one["state"] for one in (await _account(court, case_id))["payments"]} == {"paid"}

        await until(paid, 30)
        places = (await _account(court, case_id))["line"]["places"]
        assert (places["paid_cents"] + places["fees_cents"], places["undistributed_cents"]) == (pot, 0)
    await paying.stop()


async def _transfer(court: Court, approver: httpx.AsyncClient) -> None:
    """Have the bank asked, the account frozen, and what is frozen transferred."""
    await court.query(DEBTOR, "bank")
    await court.until_answered(DEBTOR, "bank", "answered")
    asset = (await court.until_standing(ACCOUNT, "none"))["id"]
    ruling = {"ruling_number": "（2026）内01执123号之一"}
    await _done(court.judge, "/api/assets/freezes", asset_id=asset, amount_cents=CENTS, **ruling)
    await court.until_standing(ACCOUNT, "controlled")
    measure = (await court.judge.get(f"/api/assets/items/{asset}/controls")).json()["measure"]
    order = await _done(court.judge, "/api/assets/transfers", measure_id=measure["id"], **ruling)
    await _done(approver, f"/api/assets/requests/{order['id']}/approve")


async def _arrived(court: Court, case_id: str) -> dict[str, Any]:
    """Read the bank's statement until what was transferred is on it."""
    court_id = (await _account(court, case_id))["line"]["court_id"]

    async def found() -> dict[str, Any] | None:
        assert (await court.judge.post(f"{MONEY}/mains/{court_id}/refresh")).status_code == 200
        arrivals = (await _account(court, case_id))["arrivals"]
        return next((one for one in arrivals if one["bank_serial"].startswith("KH")), None)

    arrival = await until(found, 30)
    assert arrival is not None
    return arrival


async def _account(court: Court, case_id: str) -> dict[str, Any]:
    account: dict[str, Any] = (await court.judge.get(f"{MONEY}/cases/{case_id}")).json()["account"]
    return account
