"""The gate over real HTTP: origins, CSRF, sizes, headers, redirects, sockets."""

from __future__ import annotations

import re

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.web import RunningWeb

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEGABYTE = 1_000_000


async def test_every_answer_carries_the_headers_that_keep_strangers_out(web: RunningWeb) -> None:
    for path in ("/healthz", "/api/session", "/sign-in", "/nothing", "/static/icon.svg"):
        answer = await web.client().get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        scripts = re.search(r"script-src ([^;]*)", policy)
        assert scripts is not None
        assert "unsafe" not in scripts[1]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "camera=(self)" in answer.headers["permissions-policy"]
        assert "bluetooth" not in answer.headers["permissions-policy"]  # Chromium warns of what it does not know
        assert "server" not in answer.headers


async def test_answers_with_data_are_not_kept_and_the_products_files_are(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    assert (await client.get("/api/operations")).headers["cache-control"] == "no-store"
    assert "no-store" not in (await client.get("/static/icon.svg")).headers.get("cache-control", "")


async def test_the_map_gets_a_nonce_of_its_own_each_time(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    nonces = set()
    for _ in range(2):
        answer = await client.get("/map/centre")
        found = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])
        assert found is not None
        assert f'nonce="{found[1]}"' in answer.text
        nonces.add(found[1])
    assert len(nonces) == 2


@pytest.mark.parametrize(
    ("username", "path", "home"),
    [
        ("officer1", "/", "/field"),
        ("security", "/", "/accounts"),
        ("audit", "/", "/audit"),
        ("system", "/", "/system"),
        ("approver", "/review", "/"),
        ("officer1", "/accounts", "/field"),
    ],
)
async def test_who_opens_a_page_that_is_not_theirs_is_led_to_their_own(
    web: RunningWeb, username: str, path: str, home: str
) -> None:
    client = await web.signed_in(username)
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, home)


async def test_a_visitor_is_led_to_sign_in_and_back_to_where_they_wanted(web: RunningWeb) -> None:
    answer = await web.client().get("/review?operation=1&x=//evil")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/review%3Foperation%3D1%26x%3D//evil"


async def test_an_unknown_path_is_404_for_everybody(web: RunningWeb) -> None:
    for client in (web.client(), await web.signed_in("commander")):
        for path in ("/api/unknown", "/unknown", "/_dash-ws-callback"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "no-such-path")


async def test_a_change_by_cookie_needs_the_sessions_own_csrf_token(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    right = client.headers.pop("X-CSRFToken")
    for wrong in (None, "", right[:-1], right + "x"):
        headers = {} if wrong is None else {"X-CSRFToken": wrong}
        answer = await client.patch("/api/session", json={"language": "en"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf-token-wrong")
    other = await web.signed_in("judge")
    headers = {"X-CSRFToken": other.headers["X-CSRFToken"]}
    assert (await client.patch("/api/session", json={"language": "en"}, headers=headers)).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1"])
async def test_a_change_from_another_origin_is_refused(web: RunningWeb, origin: str) -> None:
    client = await web.signed_in("commander")
    answer = await client.patch("/api/session", json={"language": "en"}, headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin-foreign")
    body = {"username": "commander", "password": web.world.passwords["commander"]}
    assert (await web.client().post("/api/session", json=body, headers={"origin": origin})).status_code == 403


async def test_a_change_from_our_own_origin_is_let_in(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    answer = await client.patch("/api/session", json={"language": "en"}, headers={"origin": web.url})
    assert answer.status_code == 200


async def test_a_large_body_is_refused_whether_announced_or_not(web: RunningWeb) -> None:
    client = web.client()
    announced = await client.post("/api/session", content=b"x" * MEGABYTE)
    assert announced.status_code == 413

    async def parts() -> object:
        for _ in range(20):
            yield b"x" * (MEGABYTE // 10)

    unannounced = await client.post("/api/session", content=parts())
    assert unannounced.status_code == 413


async def test_pages_repair_a_csrf_cookie_that_another_port_wrote(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    right = client.cookies["_csrf_token"]
    secret = client.cookies[f"cc_session_{web.port}"]
    async with httpx.AsyncClient(base_url=web.url, trust_env=False) as bare:
        answer = await bare.get("/", headers={"cookie": f"cc_session_{web.port}={secret}; _csrf_token=foreign"})
    assert f"_csrf_token={right}" in answer.headers["set-cookie"]


async def test_metrics_are_for_this_machine_or_the_system_administrator(web: RunningWeb) -> None:
    local = await web.client().get("/metrics")
    assert local.status_code == 200
    assert "command_center_requests_total" in local.text
    behind_proxy = {"x-forwarded-for": "203.0.113.9"}
    assert (await web.client().get("/metrics", headers=behind_proxy)).status_code == 401
    assert (await (await web.signed_in("commander")).get("/metrics", headers=behind_proxy)).status_code == 403
    assert (await (await web.signed_in("system")).get("/metrics", headers=behind_proxy)).status_code == 200


def _cookies(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def test_a_socket_by_cookie_needs_our_own_origin(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    address = f"ws://127.0.0.1:{web.port}/api/live"
    for origin in (None, "http://evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(address, additional_headers={"Cookie": _cookies(client)}, origin=origin):  # type: ignore[arg-type]
                pass
        assert refused.value.response.status_code == 403
    async with connect(address, additional_headers={"Cookie": _cookies(client)}, origin=web.url):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(("username", "path"), [("officer1", "/api/live"), ("commander", "/api/officer")])
async def test_a_socket_is_refused_to_the_wrong_role(web: RunningWeb, username: str, path: str) -> None:
    client = await web.signed_in(username)
    with pytest.raises(InvalidStatus):
        async with connect(
            f"ws://127.0.0.1:{web.port}{path}",
            additional_headers={"Cookie": _cookies(client)},
            origin=web.url,  # type: ignore[arg-type]
        ):
            pass


async def test_a_callback_that_is_not_listed_is_refused(web: RunningWeb) -> None:
    client = await web.signed_in("commander")
    for output, status in (("nothing.children", 403), ("..a.b...c.d..", 403), (7, 422)):
        body = {"output": output, "outputs": [], "inputs": [], "changedPropIds": []}
        answer = await client.post("/_dash-update-component", json=body)
        assert answer.status_code == status
    assert (await client.post("/_dash-update-component", content=b"no json")).status_code == 422
    anonymous = await web.client().post("/_dash-update-component", json={"output": "_pages_content.children"})
    assert anonymous.status_code == 401


async def test_dashs_router_shows_nobody_a_page_that_is_not_theirs(web: RunningWeb) -> None:
    def wanted(path: str) -> dict[str, object]:
        return {
            "output": ".._pages_content.children..._pages_store.data..",
            "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
            "inputs": [
                {"id": "_pages_location", "property": "pathname", "value": path},
                {"id": "_pages_location", "property": "search", "value": ""},
            ],
            "changedPropIds": ["_pages_location.pathname"],
        }

    commander, officer = await web.signed_in("commander"), await web.signed_in("officer1")
    assert (await commander.post("/_dash-update-component", json=wanted("/"))).status_code == 200
    for path in ("/", "/review", "/accounts", "/api/session", "/sign-in"):
        assert (await officer.post("/_dash-update-component", json=wanted(path))).status_code == 403
