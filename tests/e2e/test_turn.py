"""A browser that reaches the node through coturn alone: it publishes and plays, over UDP and over TCP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from streams.signalling.tokens import load_private_key, make_keys
from tests.support.browser import Watched, emptied, sign_in
from tests.support.centre import Centre
from tests.support.node import running_node
from tests.support.phone import DEVICE_NAME, HUIMIN, Phone
from tests.support.turn import KEEP_CONNECTIONS, READ_ROADS, running_turn
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="package")]

by_both_transports = pytest.mark.parametrize("transport", ["udp", "tcp"])

PATIENCE_SECONDS = 40.0
"""A whole page with its map is loaded before there is a connection; on a busy machine that takes its time."""

OPEN_BY_LINK = """async ([feed, right]) => {
    const csrf = decodeURIComponent(document.cookie.match(/_csrf_token=([^;]+)/)[1]);
    const granted = await fetch('/api/media-tokens', {
        method: 'POST', headers: {'Content-Type': 'application/json', 'X-CSRFToken': csrf},
        body: JSON.stringify({feed, right}),
    });
    const {url, access_token} = await granted.json();
    const connection = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    if (right === 'publish') {
        const stream = await navigator.mediaDevices.getUserMedia({video: true});
        connection.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', streams: [stream]});
    } else {
        connection.addTransceiver('video', {direction: 'recvonly'});
    }
    const offer = await connection.createOffer();
    const answer = await fetch(url, {
        method: 'POST', body: offer.sdp,
        headers: {'Content-Type': 'application/sdp', Authorization: `Bearer ${access_token}`},
    });
    const link = answer.headers.get('Link');
    if (!link) return `${answer.status} without a Link`;
    const relay = /<([^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"/g;
    const iceServers = [...link.matchAll(relay)]
        .map(([, urls, username, credential]) => ({urls, username, credential}));
    // Gathering begins with the local description: the relays are there before.
    connection.setConfiguration({...connection.getConfiguration(), iceServers});
    await connection.setLocalDescription(offer);
    await connection.setRemoteDescription({type: 'answer', sdp: await answer.text()});
    return link;
}"""


@dataclass
class Installation:
    """The web process and a node that know a relay, and a browser with a camera."""

    web: RunningWeb
    browser: Browser
    policy: str
    log: Path
    """What the relay wrote."""

    async def page(self, username: str, then: str) -> tuple[Page, Watched]:
        """A page of this person in a context of its own."""
        context = await self.browser.new_context(
            viewport={"width": 1280, "height": 844},
            locale="zh-CN",
            geolocation=HUIMIN,
            permissions=["geolocation", "camera", "microphone"],
        )
        await context.add_init_script(KEEP_CONNECTIONS % self.policy)
        await context.add_init_script(DEVICE_NAME % "phone-turn")
        page, watched = await context.new_page(), Watched()
        watched.watch(page)
        await sign_in(page, self.web.url, username, self.web.world.passwords[username], then)
        return page, watched

    async def live_phone(self) -> Phone:
        """The officer's page, gone live."""
        page, watched = await self.page("officer6", "/field")
        await page.wait_for_selector("#site-list button")
        phone = Phone(page.context, page, watched)
        await phone.go_live()
        return phone


@asynccontextmanager
async def _installation(
    folder: Path, hub_url: str, browser: Browser, transport: str, *, policy: str = "relay"
) -> AsyncIterator[Installation]:
    data, relay_folder = folder / "var", folder / "turn"
    relay_folder.mkdir()
    make_keys(data / "keys")
    async with running_turn(relay_folder) as turn:
        servers = turn.servers(transport)
        async with running_node(folder / "node", hub_url, turn=servers, key=load_private_key(data / "keys")) as node:
            settings = settings_for(
                data,
                hub_url,
                media_http_port=node.node.http_port,
                turn_urls=",".join(servers.urls),
                turn_secret=servers.secret,
            )
            async with running_web(settings) as web, emptied(browser):
                yield Installation(web, browser, policy, relay_folder / "turnserver.log")


async def _road(page: Page, carries: str) -> dict[str, Any]:
    """Wait until a connection of the page has carried a picture, and give what way it took."""

    async def carried() -> dict[str, Any] | None:
        roads: list[dict[str, Any]] = await page.evaluate(READ_ROADS)
        return next((road for road in roads if road["state"] == "connected" and road[carries] > 10_000), None)

    try:
        road = await until(carried, PATIENCE_SECONDS)
    except AssertionError:
        raise AssertionError(await page.evaluate(READ_ROADS)) from None
    assert road is not None
    return road


async def _goes_through_the_relay(page: Page, transport: str, carries: str) -> dict[str, Any]:
    road = await _road(page, carries)
    assert (road["kind"], road["protocol"]) == ("relay", transport)
    return road


@by_both_transports
async def test_the_officers_page_and_the_centre_reach_each_other_through_the_relay_alone(
    tmp_path: Path, valkey: Valkey, phone_browser: Browser, transport: str
) -> None:
    async with _installation(tmp_path, valkey.url, phone_browser, transport) as here:
        phone = await here.live_phone()
        field, field_watched = phone.page, phone.watched
        await _goes_through_the_relay(field, transport, "sent")
        assert (await phone.strip())[0] == "live"

        screen, screen_watched = await here.page("commander", "/")
        centre = Centre(screen, screen_watched)
        (tile,) = await centre.playing(1, PATIENCE_SECONDS)
        assert ".phone-turn." in tile["feed"]
        road = await _goes_through_the_relay(screen, transport, "received")
        assert road["decoded"] > 5
        assert field_watched.errors == []
        assert screen_watched.errors == []
        # What the relay is told of a session is neither a person nor a feed.
        names = set(re.findall(r"user(?:name=)? ?<([^>]+)>", here.log.read_text()))
        assert len(names) >= 2
        assert all(re.fullmatch(r"\d{10}:[0-9a-f-]{36}", name) for name in names), names


@by_both_transports
async def test_a_client_that_knows_the_link_header_alone_publishes_and_plays_through_the_relay(
    tmp_path: Path, valkey: Valkey, phone_browser: Browser, transport: str
) -> None:
    async with _installation(tmp_path, valkey.url, phone_browser, transport) as here:
        officer = await here.web.signed_in("officer6")
        operation = (await officer.get("/api/operations")).json()["items"][0]
        body = {"operation_id": operation["id"], "site_id": operation["sites"][0]["id"], "device": "linked"}
        feed = (await officer.post("/api/feeds", json=body)).json()["feed"]
        for username, right, carries in (("officer6", "publish", "sent"), ("commander", "view", "received")):
            page, _ = await here.page(username, "/api/session")
            link = await page.evaluate(OPEN_BY_LINK, [feed, right])
            assert f"?transport={transport}" in str(link), link
            road = await _goes_through_the_relay(page, transport, carries)
            assert right == "publish" or road["decoded"] > 0


async def test_a_page_that_reaches_the_node_by_itself_takes_no_relay(
    tmp_path: Path, valkey: Valkey, phone_browser: Browser
) -> None:
    async with _installation(tmp_path, valkey.url, phone_browser, "udp", policy="all") as here:
        phone = await here.live_phone()
        assert (await _road(phone.page, "sent"))["kind"] != "relay"
