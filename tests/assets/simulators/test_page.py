"""The control page: picks, changes and shows; escapes all that comes from outside; takes nothing from foreign pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from assets.banks.http import HttpBank
from tests.assets.simulators.orders import PERSON, order, query
from tests.support.simulator import Simulator

LAND = "6217000060000001014"
"""Another court's freeze stands on this account."""


@pytest.fixture
async def page(other_bank: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the page."""
    async with httpx.AsyncClient(base_url=other_bank.url, trust_env=False) as client:
        yield client


async def test_a_manner_is_picked_by_the_form_and_taken_back(
    page: httpx.AsyncClient, other_bank: Simulator, bank: HttpBank
) -> None:
    answer = await page.post(
        "/behave", data={"kind": "nothing", "person": PERSON.id_number, "requests": "", "times": "", "reason": ""}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=zh")
    assert (await bank.query(query())).assets == ()
    text = (await page.get("/")).text
    assert "张某甲（虚构） · 查无财产" in text
    await page.post("/behave", data={"person": PERSON.id_number})
    assert other_bank.conduct.persons == {}
    assert (await bank.query(query("C2"))).assets


async def test_programs_pick_and_read_by_json(page: httpx.AsyncClient, bank: HttpBank) -> None:
    state = (await page.post("/behave", json={"kind": "broken", "requests": 3, "times": 2})).json()
    assert state["picked"] == [{"person": "", "requests": 3, "kind": "broken", "times": 2, "reason": ""}]
    state = (await page.post("/change", json={"seed": 5, "delay_seconds": 0, "days_ahead": 400})).json()
    assert (state["seed"], state["today"]) == (5, "2027-12-27")
    await page.post("/behave", json={})
    await bank.query(query())
    asked = (await page.get("/state")).json()["asked"]
    assert [(one["service"], one["number"], one["person_end"], one["manner"]) for one in asked] == [
        ("bank query", "C1", "0018", "plain")
    ]


async def test_another_courts_freeze_is_released_and_ours_takes_effect(
    page: httpx.AsyncClient, other_bank: Simulator, bank: HttpBank
) -> None:
    assert (await bank.control(order("A1", cents=100, reference=LAND))).waiting_rank == 1
    assert "解除在先控制" in (await page.get("/")).text
    await page.post("/release", data={"reference": LAND})
    assert [(one["state"], one["cents"]) for one in other_bank.ledger.controls(LAND)] == [("in_force", 100)]
    await page.post("/release", data={"reference": LAND})  # ours is nobody else's to release
    assert [one["state"] for one in other_bank.ledger.controls(LAND)] == ["in_force"]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_nothing_from_outside_becomes_markup(
    page: httpx.AsyncClient, other_bank: Simulator, bank: HttpBank, language: str
) -> None:
    evil = "<script>alert('1')</script>\"><img src=x>"
    await page.post("/behave", json={"kind": "slow", "person": evil[:32], "reason": evil})
    other_bank.conduct.behave(None)
    await bank.query(query(evil))
    await bank.control(order("A<b>1", cents=100))
    answer = await page.get("/", params={"lang": language})
    assert "&lt;script&gt;" in answer.text
    assert not re.search(r"<(script|img|b)\b", answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert not re.search(r"""(src|href)=["'](?!/\?lang=)""", answer.text)
    assert (await page.get("/", params={"lang": '"><script>'})).text.startswith('<!doctype html><html lang="zh">')


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_foreign_page_changes_nothing(
    page: httpx.AsyncClient, other_bank: Simulator, headers: dict[str, str]
) -> None:
    for path in ("/behave", "/change", "/release"):
        assert (await page.post(path, data={"kind": "silent", "seed": "9"}, headers=headers)).status_code == 403
    assert other_bank.conduct.everybody is None
    assert other_bank.conduct.seed == 7


async def test_a_browser_names_the_origin_of_the_pages_own_forms(page: httpx.AsyncClient) -> None:
    """Where a page sends no referrer at all, its forms are posted with `Origin: null`, as a foreign page's are."""
    assert (await page.get("/")).headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/behave", {"kind": "moon"}),
        ("/behave", {"kind": "slow", "times": 0}),
        ("/behave", {"kind": "slow", "reason": "x" * 30_000}),
        ("/change", {"delay_seconds": "nan"}),
        ("/change", {"days_ahead": 10**9}),
        ("/release", {}),
        ("/release", []),
    ],
)
async def test_what_makes_no_sense_is_refused(page: httpx.AsyncClient, path: str, body: object) -> None:
    assert (await page.post(path, json=body)).status_code == 400


async def test_there_are_no_files_to_be_had(page: httpx.AsyncClient) -> None:
    for path in ("/words.json", "/../people.json", "/%2e%2e/people.json", "/static/x", "/docs", "/openapi.json"):
        assert (await page.get(path)).status_code == 404
    for place in ("000", "201", "1", "x"):
        assert (await page.post(f"/b/{place}/bank/query", json={})).status_code == 404
