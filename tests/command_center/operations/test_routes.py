"""The JSON routes of operations, feeds, instructions and positions, on the real web process."""

from __future__ import annotations

from uuid import uuid4

import pytest

from streams.hub.topics import PositionTaken
from tests.support.lines import instruct, position, register
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_officer_is_shown_its_own_operation_and_its_sites(web: RunningWeb) -> None:
    officer = await web.signed_in("officer1")
    (operation,) = (await officer.get("/api/operations")).json()["items"]
    assert operation["id"] == str(web.world.operation_id)
    assert [site["ordinal"] for site in operation["sites"]] == [1, 2, 3, 4, 5]
    foreign = await officer.get(f"/api/operations/{web.world.district_operation_id}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "operation-not-found")


async def test_a_device_registers_and_gets_the_same_feed_again(web: RunningWeb) -> None:
    officer = await web.signed_in("officer2")
    assert await register(web, officer, "phone-a") == await register(web, officer, "phone-a")
    names = {item["feed"] for item in (await officer.get("/api/feeds")).json()["items"]}
    assert names == {await register(web, officer, "phone-a")}


async def test_a_device_with_an_odd_name_is_refused(web: RunningWeb) -> None:
    officer = await web.signed_in("officer2")
    body = {"operation_id": str(web.world.operation_id), "site_id": str(uuid4()), "device": "a b"}
    answer = await officer.post("/api/feeds", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "not-valid")


async def test_text_with_control_characters_is_refused_before_the_records_are_asked(web: RunningWeb) -> None:
    commander, security = await web.signed_in("commander"), await web.signed_in("security")
    instruction = {"operation_id": str(web.world.operation_id), "scope": "all", "idempotency_key": str(uuid4())}
    account = {"username": "new", "password": "a good long password", "role": "officer", "court": "内01"}
    for answer in (
        await commander.post("/api/instructions", json=instruction | {"text": "a\0b"}),
        await security.post("/api/accounts", json=account | {"display_name": "a\0b"}),
        await web.client().post("/api/session", json={"username": "a\0b", "password": "x"}),
    ):
        assert (answer.status_code, answer.json().get("code")) == (422, "not-valid"), answer.text


async def test_instructions_come_in_pages_and_the_same_key_sends_once(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    key = str(uuid4())
    first = await instruct(web, commander, "一次", idempotency_key=key)
    again = await instruct(web, commander, "一次", idempotency_key=key)
    assert first["instruction_id"] == again["instruction_id"]
    for number in range(4):
        await instruct(web, commander, f"{number}")
    seen: list[int] = []
    cursor: str | None = None
    while True:
        query = {"operation_id": str(web.world.operation_id), "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await commander.get("/api/instructions", params=query)).json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 5


async def test_positions_come_in_pages(web: RunningWeb) -> None:
    officer, judge = await web.signed_in("officer3"), await web.signed_in("judge")
    feed = await register(web, officer)
    taken = [position(second) for second in range(5)]
    await web.web.positions.insert(
        [
            PositionTaken(feed=feed, position=fix, received_at=fix.taken_at, clock_offset_ms=0, road="channel")
            for fix in taken
        ]
    )
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"feed": feed, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await judge.get("/api/positions", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(str(fix.id) for fix in taken)
    broken = await judge.get("/api/positions", params={"feed": feed, "cursor": "never"})
    assert (broken.status_code, broken.json()["code"]) == (422, "cursor-not-valid")


async def test_a_commander_makes_an_operation_and_gives_an_officer_a_place(web: RunningWeb) -> None:
    commander = await web.signed_in("commander")
    site = {
        "name_zh": "现场",
        "name_en": "Site",
        "district_zh": "赛罕区",
        "district_en": "Saihan",
        "latitude": 40.8,
        "longitude": 111.7,
    }
    body = {
        "name_zh": "行动",
        "name_en": "Operation",
        "case_number": "（2026）内01执124号",
        "starts_at": "2026-03-01T01:00:00Z",
        "sites": [site],
    }
    made = await commander.post("/api/operations", json=body)
    assert made.status_code == 201, made.text
    operation = made.json()
    officer_id = web.world.users["officer6"]
    place = f"/api/operations/{operation['id']}/officers/{officer_id}"
    given = await commander.put(place, json={"site_id": operation["sites"][0]["id"]})
    assert given.status_code == 204, given.text
    officer = await web.signed_in("officer6")
    assert operation["id"] in {one["id"] for one in (await officer.get("/api/operations")).json()["items"]}
    assert (await commander.delete(place)).status_code == 204
    assert (await officer.get(f"/api/operations/{operation['id']}")).status_code == 404
    judge = await web.signed_in("judge")
    assert (await judge.post("/api/operations", json=body)).status_code == 403
