"""Items 7 to 9: who may, what is refused for a time, and how often may be asked."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from streams.signalling import server
from streams.signalling.limits import Bucket
from tests.streams.conformance.exchange import (
    CANDIDATE,
    GOOD,
    SDP,
    WATCHING,
    assert_problem,
    live_feed,
    patch,
    post,
)
from tests.support.node import RunningNode, running_node
from tests.support.waiting import until

METHODS = ["POST", "GET", "HEAD", "PATCH", "DELETE", "PUT"]


async def asked(
    http: httpx.AsyncClient, token: str | None, method: str = "POST", path: str = "/whip/site-1"
) -> tuple[int, str]:
    """Status and code of a request with this token."""
    headers = {"Content-Type": SDP, "Authorization": f"Bearer {token}" if token else ""}
    response = await http.request(method, path, content=GOOD, headers=headers)
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    return response.status_code, response.json()["code"] if response.content else ""


@pytest.mark.parametrize("method", METHODS)
async def test_7_an_endpoint_needs_a_token_for_every_method(http: httpx.AsyncClient, method: str) -> None:
    for path in ("/whip/site-1", "/whep/site-1"):
        assert (await asked(http, None, method, path))[0] == 401


@pytest.mark.parametrize("method", METHODS)
async def test_7_a_session_needs_a_token_for_every_method(
    running: RunningNode, http: httpx.AsyncClient, method: str
) -> None:
    url = (await post(http)).headers["location"]
    assert (await asked(http, None, method, url))[0] == 401
    assert len(running.node.sessions.by_id) == 1


async def test_7_a_preflight_needs_no_token(http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    for path in ("/whip/site-1", "/whep/site-1", url):
        assert (await http.options(path, headers={"Authorization": ""})).status_code == 200


async def test_7_a_forged_or_expired_token_is_401(running: RunningNode, http: httpx.AsyncClient) -> None:
    assert await asked(http, "forged.forged.forged") == (401, "token-invalid")
    assert await asked(http, running.token("site-1", seconds=-5)) == (401, "token-expired")


async def test_7_a_token_is_no_use_under_another_scheme(running: RunningNode, http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": SDP, "Authorization": f"Basic {running.token('site-1')}"}
    assert_problem(await http.post("/whip/site-1", content=GOOD, headers=headers), 401, "token-missing")


async def test_7_a_token_of_another_feed_or_right_is_403(running: RunningNode, http: httpx.AsyncClient) -> None:
    assert await asked(http, running.token("site-2")) == (403, "right-missing")
    assert await asked(http, running.token("site-1", publish=False)) == (403, "right-missing")
    assert await asked(http, running.token("site-1", view=False), path="/whep/site-1") == (403, "right-missing")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_7_another_feeds_token_does_not_reach_a_session(
    running: RunningNode, http: httpx.AsyncClient, method: str
) -> None:
    url = (await post(http)).headers["location"]
    assert await asked(http, running.token("site-2"), method, url) == (403, "right-missing")
    assert await asked(http, running.token("site-1"), method, url.replace("/whip/", "/whep/")) == (
        404,
        "session-unknown",
    )
    assert len(running.node.sessions.by_id) == 1


async def test_7_a_session_can_be_ended_with_its_own_expired_token_but_no_other(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    token_id = uuid4()
    opened = await http.post(
        "/whip/site-1",
        content=GOOD,
        headers={"Content-Type": SDP, "Authorization": f"Bearer {running.token('site-1', token_id=token_id)}"},
    )
    url = opened.headers["location"]
    assert await asked(http, running.token("site-1", seconds=-5), "DELETE", url) == (401, "token-expired")
    assert await asked(http, running.token("site-1", seconds=-5, token_id=token_id), "DELETE", url) == (200, "")


async def test_8_a_full_node_tells_a_publisher_when_to_come_back(running: RunningNode, http: httpx.AsyncClient) -> None:
    running.node.sessions._max_sessions = 1
    assert (await post(http)).status_code == 201
    refused = await post(http, "/whip/site-2")
    assert_problem(refused, 503, "node-full")
    assert int(refused.headers["retry-after"]) >= 1


async def test_8_a_full_node_tells_a_viewer_when_to_come_back(running: RunningNode, http: httpx.AsyncClient) -> None:
    running.node.sessions._max_sessions = 1
    async with live_feed(running):
        refused = await post(http, "/whep/site-1", WATCHING)
        assert_problem(refused, 503, "node-full")
        assert int(refused.headers["retry-after"]) >= 1


async def test_8_a_node_with_too_many_requests_under_way_says_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUESTS_BOUND", 3)
    enough = asyncio.Event()
    begun: list[int] = []

    async def slow_body() -> AsyncIterator[bytes]:
        begun.append(1)
        yield GOOD[:100]
        await enough.wait()
        yield GOOD[100:]

    async with running_node(tmp_path) as running, httpx.AsyncClient(base_url=running.url) as http:
        headers = {"Content-Type": SDP, "Authorization": f"Bearer {running.token()}"}
        slow = [
            asyncio.create_task(http.post(f"/whip/site-{number}", content=slow_body(), headers=headers))
            for number in range(3)
        ]
        await until(lambda: len(begun) == 3)
        answers: list[httpx.Response] = []

        async def is_busy() -> bool:
            answers.append(await http.get("/whip/site-9", headers=headers))
            return answers[-1].status_code == 503

        await until(is_busy)  # the others' requests aren't all there at once
        refused = answers[-1]
        assert_problem(refused, 503, "node-full")
        assert int(refused.headers["retry-after"]) >= 1
        enough.set()
        assert [answer.status_code for answer in await asyncio.gather(*slow)] == [201] * 3
        assert (await http.post("/whip/site-9", content=GOOD, headers=headers)).status_code == 201


async def test_8_a_feed_that_nobody_publishes_is_409_until_asked_again(http: httpx.AsyncClient) -> None:
    refused = await post(http, "/whep/site-1", WATCHING)
    assert_problem(refused, 409, "feed-not-live")
    assert int(refused.headers["retry-after"]) >= 1


async def test_8_a_feed_whose_publisher_is_not_connected_yet_is_409(http: httpx.AsyncClient) -> None:
    assert (await post(http)).status_code == 201
    refused = await post(http, "/whep/site-1", WATCHING)
    assert_problem(refused, 409, "feed-not-live")
    assert int(refused.headers["retry-after"]) >= 1


async def test_9_session_urls_are_of_128_bits_and_more_and_never_repeat(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    named = [(await post(http)).headers["location"].rsplit("/", 1)[1].split("~") for _ in range(50)]
    assert {node for node, _ in named} == {"test"}
    ids = [name for _, name in named]
    assert len(set(ids)) == 50
    assert all(len(name) * math.log2(64) >= 128 for name in ids)
    places = [Counter(name[place] for name in ids) for place in range(len(ids[0]))]
    # No place of it counts up or stands still: of 50 draws of 64 characters none comes twenty times.
    assert all(max(place.values()) < 20 for place in places)


async def test_9_posts_are_rate_limited(http: httpx.AsyncClient) -> None:
    slowed = await flooded(http, "POST", "/whip/site-1", 400)
    assert_problem(slowed, 429, "too-often")
    assert int(slowed.headers["retry-after"]) >= 1
    assert (await http.get("/healthz")).json()["status"] == "ok"


async def test_9_patches_are_rate_limited(http: httpx.AsyncClient) -> None:
    answer = await post(http)
    slowed = await flooded(http, "PATCH", answer.headers["location"], 415)
    assert_problem(slowed, 429, "too-often")
    other = await post(http)
    assert (await patch(http, other.headers["location"], CANDIDATE, other.headers["etag"])).status_code == 204


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
async def test_9_guesses_at_session_urls_are_rate_limited(http: httpx.AsyncClient, method: str) -> None:
    slowed = await flooded(http, method, f"/whip/site-1/{'x' * 32}", 404)
    assert_problem(slowed, 429, "too-often")
    assert int(slowed.headers["retry-after"]) >= 1


async def test_9_who_guesses_can_still_end_its_own_session(http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    await flooded(http, "DELETE", f"/whip/site-1/{'x' * 32}", 404)
    assert (await http.delete(url)).status_code == 200


async def test_9_requests_without_a_token_are_rate_limited(http: httpx.AsyncClient) -> None:
    assert_problem(await flooded(http, "DELETE", "/whip/site-1/any", 401, token=""), 429, "too-often")
    assert (await post(http)).status_code == 201


async def flooded(
    http: httpx.AsyncClient, method: str, path: str, usual: int, *, token: str | None = None
) -> httpx.Response:
    """Ask until it is too often; every earlier answer is the `usual` one."""
    headers = {"Content-Type": SDP} | ({} if token is None else {"Authorization": token})
    answers: list[httpx.Response] = []
    while len(answers) < 1000 and not any(answer.status_code == 429 for answer in answers):
        batch = (http.request(method, path, content=b"v=1", headers=headers) for _ in range(40))
        answers += await asyncio.gather(*batch)
    assert {answer.status_code for answer in answers} == {usual, 429}
    return next(answer for answer in answers if answer.status_code == 429)


async def test_9_wishes_for_a_layer_are_rate_limited(running: RunningNode, http: httpx.AsyncClient) -> None:
    async with live_feed(running):
        url = (await post(http, "/whep/site-1", WATCHING)).headers["location"]
        running.node.sessions.by_id[url.rsplit("/", 1)[1]].requests = Bucket(2, 0)
        answers = [await patch(http, url, b'{"layer":"low"}', kind="application/json") for _ in range(3)]
        assert [answer.status_code for answer in answers[:2]] == [204, 204]
        assert_problem(answers[2], 429, "too-often")


async def test_9_deletes_are_rate_limited_with_the_patches(running: RunningNode, http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    (session,) = running.node.sessions.by_id.values()
    session.requests = Bucket(1, 0)
    assert (await patch(http, url, CANDIDATE, session.etag)).status_code == 204
    assert_problem(await http.delete(url), 429, "too-often")
    session.requests = Bucket(1, 0)
    assert (await http.delete(url)).status_code == 200
