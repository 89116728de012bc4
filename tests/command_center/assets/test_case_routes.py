"""Cases over real HTTP: registered in the form of their numbers, with words for whatever is wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from assets import capitals, case_intake, formats
from command_center.api.cases import Item, checked
from command_center.translations import LANGUAGES, catalogue
from tests.support.valkey import Valkey
from tests.support.web import RunningWeb, running_web, settings_for

DEBTOR = {"name": "张某甲", "is_firm": False, "id_number": "11010519491231002X", "role": "under_enforcement"}
APPLICANT = {"name": "某公司（虚构）", "is_firm": True, "id_number": "91350100M000100Y43", "role": "applicant"}


def case_body(**changes: Any) -> dict[str, Any]:
    """A case as the page sends it."""
    usual = {
        "number": "(2026)内01执 700号",
        "filed_on": "2026-11-02",
        "judge_name": "承办法官（虚构）",
        "work_card": "NM01-1",
        "duty_card": "NM01-ZX-1",
        "persons": [DEBTOR, APPLICANT],
        "idempotency_key": str(uuid4()),
    }
    return usual | changes


def person(file: dict[str, Any], role: str) -> str:
    return next(str(one["id"]) for one in file["persons"] if one["role"] == role)


@pytest.fixture
async def web(tmp_path: Path, valkey: Valkey) -> AsyncIterator[RunningWeb]:
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        yield web


async def test_a_case_is_registered_with_its_persons_and_claims(web: RunningWeb) -> None:
    judge = await web.signed_in("judge")
    body = case_body()
    made = await judge.post("/api/assets/cases", json=body)
    assert made.status_code == 201, made.text
    file = made.json()
    assert (await judge.post("/api/assets/cases", json=body)).json()["id"] == file["id"]
    assert (file["number"], file["court_code"], file["is_own"]) == ("（2026）内01执700号", "内01", True)
    outsider = {"name": "李某乙", "is_firm": False, "id_number": "150105199001010018", "role": "outsider"}
    added = await judge.post(
        f"/api/assets/cases/{file['id']}/persons", json={"person": outsider, "idempotency_key": str(uuid4())}
    )
    assert added.status_code == 201, added.text
    claim = {
        "creditor_id": person(file, "applicant"),
        "amount_cents": 186_000_000,
        "principal_cents": 150_000_000,
        "capitals": "壹佰捌拾陆万元整",
        "idempotency_key": str(uuid4()),
    }
    claimed = await judge.post(f"/api/assets/cases/{file['id']}/claims", json=claim)
    assert claimed.status_code == 201, claimed.text
    assert claimed.json()["claim_in_capitals"] == "壹佰捌拾陆万元整"
    change = claim | {
        "amount_cents": 150_000_000,
        "capitals": "",
        "reason": "部分清偿",
        "idempotency_key": str(uuid4()),
    }
    changed = await judge.patch(f"/api/assets/claims/{claimed.json()['claims'][0]['id']}", json=change)
    assert changed.json()["claim_cents"] == 150_000_000, changed.text
    listed = (await judge.get("/api/assets/cases")).json()["items"]
    assert next(one["claim_cents"] for one in listed if one["id"] == file["id"]) == 150_000_000
    read = (await judge.get(f"/api/assets/cases/{file['id']}/file")).json()
    assert [one["what"] for one in read["entries"]] == ["registered", "person-added", "claim-added", "claim-changed"]
    assert all(one["by_name"] for one in read["entries"])
    for secret in ("张某甲", "11010519491231002X"):
        assert secret not in str(read)


async def test_article_7_nobody_but_who_is_under_enforcement_is_queried_and_a_change_of_role_decides(
    web: RunningWeb,
) -> None:
    judge = await web.signed_in("judge")
    firm = {**APPLICANT, "id_number": "91150100MA0000007W", "role": "under_enforcement"}
    file = (await judge.post("/api/assets/cases", json=case_body(persons=[DEBTOR, firm, APPLICANT]))).json()

    async def query(person_id: str) -> tuple[int, str]:
        body = {
            "case_id": file["id"],
            "person_id": person_id,
            "gateways": ["bank"],
            "idempotency_key": str(uuid4()),
        }
        answer = await judge.post("/api/assets/queries", json=body)
        return answer.status_code, answer.json().get("code", "")

    assert await query(person(file, "applicant")) == (403, "not-under-enforcement")
    debtor = next(one["id"] for one in file["persons"] if one["is_firm"] and one["role"] == "under_enforcement")
    change = {"role": "outsider", "reason": "追加被驳回", "idempotency_key": str(uuid4())}
    changed = await judge.patch(f"/api/assets/persons/{debtor}", json=change)
    assert changed.status_code == 200, changed.text
    assert await query(debtor) == (403, "not-under-enforcement")
    assert (await query(person(file, "under_enforcement")))[0] == 202


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"number": "（2027）内01执7号"}, 422, "bad-format"),
    ({"number": "（2026）内0104执7号"}, 403, "case-other-court"),
    ({"persons": [APPLICANT]}, 409, "case-needs-debtor"),
    ({"persons": [DEBTOR, DEBTOR]}, 409, "person-exists"),
    ({"persons": []}, 422, "not-valid"),
    ({"persons": [{**DEBTOR, "role": "king"}]}, 422, "not-valid"),
    ({"persons": [{**DEBTOR, "id_number": "110105194912310021"}]}, 422, "bad-format"),
    ({"surprise": 1}, 422, "not-valid"),
]


async def test_a_wrong_case_is_a_problem_with_its_code(web: RunningWeb) -> None:
    judge = await web.signed_in("judge")
    for changes, status, code in WRONG:
        answer = await judge.post("/api/assets/cases", json=case_body(**changes))
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
    first = (await judge.post("/api/assets/cases", json=case_body())).json()
    again = await judge.post("/api/assets/cases", json=case_body())
    assert (again.status_code, again.json()["code"]) == (409, "case-exists")
    for change in ({}, {"role": "outsider", "name": "李某"}):
        body = {"reason": "笔误", "idempotency_key": str(uuid4())} | change
        answer = await judge.patch(f"/api/assets/persons/{person(first, 'applicant')}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "not-valid")


CHECKS = [
    ("case-number", "(2026)内01执123号", "（2026）内01执123号"),
    ("ruling-number", "(2026)内01执123号之一", "（2026）内01执123号之一"),
    ("resident-id", "11010519491231002x", "11010519491231002X"),
    ("firm-code", "91350100M000100Y43", "91350100M000100Y43"),
    ("bank-card", "6217 0000 6000 0000 008", "6217000060000000008"),
    ("bank-code", "313191000011", "313191000011"),
    ("real-estate-unit", "150105001002GB00014F00310202", "150105001002GB00014F00310202"),
    ("title-certificate", "蒙(2021)呼和浩特市不动产权第0012345号", "蒙（2021）呼和浩特市不动产权第0012345号"),
    ("plate", "蒙A·12345", "蒙A12345"),
    ("vin", "1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
    ("amount", "1,860,000", "1860000.00"),
    ("capitals", "壹佰捌拾陆万圆正", "壹佰捌拾陆万元整"),
]


async def test_every_format_is_checked_as_it_is_written(web: RunningWeb) -> None:
    reader: httpx.AsyncClient = await web.signed_in("supervisor")
    for item, text, normal in CHECKS:
        answer = await reader.post("/api/assets/format-checks", json={"item": item, "text": text})
        assert (answer.status_code, answer.json()["normal"]) == (200, normal)
        wrong = await reader.post("/api/assets/format-checks", json={"item": item, "text": "?"})
        assert (wrong.status_code, wrong.json()["item"], wrong.json()["why"]) == (422, item, "shape")
    amount = await reader.post("/api/assets/format-checks", json={"item": "amount", "text": "1860000"})
    assert (amount.json()["cents"], amount.json()["capitals"]) == (186_000_000, "壹佰捌拾陆万元整")
    resident = await reader.post("/api/assets/format-checks", json={"item": "resident-id", "text": CHECKS[2][1]})
    assert resident.json()["fifteen"] == "110105491231002"


def test_every_bad_format_says_what_is_wrong() -> None:
    sources = "".join(inspect.getsource(module) for module in (formats, capitals, case_intake))
    items = set(re.findall(r'BadFormat\("([a-z-]+)", "([a-z-]+)"\)', sources))
    matched = set(re.findall(r'_matched\("([a-z-]+)"', sources))
    keys = {f"bad.{item}.{why}" for item, why in items} | {f"bad.{item}.shape" for item in matched}
    assert len(keys) > 20
    for language in LANGUAGES:
        assert keys <= catalogue(language).keys()
        for item, _, _ in CHECKS:
            assert {f"format.item.{item}", f"format.example.{item}"} <= catalogue(language).keys()


def test_every_example_of_a_right_number_is_right() -> None:
    today = date(2026, 11, 29)
    for item, _, _ in CHECKS:
        examples = re.findall(
            r"[^例：、，]+", catalogue("zh")[f"format.example.{item}"].replace("1,860,000.00", "1860000")
        )
        assert examples, item
        for example in examples:
            assert checked(Item(item), example, today).normal


async def test_a_court_above_is_told_which_court_acts_in_a_case(web: RunningWeb) -> None:
    judge = await web.signed_in("judge")
    listed = (await judge.get("/api/assets/cases")).json()["items"]
    told = {}
    for case in listed:
        file = (await judge.get(f"/api/assets/cases/{case['id']}/file")).json()
        told[file["court_code"]] = file["acting_court"]
    assert told["内01"] == ""
    assert told["内0105"] == next(case["acting_court"] for case in listed if "内0105" in case["number"]) != ""
