"""Requests as clients of WHIP and WHEP make them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.streams.signalling.offers import VP8, audio, channel, offer, video
from tests.support.node import RunningNode
from tests.support.rtc import Publisher
from tests.support.waiting import until

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
CANDIDATE = b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
RESTART = b"a=ice-ufrag:newufrag\r\na=ice-pwd:9876543210987654321098\r\n"
GOOD = offer(video(VP8), audio(), channel())
WATCHING = offer(video(VP8, direction="recvonly"))


async def post(
    http: httpx.AsyncClient, path: str = "/whip/site-1", body: bytes = GOOD, kind: str = SDP
) -> httpx.Response:
    """Offer."""
    return await http.post(path, content=body, headers={"Content-Type": kind})


async def patch(
    http: httpx.AsyncClient, url: str, body: bytes, if_match: str | None = None, kind: str = FRAGMENT
) -> httpx.Response:
    """Trickle or restart."""
    headers = {"Content-Type": kind} | ({} if if_match is None else {"If-Match": if_match})
    return await http.patch(url, content=body, headers=headers)


def assert_problem(response: httpx.Response, status: int, code: str) -> None:
    """The answer is a refusal as problem details (RFC 9457)."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")


@asynccontextmanager
async def live_feed(running: RunningNode, name: str = "site-1") -> AsyncIterator[Publisher]:
    """A feed with a real publisher, for viewers to ask for."""
    publisher = Publisher(running.url, running.token())
    await publisher.publish(name)
    await until(lambda: running.node.sessions.feeds[name].is_live, 10)
    try:
        yield publisher
    finally:
        await publisher.close()
