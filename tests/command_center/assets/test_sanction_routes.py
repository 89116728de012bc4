"""Sanctions over real HTTP: a judge proposes, the president signs, and every refusal has its words."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from assets.sanctions import deeds
from command_center.translations import LANGUAGES, catalogue
from tests.support.valkey import Valkey
from tests.support.web import RunningWeb, running_web, settings_for

DECISION = "（2026）内01执123号之三"
PERSON = "0018"
SEEN = ["not_performed"]
"""No account is kept in the demonstration's case until the worker opens it."""


class Bench:
    """Two browsers: the judge's and the president's."""

    def __init__(self, web: RunningWeb, judge: httpx.AsyncClient, president: httpx.AsyncClient) -> None:
        self.web, self.judge, self.president = web, judge, president

    async def proposal(self, **changes: Any) -> dict[str, Any]:
        """A listing of the city's debtor."""
        cases = (await self.judge.get("/api/assets/cases")).json()["items"]
        case_id = next(one["id"] for one in cases if "内01执" in one["number"])
        persons = (await self.judge.get(f"/api/assets/cases/{case_id}")).json()["persons"]
        person = next(one["id"] for one in persons if one["id_number"].endswith(PERSON))
        usual = {
            "case_id": case_id,
            "person_id": person,
            "kind": "listing",
            "ground": "evades",
            "facts": "转移财产（虚构）",
            "basis_document": "（2025）内0105民初88号",
            "duty": "偿还借款",
            "performance": "none",
            "security": "none",
            "idempotency_key": str(uuid4()),
        }
        return usual | changes

    async def step(self, client: httpx.AsyncClient, sanction: str, step: str, **body: Any) -> httpx.Response:
        """Take a step under a key of its own."""
        body = {"idempotency_key": str(uuid4())} | body
        return await client.post(f"/api/assets/sanctions/{sanction}/{step}", json=body)


@pytest.fixture
async def bench(tmp_path: Path, valkey: Valkey) -> AsyncIterator[Bench]:
    async with running_web(settings_for(tmp_path, valkey.url)) as web:
        yield Bench(web, await web.signed_in("judge"), await web.signed_in("approver"))


async def test_a_listing_is_proposed_signed_served_published_and_deleted(bench: Bench) -> None:
    body = await bench.proposal()
    checks = await bench.judge.get(
        "/api/assets/sanction-checks",
        params={name: body[name] for name in ("case_id", "person_id", "kind", "ground")},
    )
    outcomes = {one["code"]: one["outcome"] for one in checks.json()["items"]}
    assert outcomes["no_adequate_security"] == "no_data"
    made = await bench.judge.post("/api/assets/sanctions", json=body)
    assert made.status_code == 201, made.text
    again = await bench.judge.post("/api/assets/sanctions", json=body)
    ids = [one["line"]["id"] for one in made.json()["items"]]
    assert ids == [one["line"]["id"] for one in again.json()["items"]]
    for sanction in reversed(ids):  # the limit first: the listing needs it
        assert (await bench.step(bench.president, sanction, "review")).status_code == 200
        signed = await bench.step(bench.president, sanction, "decide", decision_number=DECISION, seen=SEEN)
        assert signed.status_code == 200, signed.text
        today = signed.json()["decided_on"]
        served = await bench.step(bench.judge, sanction, "serve", served_on=today, manner="direct")
        assert served.status_code == 200, served.text
        published = await bench.step(bench.judge, sanction, "publish")
        assert published.json()["line"]["state"] == "published", published.text
    shown = (await bench.judge.get(f"/api/assets/sanctions/{ids[0]}")).json()
    assert [one["deed"] for one in shown["steps"]] == ["proposed", "review", "decide", "serve", "publish"]
    assert all(one["by_name"] for one in shown["steps"])
    assert "身份证号码：150***********0018" in shown["publications"][0]["text"]
    noted = await bench.step(bench.judge, ids[0], "deletion-ground", ground="performed", since=today, reason="已履行")
    assert noted.json()["line"]["clock"]["is_overdue"] is False
    gone = await bench.step(bench.president, ids[0], "delete")
    assert gone.json()["line"]["state"] == "deleted"
    open_ones = (await bench.judge.get("/api/assets/sanctions", params={"state": ["published", "shielded"]})).json()
    assert {one["id"] for one in open_ones["items"]} & set(ids) == {ids[1]}


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"security": "adequate"}, 409, "sanction-check-fails"),
    ({"facts": "   "}, 422, "bad-format"),
    ({"ground": None}, 422, "bad-format"),
    ({"extra_years": 2}, 422, "bad-format"),
    ({"extra_years": 11}, 422, "not-valid"),
    ({"ground": "laziness"}, 422, "not-valid"),
    ({"surprise": 1}, 422, "not-valid"),
    ({"person_id": str(uuid4())}, 404, "no-such-person"),
    ({"case_id": str(uuid4())}, 404, "no-such-case"),
]


async def test_a_wrong_proposal_is_a_problem_with_its_code(bench: Bench) -> None:
    for changes, status, code in WRONG:
        answer = await bench.judge.post("/api/assets/sanctions", json=await bench.proposal(**changes))
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes


async def test_the_president_is_told_what_stands_in_the_way(bench: Bench) -> None:
    listing, limit = (await bench.judge.post("/api/assets/sanctions", json=await bench.proposal())).json()["items"]
    reviewed = await bench.step(bench.president, listing["line"]["id"], "review")
    stands = {one["deed"]: one["why_not"] for one in reviewed.json()["deeds"]}
    assert (stands["decide"], stands["refuse"], stands["publish"]) == ("sanction-needs-limit", "", "not-permitted")
    answer = await bench.step(bench.president, listing["line"]["id"], "decide", decision_number=DECISION, seen=SEEN)
    assert (answer.status_code, answer.json()["code"]) == (409, "sanction-needs-limit")
    wrong = await bench.step(bench.president, limit["line"]["id"], "decide", decision_number="决定书")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "sanction-not-now")


def test_every_reason_why_a_step_cannot_be_taken_has_words() -> None:
    codes = set(re.findall(r'"(sanction-[a-z-]+|not-permitted)"', inspect.getsource(deeds)))
    assert "sanction-needs-two" in codes
    for language in LANGUAGES:
        assert {f"error.{code}" for code in codes} <= catalogue(language).keys()


def test_every_bad_format_of_a_sanction_says_what_is_wrong() -> None:
    folder = Path(inspect.getfile(deeds)).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    items = set(re.findall(r'BadFormat\("([a-z-]+)", "([a-z-]+)"\)', source))
    assert items
    for language in LANGUAGES:
        assert {f"bad.{item}.{why}" for item, why in items} <= catalogue(language).keys()
