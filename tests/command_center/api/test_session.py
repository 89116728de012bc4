"""Signing in and out over real HTTP."""

from __future__ import annotations

import httpx
import pytest

from command_center.accounts.sign_ins import TRIES_FOR_A_USER_FROM_AN_ADDRESS
from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_signing_in_gives_a_cookie_that_scripts_cannot_read_and_one_that_they_can(web: RunningWeb) -> None:
    client = web.client()
    body = {"username": "commander", "password": web.world.passwords["commander"]}
    answer = await client.post("/api/session", json=body)
    session, csrf = answer.headers.get_list("set-cookie")
    assert session.startswith(f"cc_session_{web.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(session.split("; "))
    assert csrf.startswith("_csrf_token=")
    assert "HttpOnly" not in csrf
    person = answer.json()["user"]
    assert (person["username"], person["role"], person["court"]["code"]) == ("commander", "commander", "内01")
    assert "view_feeds" in person["permissions"]
    assert answer.json()["csrf_token"] == client.cookies["_csrf_token"]
    again = await client.get("/api/session")
    assert again.json() == answer.json()


async def test_nobody_is_401_and_told_which_way_in(web: RunningWeb) -> None:
    answer = await web.client().get("/api/session")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-signed-in"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "commander", "password": "wrong"}, 401),
        ({"username": "nobody", "password": "wrong"}, 401),
        ({"username": "commander"}, 422),
        ({"username": "commander", "password": "x", "admin": True}, 422),
        ({"username": ["commander"], "password": "x"}, 422),
        ({"username": "commander", "password": "x" * 2000}, 422),
        ([], 422),
    ],
)
async def test_what_is_wrong_is_refused_without_repeating_it(web: RunningWeb, body: object, status: int) -> None:
    answer = await web.client().post("/api/session", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "wrong" not in answer.text.replace("wrong-credentials", "")
    assert "set-cookie" not in answer.headers


async def test_too_many_wrong_tries_are_told_when_to_come_again(web: RunningWeb) -> None:
    client = web.client()
    for _ in range(TRIES_FOR_A_USER_FROM_AN_ADDRESS):
        assert (await client.post("/api/session", json={"username": "judge", "password": "wrong"})).status_code == 401
    answer = await client.post("/api/session", json={"username": "judge", "password": web.world.passwords["judge"]})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert await web.signed_in("commander")


async def test_signing_out_takes_the_cookie_and_the_session_away(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    cookies = dict(client.cookies)
    answer = await client.delete("/api/session")
    assert answer.status_code == 204
    assert not client.cookies
    thief = web.client(cookies=cookies)
    assert (await thief.get("/api/session")).status_code == 401


async def test_the_language_is_switched_without_signing_in_again(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    answer = await client.patch("/api/session", json={"language": "en"})
    assert answer.json()["user"]["language"] == "en"
    assert (await client.get("/api/session")).json()["user"]["language"] == "en"
    assert (await client.patch("/api/session", json={"language": "fr"})).status_code == 422


async def test_a_program_uses_its_token_without_cookie_or_csrf(web: RunningWeb) -> None:
    program = await web.program("officer1")
    assert (await program.get("/api/session")).json()["user"]["username"] == "officer1"
    answer = await program.patch("/api/session", json={"language": "en"})
    assert answer.json()["user"]["language"] == "en"
    assert (await program.delete("/api/session")).status_code == 204
    assert (await program.get("/api/session")).status_code == 401


async def test_a_programs_token_opens_no_page(web: RunningWeb) -> None:
    program = await web.program("commander")
    answer = await program.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")


async def test_the_password_can_be_changed_by_its_owner(web: RunningWeb) -> None:
    client = await web.signed_in("supervisor")
    old = web.world.passwords["supervisor"]
    refused = await client.post("/api/password", json={"old": "wrong", "new": "a better password"})
    assert refused.status_code == 401
    assert (await client.post("/api/password", json={"old": old, "new": "a better password"})).status_code == 204
    fresh = web.client()
    assert (await fresh.post("/api/session", json={"username": "supervisor", "password": old})).status_code == 401
    body = {"username": "supervisor", "password": "a better password"}
    assert (await fresh.post("/api/session", json=body)).status_code == 200


async def test_a_cookie_that_cannot_be_read_takes_none_of_ours_with_it(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    secret = client.cookies[f"cc_session_{web.port}"]
    header = f'bad[name]=1; cc_session_{web.port}={secret}; other="x'
    async with httpx.AsyncClient(base_url=web.url, trust_env=False) as bare:
        assert (await bare.get("/api/session", headers={"cookie": header})).status_code == 200
