"""The check-list of WHIP (RFC 9725) and WHEP, over real HTTP."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from streams.hub.topics import FeedCause, FeedPhase, Revoked
from streams.signalling.turn import CREDENTIAL_LIFE_SECONDS, TurnServers
from tests.streams.signalling.offers import VP8, audio, channel, offer, video
from tests.support.node import RunningNode, running_node
from tests.support.rtc import Publisher
from tests.support.waiting import until

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
CANDIDATE = b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
RESTART = b"a=ice-ufrag:newufrag\r\na=ice-pwd:9876543210987654321098\r\n"
GOOD = offer(video(VP8), audio(), channel())


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path) as running:
        yield running


@pytest.fixture
async def http(running: RunningNode) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {running.token('site-*')}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
        yield client


async def post(
    http: httpx.AsyncClient, path: str = "/whip/site-1", body: bytes = GOOD, kind: str = SDP
) -> httpx.Response:
    return await http.post(path, content=body, headers={"Content-Type": kind})


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")


async def test_a_post_is_answered_with_a_session_of_its_own(http: httpx.AsyncClient) -> None:
    first, second = await post(http), await post(http)
    assert first.status_code == 201
    assert first.headers["content-type"] == SDP
    assert first.headers["location"].startswith("/whip/site-1/")
    assert len(first.headers["location"].rsplit("/", 1)[1]) >= 32
    assert first.headers["location"] != second.headers["location"]
    assert first.headers["etag"].startswith('"')
    assert first.headers["etag"] != second.headers["etag"]
    assert "a=end-of-candidates" in first.text
    assert "sendonly" not in first.text


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (GOOD, "application/json", 415, "content-type"),
        (b"v=1", SDP, 400, "sdp-invalid"),
        (b"x" * 1_000_000, SDP, 413, "body-too-large"),
        (offer(video(VP8, direction="recvonly")), SDP, 422, "direction-unsupported"),
        (offer(video(VP8, mid="0"), video(VP8, mid="1")), SDP, 422, "too-many-tracks"),
    ],
)
async def test_what_is_wrong_with_a_post_is_said(
    http: httpx.AsyncClient, body: bytes, kind: str, status: int, code: str
) -> None:
    assert_problem(await post(http, body=body, kind=kind), status, code)


async def test_a_feed_that_is_not_live_is_to_be_asked_for_again(http: httpx.AsyncClient) -> None:
    refused = await post(http, "/whep/site-1", offer(video(VP8, direction="recvonly")))
    assert_problem(refused, 409, "feed-not-live")
    assert int(refused.headers["retry-after"]) >= 1


async def test_trickle_and_restart(running: RunningNode, http: httpx.AsyncClient) -> None:
    answer = await post(http)
    url, tag = answer.headers["location"], answer.headers["etag"]

    async def patch(body: bytes, kind: str = FRAGMENT, **headers: str) -> httpx.Response:
        return await http.patch(url, content=body, headers={"Content-Type": kind, **headers})

    assert_problem(await patch(CANDIDATE, SDP, **{"If-Match": tag}), 415, "content-type")
    assert_problem(await patch(CANDIDATE), 428, "if-match-required")
    assert_problem(await patch(CANDIDATE, **{"If-Match": '"stale"'}), 412, "if-match-stale")
    trickled = await patch(CANDIDATE, **{"If-Match": tag})
    assert trickled.status_code == 204
    assert "etag" not in trickled.headers
    assert trickled.content == b""
    assert_problem(await patch(b"rubbish", **{"If-Match": tag}), 400, "sdp-fragment")
    restarted = await patch(RESTART, **{"If-Match": "*"})
    assert restarted.status_code == 200
    assert restarted.headers["content-type"] == FRAGMENT
    assert restarted.headers["etag"] != tag
    assert "a=ice-ufrag:" in restarted.text
    assert "a=candidate:" in restarted.text
    assert_problem(await patch(CANDIDATE, **{"If-Match": tag}), 412, "if-match-stale")
    again = await patch(RESTART.replace(b"newufrag", b"newer"), **{"If-Match": '"*"'})
    assert again.status_code == 200
    assert len(running.node.sessions.by_id) == 1


async def test_delete_frees_and_then_there_is_nothing(running: RunningNode, http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    assert (await http.delete(url)).status_code == 200
    assert_problem(await http.delete(url), 404, "session-unknown")
    assert_problem(await http.patch(url, content=CANDIDATE, headers={"Content-Type": FRAGMENT}), 404, "session-unknown")
    await until(lambda: not running.node.port.has_links)


async def test_reading_is_empty_and_options_say_what_may_be_posted(http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]
    for path in ("/whip/site-1", "/whep/site-1", url):
        for method in ("GET", "HEAD"):
            response = await http.request(method, path)
            assert response.status_code == 204
            assert response.content == b""
    for path in ("/whip/site-1", "/whep/site-1"):
        response = await http.options(path, headers={"Authorization": "", "Origin": "https://elsewhere.example"})
        assert response.status_code == 200
        assert response.headers["accept-post"] == SDP
        assert "access-control-allow-origin" not in response.headers
    assert_problem(await http.put(url, content=b""), 405, "method-not-allowed")
    assert_problem(await post(http, "/whip/a%20b"), 404, "not-found")
    assert_problem(await post(http, f"/whip/{'x' * 129}"), 404, "not-found")


async def test_every_request_but_preflight_needs_its_right(running: RunningNode, http: httpx.AsyncClient) -> None:
    url = (await post(http)).headers["location"]

    async def tried(token: str | None, method: str = "POST", path: str = "/whip/site-1") -> tuple[int, str]:
        headers = {"Content-Type": SDP, "Authorization": f"Bearer {token}" if token else ""}
        response = await http.request(method, path, content=GOOD, headers=headers)
        if response.status_code == 401:
            assert response.headers["www-authenticate"] == "Bearer"
        return response.status_code, response.json()["code"]

    assert await tried(None) == (401, "token-missing")
    assert await tried("forged.forged.forged") == (401, "token-invalid")
    assert await tried(running.token("site-1", seconds=-5)) == (401, "token-expired")
    assert await tried(running.token("site-2")) == (403, "right-missing")
    assert await tried(running.token("site-1", publish=False)) == (403, "right-missing")
    assert await tried(running.token("site-1", view=False), path="/whep/site-1") == (403, "right-missing")
    for method in ("DELETE", "PATCH"):
        assert await tried(None, method, url) == (401, "token-missing")
        assert await tried(running.token("site-2"), method, url) == (403, "right-missing")
    assert await tried(running.token("site-1"), "DELETE", url.replace("/whip/", "/whep/")) == (404, "session-unknown")
    assert len(running.node.sessions.by_id) == 1


async def test_a_session_can_be_ended_with_its_own_expired_token_but_no_other(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    token_id = uuid4()
    opened = await http.post(
        "/whip/site-1",
        content=GOOD,
        headers={"Content-Type": SDP, "Authorization": f"Bearer {running.token('site-1', token_id=token_id)}"},
    )
    url = opened.headers["location"]
    stranger = running.token("site-1", seconds=-5)
    assert_problem(await http.delete(url, headers={"Authorization": f"Bearer {stranger}"}), 401, "token-expired")
    own = running.token("site-1", seconds=-5, token_id=token_id)
    assert (await http.delete(url, headers={"Authorization": f"Bearer {own}"})).status_code == 200


async def test_revoked_rights_end_their_sessions_and_open_no_new_ones(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    user, operation, session = uuid4(), uuid4(), uuid4()
    tokens = {
        "by session": running.token("site-1", session_id=session),
        "by user": running.token("site-2", user_id=user, operation_id=operation),
        "other operation": running.token("site-3", user_id=user, operation_id=uuid4()),
    }

    async def opened(token: str, feed: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": SDP}
        return (await http.post(f"/whip/{feed}", content=GOOD, headers=headers)).status_code

    for index, token in enumerate(tokens.values(), start=1):
        assert await opened(token, f"site-{index}") == 201
    at = int(time.time() * 1000) + 1
    running.node.revocations.take(Revoked(session_id=session, at=at))
    running.node.revocations.take(Revoked(user_id=user, operation_id=operation, at=at))
    assert [s.feed for s in running.node.sessions.by_id.values()] == ["site-3"]
    assert await opened(tokens["by session"], "site-1") == 401
    assert await opened(tokens["by user"], "site-2") == 401
    assert await opened(tokens["other operation"], "site-3") == 201


async def test_a_revoked_feed_ends_for_every_token_and_stays_shut(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    publisher = Publisher(running.url, running.token("site-*"))
    await publisher.publish("site-1")
    feed = running.node.sessions.feeds["site-1"]
    await until(lambda: feed.is_live, 10)
    watched = offer(video(VP8, direction="recvonly"), audio(direction="recvonly"))
    assert (await post(http, "/whep/site-1", watched)).status_code == 201
    assert (await post(http, "/whip/site-2")).status_code == 201
    running.node.revocations.take(Revoked(feed="site-1", at=int(time.time() * 1000)))
    assert [session.feed for session in running.node.sessions.by_id.values()] == ["site-2"]
    assert feed.life.cause is FeedCause.REVOKED
    for path, body in (("/whip/site-1", GOOD), ("/whep/site-1", watched)):
        assert_problem(await post(http, path, body), 403, "feed-revoked")
    assert (await post(http, "/whip/site-2")).status_code == 201
    await publisher.close()


async def test_too_many_posts_are_slowed_down(running: RunningNode, http: httpx.AsyncClient) -> None:
    answers: list[httpx.Response] = []
    while len(answers) < 1000 and not any(answer.status_code == 429 for answer in answers):
        answers += await asyncio.gather(*(post(http, body=b"v=1") for _ in range(40)))
    assert {answer.status_code for answer in answers} == {400, 429}
    slowed = next(answer for answer in answers if answer.status_code == 429)
    assert int(slowed.headers["retry-after"]) >= 1
    assert (await http.get("/healthz")).json()["status"] == "ok"


async def test_a_full_node_says_when_to_come_back(running: RunningNode, http: httpx.AsyncClient) -> None:
    running.node.sessions._max_sessions = 1
    assert (await post(http)).status_code == 201
    refused = await post(http, "/whip/site-2")
    assert_problem(refused, 503, "node-full")
    assert int(refused.headers["retry-after"]) >= 1


async def test_a_viewer_of_a_live_feed_is_answered_by_a_sender(running: RunningNode, http: httpx.AsyncClient) -> None:
    publisher = Publisher(running.url, running.token())
    await publisher.publish("site-1")
    feed = running.node.sessions.feeds["site-1"]
    await until(lambda: feed.life.phase is FeedPhase.LIVE, 10)
    answer = await post(http, "/whep/site-1", offer(video(VP8, direction="recvonly"), audio(direction="recvonly")))
    assert answer.status_code == 201
    assert "a=sendonly" in answer.text
    assert "a=ssrc:" in answer.text
    health = (await http.get("/healthz")).json()
    assert (health["recorder"], health["live_feeds"], health["recorded_feeds"]) == (False, 1, 0)
    figures = (await http.get("/metrics")).text
    assert 'media_node_sessions{right="view",state="connecting"} 1.0' in figures
    assert 'media_node_feeds{phase="live"} 1.0' in figures
    for name in ("packets", "datagrams_refused", "drops", "viewer_repeated", "viewer_loss_ratio", "feed_nacked"):
        assert f"# HELP media_node_{name}" in figures
    counted = next(line for line in figures.splitlines() if line.startswith("media_node_feed_packets_total"))
    assert float(counted.rsplit(" ", 1)[1]) > 0
    await publisher.close()


async def test_pages_of_a_named_origin_may_use_the_node_and_no_others(tmp_path: Path) -> None:
    ours = "https://field.example"
    async with (
        running_node(tmp_path, allowed_origins=[ours]) as running,
        httpx.AsyncClient(base_url=running.url) as http,
    ):
        preflight = await http.options("/whip/site-1", headers={"Origin": ours})
        assert preflight.headers["access-control-allow-origin"] == ours
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        headers = {"Origin": ours, "Content-Type": SDP, "Authorization": f"Bearer {running.token()}"}
        answer = await http.post("/whip/site-1", content=GOOD, headers=headers)
        assert set(answer.headers["access-control-expose-headers"].split(", ")) == {"Location", "ETag", "Link"}
        other = await http.options("/whip/site-1", headers={"Origin": "https://field.example.evil"})
        assert "access-control-allow-origin" not in other.headers


RELAYS = TurnServers(("turn:relay.example:3478?transport=udp", "turns:relay.example?transport=tcp"), "s3cret")
LINK = re.compile(
    r'<(turns?:[^>]+)>; rel="ice-server"; username="(\d+):([^":]+)"; credential="([A-Za-z0-9+/=]+)"; '
    r'credential-type="password"'
)


async def test_a_session_is_told_the_relays_with_credentials_of_its_tokens_own(tmp_path: Path) -> None:
    async with running_node(tmp_path, turn=RELAYS) as running, httpx.AsyncClient(base_url=running.url) as http:
        token_id = uuid4()
        http.headers["Authorization"] = f"Bearer {running.token('site-1', token_id=token_id)}"
        publisher = Publisher(running.url, running.token("site-1"))
        await publisher.publish("site-1")
        await until(lambda: running.node.sessions.feeds["site-1"].is_live)
        viewing = offer(video(VP8, direction="recvonly"))
        for answer in (await post(http), await post(http, "/whep/site-1", viewing)):
            assert answer.status_code == 201, answer.text
            links = [LINK.fullmatch(link) for link in answer.headers.get_list("link")]
            assert [link[1] if link else None for link in links] == list(RELAYS.urls)
            for link in filter(None, links):
                assert link[3] == str(token_id)
                expected = RELAYS.credentials(token_id, int(link[2]) - CREDENTIAL_LIFE_SECONDS)
                assert link[4] == expected.password
                assert abs(int(link[2]) - CREDENTIAL_LIFE_SECONDS - time.time()) < 30
            assert answer.headers["cache-control"] == "no-store"
        await publisher.close()


async def test_who_may_open_a_session_may_ask_for_the_relays_before_and_nobody_else(tmp_path: Path) -> None:
    async with running_node(tmp_path, turn=RELAYS) as running, httpx.AsyncClient(base_url=running.url) as http:
        for path, other in (("/whip/site-1", {"publish": False}), ("/whep/site-1", {"view": False})):
            good = {"Authorization": f"Bearer {running.token('site-1')}"}
            assert len((await http.options(path, headers=good)).headers.get_list("link")) == len(RELAYS.urls)
            preflight = {"Access-Control-Request-Method": "POST", "Origin": "https://elsewhere.example"}
            for headers in (
                {},
                preflight,
                good | preflight,
                {"Authorization": "Bearer forged.forged.forged"},
                {"Authorization": f"Bearer {running.token('site-2')}"},
                {"Authorization": f"Bearer {running.token('site-1', seconds=-5)}"},
                {"Authorization": f"Bearer {running.token('site-1', **other)}"},
            ):
                answer = await http.options(path, headers=headers)
                assert answer.status_code == 200
                assert answer.headers["accept-post"] == SDP
                assert "link" not in answer.headers
        refused = await http.post("/whip/site-1", content=GOOD, headers={"Content-Type": SDP})
        assert refused.status_code == 401
        assert "link" not in refused.headers


async def test_without_relays_nothing_is_said_of_them(running: RunningNode, http: httpx.AsyncClient) -> None:
    answer = await post(http)
    assert answer.status_code == 201
    assert "link" not in answer.headers
    assert "link" not in (await http.options("/whip/site-1")).headers
