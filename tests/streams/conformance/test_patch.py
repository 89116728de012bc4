"""Item 5: trickle and ICE restart (RFC 9725 §4.3)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from streams.signalling.session import Session
from tests.streams.conformance.exchange import (
    CANDIDATE,
    FRAGMENT,
    GOOD,
    RESTART,
    SDP,
    WATCHING,
    assert_problem,
    live_feed,
    patch,
    post,
)
from tests.support.light_media import LightViewer
from tests.support.light_peer import Numbers
from tests.support.node import RunningNode
from tests.support.waiting import until


@dataclass
class Opened:
    """One session, as its client knows it and as the node does."""

    url: str
    tag: str
    session: Session


@pytest.fixture
async def opened(running: RunningNode, http: httpx.AsyncClient) -> Opened:
    answer = await post(http)
    (session,) = running.node.sessions.by_id.values()
    return Opened(answer.headers["location"], answer.headers["etag"], session)


@pytest.fixture
async def viewing(running: RunningNode, http: httpx.AsyncClient) -> AsyncIterator[Opened]:
    async with live_feed(running):
        answer = await post(http, "/whep/site-1", WATCHING)
        session = next(s for s in running.node.sessions.by_id.values() if s.viewer is not None)
        yield Opened(answer.headers["location"], answer.headers["etag"], session)


async def test_5_the_created_session_has_a_strong_quoted_tag_of_its_own(http: httpx.AsyncClient) -> None:
    first, second = await post(http), await post(http)
    for answer in (first, second):
        assert re.fullmatch(r'"[\x21\x23-\x7e]+"', answer.headers["etag"])
    assert first.headers["etag"] != second.headers["etag"]


async def test_5_the_created_session_says_what_it_takes_as_a_patch(http: httpx.AsyncClient) -> None:
    assert (await post(http)).headers["accept-patch"] == FRAGMENT


async def test_5_a_candidate_is_taken_with_204_without_tag_or_body(http: httpx.AsyncClient, opened: Opened) -> None:
    trickled = await patch(http, opened.url, CANDIDATE, opened.tag)
    assert trickled.status_code == 204
    assert "etag" not in trickled.headers
    assert trickled.content == b""


async def test_5_one_of_several_tags_is_enough(http: httpx.AsyncClient, opened: Opened) -> None:
    assert (await patch(http, opened.url, CANDIDATE, f'"other", {opened.tag}')).status_code == 204


async def test_5_a_candidate_without_credentials_is_taken(http: httpx.AsyncClient, opened: Opened) -> None:
    body = b"m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 tcp 1 host.example 9 typ host\r\na=end-of-candidates\r\n"
    assert (await patch(http, opened.url, body, opened.tag)).status_code == 204


@pytest.mark.parametrize("star", ["*", '"*"'])
async def test_5_a_restart_is_answered_with_a_fragment_and_a_new_tag(
    http: httpx.AsyncClient, opened: Opened, star: str
) -> None:
    restarted = await patch(http, opened.url, RESTART, star)
    assert restarted.status_code == 200
    assert restarted.headers["content-type"] == FRAGMENT
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', restarted.headers["etag"])
    assert restarted.headers["etag"] != opened.tag


async def test_5_the_restarts_fragment_has_fresh_credentials_and_all_candidates(
    running: RunningNode, http: httpx.AsyncClient, opened: Opened
) -> None:
    before = opened.session.link.ufrag, opened.session.link.password
    lines = (await patch(http, opened.url, RESTART, "*")).text.split("\r\n")
    values = {name: value for name, _, value in (line.partition(":") for line in lines)}
    assert values["a=ice-ufrag"] != before[0]
    assert values["a=ice-pwd"] != before[1]
    assert len(values["a=ice-ufrag"]) >= 4
    assert len(values["a=ice-pwd"]) >= 22
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    assert len(candidates) == len(running.node.sessions._addresses)
    assert {"a=ice-lite", "a=end-of-candidates", "a=mid:0"} <= set(lines)


async def test_5_a_viewer_trickles_and_restarts_as_a_publisher_does(http: httpx.AsyncClient, viewing: Opened) -> None:
    assert (await patch(http, viewing.url, CANDIDATE, viewing.tag)).status_code == 204
    restarted = await patch(http, viewing.url, RESTART, "*")
    assert restarted.status_code == 200
    assert restarted.headers["etag"] != viewing.tag


async def test_5_a_candidate_without_if_match_is_428(http: httpx.AsyncClient, opened: Opened) -> None:
    assert_problem(await patch(http, opened.url, CANDIDATE), 428, "if-match-required")


async def test_5_a_restart_without_if_match_is_428(http: httpx.AsyncClient, opened: Opened) -> None:
    assert_problem(await patch(http, opened.url, RESTART), 428, "if-match-required")
    assert opened.session.link.next_credentials is None


async def test_5_a_stale_tag_is_412(http: httpx.AsyncClient, opened: Opened) -> None:
    assert_problem(await patch(http, opened.url, CANDIDATE, '"stale"'), 412, "if-match-stale")


async def test_5_the_tag_from_before_a_restart_is_412(http: httpx.AsyncClient, opened: Opened) -> None:
    new = (await patch(http, opened.url, RESTART, "*")).headers["etag"]
    assert_problem(await patch(http, opened.url, RESTART, opened.tag), 412, "if-match-stale")
    assert (await patch(http, opened.url, RESTART, new)).status_code == 204


@pytest.mark.parametrize("form", ["W/{}", "{}x", "x{}"])
async def test_5_a_weak_or_mangled_tag_is_412(http: httpx.AsyncClient, opened: Opened, form: str) -> None:
    assert_problem(await patch(http, opened.url, CANDIDATE, form.format(opened.tag)), 412, "if-match-stale")


async def test_5_an_unquoted_tag_is_412(http: httpx.AsyncClient, opened: Opened) -> None:
    assert_problem(await patch(http, opened.url, CANDIDATE, opened.tag.strip('"')), 412, "if-match-stale")


async def test_5_another_content_type_is_415_and_told_which_is_taken(http: httpx.AsyncClient, opened: Opened) -> None:
    refused = await patch(http, opened.url, CANDIDATE, opened.tag, SDP)
    assert_problem(refused, 415, "content-type")
    assert refused.headers["accept-patch"] == FRAGMENT


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (RESTART.split(b"\r\n")[0] + b"\r\n", "sdp-ice"),
        (RESTART.replace(b"newufrag", b"new ufrag"), "sdp-value"),
        (b"rubbish", "sdp-fragment"),
        (b"", "sdp-fragment"),
        (b"\xff\xfe", "sdp-encoding"),
    ],
)
async def test_5_a_failed_restart_leaves_the_session_as_it_was(
    running: RunningNode, http: httpx.AsyncClient, opened: Opened, body: bytes, code: str
) -> None:
    link = opened.session.link
    before = link.ufrag, link.password
    assert_problem(await patch(http, opened.url, body, "*"), 400, code)
    assert (link.ufrag, link.password, link.next_credentials) == (*before, None)
    assert running.node.sessions.by_id == {opened.session.id: opened.session}
    assert (await patch(http, opened.url, CANDIDATE, opened.tag)).status_code == 204


@asynccontextmanager
async def watching(
    running: RunningNode, http: httpx.AsyncClient
) -> AsyncIterator[tuple[LightViewer, Opened, Callable[[], Awaitable[int]]]]:
    """A viewer that gets pictures, its session, and a wait for more of them."""
    viewer = LightViewer()
    viewer.numbers = Numbers()

    async def more() -> int:
        seen = viewer.packets
        return await until(lambda: viewer.packets > seen + 20 and viewer.packets, 10)

    try:
        async with live_feed(running):
            answer = await post(http, "/whep/site-1", viewer.describe("recvonly").encode())
            viewer.accept(answer.text)
            await more()
            session = next(s for s in running.node.sessions.by_id.values() if s.viewer is not None)
            yield viewer, Opened(answer.headers["location"], answer.headers["etag"], session), more
    finally:
        await viewer.close()


async def test_5_pictures_go_on_through_a_restart_on_which_the_peer_moves_to_the_new_credentials(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    async with watching(running, http) as (viewer, opened, more):
        restarted = await patch(http, opened.url, RESTART, "*")
        await more()
        viewer.restarted(restarted.text)
        viewer.check()
        await until(lambda: opened.session.link.next_credentials is None)
        assert f"a=ice-ufrag:{opened.session.link.ufrag}\r\n" in restarted.text
        await more()
        assert opened.session.link.is_open


async def test_5_pictures_go_on_after_a_failed_restart(running: RunningNode, http: httpx.AsyncClient) -> None:
    async with watching(running, http) as (viewer, opened, more):
        assert (await patch(http, opened.url, RESTART.split(b"\r\n")[0], "*")).status_code == 400
        checked_at = opened.session.link.last_check_at
        viewer.check()
        await until(lambda: opened.session.link.last_check_at > checked_at)
        await more()


async def test_5_restarts_without_end_leave_no_credentials_behind(
    running: RunningNode, http: httpx.AsyncClient, opened: Opened
) -> None:
    for number in range(20):
        body = RESTART.replace(b"newufrag", b"ufrag%d" % number)
        assert (await patch(http, opened.url, body, "*")).status_code == 200
    known = running.node.port._by_ufrag
    assert set(known) == {opened.session.link.ufrag, (opened.session.link.next_credentials or ("",))[0]}


async def test_5_a_patch_of_what_is_over_is_404(http: httpx.AsyncClient, opened: Opened) -> None:
    await http.delete(opened.url)
    assert_problem(await patch(http, opened.url, RESTART, "*"), 404, "session-unknown")


async def test_5_an_offer_is_no_patch_of_the_endpoint(http: httpx.AsyncClient) -> None:
    refused = await patch(http, "/whip/site-1", GOOD, "*")
    assert_problem(refused, 405, "method-not-allowed")
