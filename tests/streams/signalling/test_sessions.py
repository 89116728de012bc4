"""Sessions over real HTTP: revoked rights, and what the node tells of those who watch."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from streams.hub.topics import FeedCause, FeedPhase, Revoked
from tests.streams.conformance.exchange import GOOD, SDP, assert_problem, post
from tests.streams.signalling.offers import VP8, audio, offer, video
from tests.support.node import RunningNode, running_node
from tests.support.rtc import Publisher
from tests.support.waiting import until


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path) as running:
        yield running


@pytest.fixture
async def http(running: RunningNode) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {running.token('site-*')}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
        yield client


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


async def test_health_and_figures_tell_of_a_feed_and_its_viewer(running: RunningNode, http: httpx.AsyncClient) -> None:
    publisher = Publisher(running.url, running.token())
    await publisher.publish("site-1")
    feed = running.node.sessions.feeds["site-1"]
    await until(lambda: feed.life.phase is FeedPhase.LIVE, 10)
    answer = await post(http, "/whep/site-1", offer(video(VP8, direction="recvonly"), audio(direction="recvonly")))
    assert answer.status_code == 201
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
