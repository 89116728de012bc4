"""Check-list item 7: relays are named in `Link` headers, with credentials, to those who may open a session."""

from __future__ import annotations

import re
import time
from pathlib import Path
from uuid import uuid4

import httpx

from streams.signalling.turn import CREDENTIAL_LIFE_SECONDS, TurnServers
from tests.streams.conformance.exchange import GOOD, SDP, WATCHING, live_feed, post
from tests.support.node import RunningNode, running_node

RELAYS = TurnServers(("turn:relay.example:3478?transport=udp", "turns:relay.example?transport=tcp"), "s3cret")
LINK = re.compile(
    r'<(turns?:[^>]+)>; rel="ice-server"; username="(\d+):([^":]+)"; credential="([A-Za-z0-9+/=]+)"; '
    r'credential-type="password"'
)


async def test_7_a_session_is_told_the_relays_with_credentials_of_its_tokens_own(tmp_path: Path) -> None:
    async with running_node(tmp_path, turn=RELAYS) as running, httpx.AsyncClient(base_url=running.url) as http:
        token_id = uuid4()
        http.headers["Authorization"] = f"Bearer {running.token('site-1', token_id=token_id)}"
        async with live_feed(running):
            answers = (await post(http), await post(http, "/whep/site-1", WATCHING))
        for answer in answers:
            assert answer.status_code == 201, answer.text
            links = [LINK.fullmatch(link) for link in answer.headers.get_list("link")]
            assert [link[1] if link else None for link in links] == list(RELAYS.urls)
            for link in filter(None, links):
                assert link[3] == str(token_id)
                expected = RELAYS.credentials(token_id, int(link[2]) - CREDENTIAL_LIFE_SECONDS)
                assert link[4] == expected.password
                assert abs(int(link[2]) - CREDENTIAL_LIFE_SECONDS - time.time()) < 30
            assert answer.headers["cache-control"] == "no-store"


async def test_7_who_may_open_a_session_may_ask_for_the_relays_before_and_nobody_else(tmp_path: Path) -> None:
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


async def test_7_without_relays_nothing_is_said_of_them(running: RunningNode, http: httpx.AsyncClient) -> None:
    answer = await post(http)
    assert answer.status_code == 201
    assert "link" not in answer.headers
    assert "link" not in (await http.options("/whip/site-1")).headers
