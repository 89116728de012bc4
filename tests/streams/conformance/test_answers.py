"""Items 1 to 4: what an offer is answered with."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from aiortc.sdp import SessionDescription

from tests.streams.conformance.exchange import GOOD, SDP, WATCHING, assert_problem, live_feed, post
from tests.streams.signalling.offers import VP8, audio, channel, h264, offer, video
from tests.support.light_media import LightPublisher
from tests.support.light_peer import Numbers
from tests.support.node import RunningNode


async def test_1_a_post_is_created_with_an_answer_in_sdp(http: httpx.AsyncClient) -> None:
    answer = await post(http)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == SDP
    assert [media.kind for media in SessionDescription.parse(answer.text).media] == ["video", "audio", "application"]


async def test_1_a_content_type_may_carry_parameters_and_capitals(http: httpx.AsyncClient) -> None:
    assert (await post(http, kind="Application/SDP; charset=utf-8")).status_code == 201


async def test_1_each_post_has_a_location_of_its_own_that_can_be_asked(http: httpx.AsyncClient) -> None:
    first, second = await post(http), await post(http, "/whip/site-2")
    assert first.headers["location"] != second.headers["location"]
    for answer in (first, second):
        assert (await http.get(answer.headers["location"])).status_code == 204


async def test_1_a_viewers_post_is_created_with_a_location_too(running: RunningNode, http: httpx.AsyncClient) -> None:
    async with live_feed(running):
        answer = await post(http, "/whep/site-1", WATCHING)
        assert answer.status_code == 201
        assert answer.headers["content-type"] == SDP
        assert answer.headers["location"].startswith("/whep/site-1/")


@pytest.mark.parametrize("path", ["/whip/site-1", "/whep/site-1"])
async def test_1_another_content_type_is_415_and_told_which_is_taken(http: httpx.AsyncClient, path: str) -> None:
    refused = await post(http, path, kind="application/json")
    assert_problem(refused, 415, "content-type")
    assert refused.headers["accept-post"] == SDP


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "sdp-invalid"),
        (b"v=1", 400, "sdp-invalid"),
        (b"\xff\xfe", 400, "sdp-encoding"),
        (GOOD.replace(b"a=ice-pwd", b"a=ice-pwx"), 400, "sdp-ice"),
        (GOOD.replace(b"a=fingerprint", b"a=fingerprinx"), 400, "sdp-fingerprint"),
        (b"x" * 1_000_000, 413, "body-too-large"),
    ],
)
async def test_1_bad_sdp_is_refused_with_problem_details(
    running: RunningNode, http: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    assert_problem(await post(http, body=body), status, code)
    assert not running.node.sessions.by_id
    assert not running.node.port.has_links


@pytest.mark.parametrize("direction", ["sendonly", "sendrecv"])
async def test_2_whip_answers_recvonly(http: httpx.AsyncClient, direction: str) -> None:
    answer = await post(http, body=offer(video(VP8, direction=direction), audio(direction=direction)))
    assert [media.direction for media in SessionDescription.parse(answer.text).media] == ["recvonly", "recvonly"]


@pytest.mark.parametrize("direction", ["recvonly", "sendrecv"])
async def test_2_whep_answers_sendonly(running: RunningNode, http: httpx.AsyncClient, direction: str) -> None:
    async with live_feed(running):
        answer = await post(http, "/whep/site-1", offer(video(VP8, direction=direction)))
        assert [media.direction for media in SessionDescription.parse(answer.text).media] == ["sendonly"]


@pytest.mark.parametrize("direction", ["recvonly", "inactive"])
async def test_2_a_publisher_that_would_not_send_is_refused(http: httpx.AsyncClient, direction: str) -> None:
    assert_problem(await post(http, body=offer(video(VP8, direction=direction))), 422, "direction-unsupported")


async def test_2_a_direction_of_the_whole_session_holds_for_its_lines(http: httpx.AsyncClient) -> None:
    body = offer(video(VP8)).replace(b"a=sendonly\r\n", b"").replace(b"t=0 0\r\n", b"t=0 0\r\na=recvonly\r\n")
    assert_problem(await post(http, body=body), 422, "direction-unsupported")


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_2_a_viewer_that_would_not_receive_is_refused(
    running: RunningNode, http: httpx.AsyncClient, direction: str
) -> None:
    async with live_feed(running):
        refused = await post(http, "/whep/site-1", offer(video(VP8, direction=direction)))
        assert_problem(refused, 422, "direction-unsupported")


async def test_3_lines_that_are_not_all_bundled_are_refused(http: httpx.AsyncClient) -> None:
    assert_problem(await post(http, body=offer(video(VP8), audio(), bundle="0")), 422, "bundle-required")


async def test_3_lines_are_bundled_on_one_transport(http: httpx.AsyncClient) -> None:
    answer = (await post(http)).text
    assert re.findall(r"a=group:(.*)\r\n", answer) == ["BUNDLE 0 1 2"]
    assert len(set(re.findall(r"a=ice-ufrag:(\S+)", answer))) == 1
    assert len(set(re.findall(r"m=\w+ (\d+)", answer))) == 1


async def test_3_bundle_only_lines_with_port_zero_are_taken(http: httpx.AsyncClient) -> None:
    sound = ["m=audio 0 UDP/TLS/RTP/SAVPF 111 0", *audio()[1:], "a=bundle-only"]
    answer = (await post(http, body=offer(video(VP8), sound))).text
    assert re.search(r"m=audio [1-9]", answer)
    assert "a=group:BUNDLE 0 1\r\n" in answer


async def test_3_an_offer_without_rtcp_mux_is_refused(http: httpx.AsyncClient) -> None:
    body = offer([line for line in video(VP8) if line != "a=rtcp-mux"])
    assert_problem(await post(http, body=body), 422, "rtcp-mux-required")


async def test_3_rtcp_mux_only_is_answered_with_rtcp_mux_alone(http: httpx.AsyncClient) -> None:
    # RFC 8858 §4.3: the "only" has no place in an answer.
    answer = (await post(http, body=offer(video(VP8, extra=["a=rtcp-mux-only"])))).text
    assert "a=rtcp-mux\r\n" in answer
    assert "a=rtcp-mux-only" not in answer


@pytest.mark.parametrize("lines", [[video(VP8, mid="0"), video(VP8, mid="1")], [audio(mid="0"), audio(mid="1")]])
async def test_3_two_tracks_of_one_kind_are_422(http: httpx.AsyncClient, lines: list[list[str]]) -> None:
    assert_problem(await post(http, body=offer(*lines)), 422, "too-many-tracks")


async def test_3_a_viewer_of_two_tracks_of_one_kind_is_422(running: RunningNode, http: httpx.AsyncClient) -> None:
    async with live_feed(running):
        body = offer(video(VP8, mid="0", direction="recvonly"), video(VP8, mid="1", direction="recvonly"))
        assert_problem(await post(http, "/whep/site-1", body), 422, "too-many-tracks")


@pytest.mark.parametrize(
    "picture", [video(["a=rtpmap:98 VP9/90000"]), [line.replace("opus", "speex") for line in audio()][:5]]
)
async def test_3_a_line_that_cannot_be_received_refuses_the_offer_whole(
    running: RunningNode, http: httpx.AsyncClient, picture: list[str]
) -> None:
    other = audio(mid="9") if picture[0].startswith("m=video") else video(VP8, mid="9")
    refused = await post(http, body=offer(picture, other))
    assert refused.status_code in (400, 422)
    assert not running.node.sessions.by_id


async def test_3_whip_rejects_no_line_that_was_offered(http: httpx.AsyncClient) -> None:
    formats = [*VP8, *h264(102, "42001f"), *h264(108, "42e01f")]
    answer = (await post(http, body=offer(video(formats), audio(), channel()))).text
    assert re.findall(r"m=\w+ 0 ", answer) == []


async def test_4_every_line_holds_all_candidates_of_the_node_and_their_end(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    answer = (await post(http)).text
    for media in SessionDescription.parse(answer).media:
        found = [(candidate.ip, candidate.port) for candidate in media.ice_candidates]
        assert found == [(ip, running.node.port.number) for ip in running.node.sessions._addresses]
        assert media.ice_candidates_complete


@pytest.mark.parametrize(("setup", "answered"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")])
async def test_4_every_setup_is_met_and_connects(
    running: RunningNode, http: httpx.AsyncClient, setup: str, answered: str
) -> None:
    peer = LightPublisher()
    peer.numbers = Numbers(transport_id=3)
    try:
        answer = (await post(http, body=peer.describe("sendonly", setup=setup).encode())).text
        assert set(re.findall(r"a=setup:(\w+)", answer)) == {answered}
        peer.accept(answer)
        async with asyncio.timeout(10):
            await peer.connected.wait()
    finally:
        await peer.close()


async def test_4_an_unknown_setup_is_refused(http: httpx.AsyncClient) -> None:
    assert_problem(await post(http, body=offer(video(VP8), setup="holdconn")), 400, "sdp-setup")
