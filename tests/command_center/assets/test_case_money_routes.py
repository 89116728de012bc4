"""The routes of case money: keys, the second person, the workbook, and what nobody may make of odd input."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from openpyxl import load_workbook

from command_center.clock import today
from tests.support.simulator import Simulator
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/assets/accounts"
CITY = "内01执123号"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def money(shared_valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningWeb]:
    simulator = Simulator("paying", tmp_path_factory.mktemp("paying") / "paying.sqlite3")
    await simulator.start()
    settings = settings_for(tmp_path_factory.mktemp("web"), shared_valkey.url, paying_url=simulator.url)
    async with running_web(settings) as running:
        yield running
    await simulator.stop()


async def city_case(client: httpx.AsyncClient) -> str:
    lines = (await client.get(PATH)).json()["items"]
    return str(next(one["case_id"] for one in lines if CITY in one["case_number"]))


async def account(client: httpx.AsyncClient, case_id: str) -> Any:
    answer = await client.get(f"{PATH}/cases/{case_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["account"]


async def report(client: httpx.AsyncClient) -> Any:
    main = (await client.get(f"{PATH}/mains")).json()["items"][0]
    query = {"court_id": main["court_id"], "month": f"{today():%Y-%m}"}
    answer = await client.get(f"{PATH}/reconciliation", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json(), query


async def test_a_distribution_goes_by_two_people_and_pressing_twice_does_it_once(money: RunningWeb) -> None:
    judge, approver = await money.signed_in("judge"), await money.signed_in("approver")
    case_id = await city_case(judge)
    preview = (await judge.post(f"{PATH}/cases/{case_id}/preview", json={})).json()
    key = {"idempotency_key": str(uuid4())}
    made = [await judge.post(f"{PATH}/cases/{case_id}/distributions", json=key) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert made[0].json()["content"]["claims"] == preview["claims"]
    other = await judge.post(f"{PATH}/cases/{case_id}/distributions", json=key | {"as_of": "2026-11-01"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-used")
    proposal = f"{PATH}/proposals/{made[0].json()['id']}"
    assert (await judge.post(f"{proposal}/approve", json=key)).status_code == 403
    done = {"idempotency_key": str(uuid4())}
    approved = [await approver.post(f"{proposal}/approve", json=done) for _ in range(2)]
    assert [one.json()["state"] for one in approved] == ["approved", "approved"]

    async def paid() -> bool:
        return {one["state"] for one in (await account(judge, case_id))["payments"]} == {"paid"}

    await until(paid, 20)
    view = await account(judge, case_id)
    places = view["line"]["places"]
    assert places["paid_cents"] + places["fees_cents"] == preview["pot_cents"]
    assert all("sent" in one["state"] and one["state"] != "sent" for one in view["notices"])
    postings = (await judge.get(f"{PATH}/cases/{case_id}/postings")).json()["items"]
    assert all(sum(cents for _, cents, _ in one["entries"]) == 0 for one in postings)


async def test_the_months_report_is_a_workbook_too(money: RunningWeb) -> None:
    supervisor = await money.signed_in("supervisor")
    found, query = await report(supervisor)
    answer = await supervisor.get(f"{PATH}/reconciliation.xlsx", params=query)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    book = load_workbook(BytesIO(answer.content))
    cases, bank = book.worksheets
    total = [cell.value for cell in list(cases.rows)[-1]]
    wanted = found["report"]["total"]
    assert [round(value * 100) for value in total[2:]] == [
        wanted[f"{name}_cents"] for name in ("opening", "received", "paid", "refunded", "fees", "closing", "held")
    ]
    assert list(cases.rows)[-1][2].number_format == "#,##0.00"
    assert all(cell.data_type != "f" for sheet in (cases, bank) for row in sheet.rows for cell in row)


ODD = [
    ("GET", "", {"limit": 0}, None),
    ("GET", "", {"cursor": "\x00", "open_only": "false"}, None),
    ("GET", "/reconciliation", {"court_id": str(uuid4()), "month": "2026-13"}, None),
    ("GET", "/reconciliation", {"court_id": str(uuid4()), "month": "2026-01"}, None),
    ("GET", "/cases/{case}/postings", {"x": "\ud7ff"}, None),
    ("POST", "/cases/{case}/preview", {}, {"as_of": "0001-01-01"}),
    ("POST", "/cases/{case}/preview", {}, {"as_of": "9999-12-31"}),
    ("POST", "/cases/{case}/preview", {}, {"ranks": {str(uuid4()): 1}}),
    ("POST", "/cases/{case}/deferrals", {}, {"ground": "none"}),
    ("POST", "/cases/{case}/deferrals", {}, {"ground": "other", "note": "\x00"}),
    ("POST", "/cases/{case}/payees", {}, {"person_id": str(uuid4()), "account_number": "abcdef", "bank_name": "b"}),
    ("POST", "/cases/{case}/distributions", {}, {"holds": {str(uuid4()): "why"}}),
    ("POST", "/cases/{case}/distributions", {}, {"holds": {str(uuid4()): " "}}),
    ("POST", "/arrivals/{case}/claim", {}, {"case_id": str(uuid4())}),
    ("POST", "/arrivals/{case}/fee-refund", {}, {"effective_on": "9999-12-31"}),
    ("POST", "/proposals/{case}/withdraw", {}, {"reason": "x"}),
    ("POST", "/holds/{case}/release", {}, {"reason": "x"}),
]


@pytest.mark.parametrize(("method", "path", "query", "body"), ODD)
async def test_odd_input_is_refused_and_breaks_nothing(
    money: RunningWeb, method: str, path: str, query: dict[str, Any], body: dict[str, Any] | None
) -> None:
    judge = await money.signed_in("judge")
    place = PATH + path.format(case=await city_case(judge))
    if body is not None and not path.endswith("preview"):
        body = body | {"idempotency_key": str(uuid4())}
    answer = await judge.request(method, place, params=query, json=body)
    assert answer.status_code < 500, answer.text
    if path not in ("/cases/{case}/postings", ""):
        assert answer.status_code in (200, 404, 409, 422)
