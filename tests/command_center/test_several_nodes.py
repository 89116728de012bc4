"""A web process with several real media nodes: who is sent where, and what becomes of feeds whose node is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from streams.hub.topics import FEEDS_KEY, FeedPhase, FeedState
from streams.signalling.session import NODE_MARK
from streams.signalling.tokens import PUBLIC_KEY_FILE, load_private_key
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_peer import TRANSPORT_ID, LightPeer, Numbers
from tests.support.lines import register
from tests.support.node import RunningNode, running_node
from tests.support.ports import free_ports
from tests.support.valkey import Valkey
from tests.support.waiting import until
from tests.support.web import RunningWeb, running_web, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_SECONDS = 30.0
PAGES_ORIGIN = "https://b.example"
PACKETS_PER_SECOND = 40
RESTART = "a=ice-ufrag:newufrag\r\na=ice-pwd:9876543210987654321098\r\n"


@dataclass
class Centre:
    """The web process, its nodes by id, and the peers that were opened through it."""

    web: RunningWeb
    hub_url: str
    nodes: dict[str, RunningNode] = field(default_factory=dict)
    peers: list[LightPeer] = field(default_factory=list)

    async def token(self, feed: str) -> str:
        """A device's token, as `command-center token` prints it: of no sign-in."""
        issued = await self.web.web.media_tokens.issue(
            None, feed, operation_id=None, court_id=None, may_publish=True, may_view=True
        )
        return issued.access_token

    async def post(self, path: str, peer: LightPeer, token: str, base: str = "") -> httpx.Response:
        """Offer what the peer sends or takes, and let it connect where that is accepted."""
        direction = "sendonly" if path.startswith("/whip") else "recvonly"
        peer.numbers = Numbers(transport_id=TRANSPORT_ID)
        self.peers.append(peer)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        answer = await self.web.client().post(base + path, content=peer.describe(direction), headers=headers)
        if answer.status_code == 201:
            peer.accept(answer.text)
        return answer

    async def publish(self, feed: str, base: str = "") -> httpx.Response:
        """A device goes on the air."""
        peer = LightPublisher(parts=2, size=300)
        answer = await self.post(f"/whip/{feed}", peer, await self.token(feed), base)
        if answer.status_code == 201:
            peer.run(_play(peer))
        return answer

    def state(self, feed: str) -> FeedState | None:
        """What the web process knows of a feed."""
        return self.web.web.board.hub_state.feed(feed)

    async def live(self, feed: str, node: str) -> None:
        """Wait until this node has the feed, live, as far as the web process knows."""

        def is_live() -> bool:
            state = self.state(feed)
            return state is not None and (state.node, state.phase) == (node, FeedPhase.LIVE)

        await until(is_live, PATIENCE_SECONDS)

    async def knows(self, *nodes: str) -> None:
        """Wait until the web process knows of these nodes."""
        await until(lambda: {one.node for one in self.web.web.nodes.living()} == set(nodes), PATIENCE_SECONDS)

    async def trusts(self, *nodes: str) -> None:
        """Wait until the hearts of these nodes beat, as far as the web process knows."""
        table = self.web.web.board.hub_state.nodes
        await until(lambda: not any(map(table.is_suspect, nodes)), PATIENCE_SECONDS)


async def _play(peer: LightPublisher) -> None:
    await peer.connected.wait()
    await peer.publish(PACKETS_PER_SECOND)


def node_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rsplit("/", 1)[1].split(NODE_MARK)[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(shared_valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningWeb]:
    """A web process without nodes, whose pages may ask one public address themselves."""
    folder = tmp_path_factory.mktemp("web")
    async with running_web(settings_for(folder, shared_valkey.url, media_origins=PAGES_ORIGIN)) as web:
        yield web


@pytest_asyncio.fixture(loop_scope="module")
async def centre(web: RunningWeb, shared_valkey: Valkey) -> AsyncIterator[Centre]:
    """The same for one test, with peers of its own; nodes and feeds are named anew in each."""
    centre = Centre(web, shared_valkey.url)
    yield centre
    for peer in centre.peers:
        await peer.close()


@pytest.fixture(autouse=True)
def measured_by_feeds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nodes share the test's own process: how busy that is says nothing of either."""
    monkeypatch.setattr("command_center.live.nodes.BUSY_SHARE", float("inf"))


@asynccontextmanager
async def running_nodes(centre: Centre, folder: Path, *names: str) -> AsyncIterator[None]:
    """These nodes in the test's own process."""
    key = load_private_key(centre.web.web.settings.keys)
    async with AsyncExitStack() as stack:
        for name in names:
            running = running_node(folder / name, centre.hub_url, key=key, node_id=name)
            centre.nodes[name] = await stack.enter_async_context(running)
        await centre.knows(*names)
        yield


async def test_publishers_spread_and_viewers_and_session_requests_reach_the_right_node(
    centre: Centre, tmp_path: Path
) -> None:
    async with running_nodes(centre, tmp_path, "a1", "a2"):
        places = {}
        for feed in ("a-1", "a-2", "a-3", "a-4"):
            await centre.trusts("a1", "a2")
            places[feed] = node_of(await centre.publish(feed))
        assert sorted(places.values()) == ["a1", "a1", "a2", "a2"]
        for feed, node in places.items():
            await centre.live(feed, node)
        for feed in ("a-1", "a-2"):
            viewer, token = LightViewer(), await centre.token(feed)
            opened = await centre.post(f"/whep/{feed}", viewer, token)
            assert node_of(opened) == places[feed]
            await until(lambda viewer=viewer: viewer.packets > 0, PATIENCE_SECONDS)
            sessions = centre.nodes[places[feed]].node.sessions
            assert len(sessions.feeds[feed].viewers) == 1
            http, url = centre.web.client(headers={"Authorization": f"Bearer {token}"}), opened.headers["location"]
            assert (await http.get(url)).status_code == 204
            fragment = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
            restarted = await http.patch(url, content=RESTART, headers=fragment)
            assert (restarted.status_code, restarted.headers["etag"] == opened.headers["etag"]) == (200, False)
            assert (await http.delete(url)).status_code == 200
            assert not sessions.feeds[feed].viewers
            assert (await http.delete(url)).status_code == 404


async def test_a_node_whose_publisher_went_to_another_lets_go_of_it_and_of_its_viewers(
    centre: Centre, tmp_path: Path
) -> None:
    async with running_nodes(centre, tmp_path, "m1", "m2"):
        first = node_of(await centre.publish("m"))
        other = "m2" if first == "m1" else "m1"
        await centre.live("m", first)
        await centre.post("/whep/m", LightViewer(), await centre.token("m"))
        # As a phone does for which the first node hung: the web process sent it on.
        assert node_of(await centre.publish("m", base=centre.nodes[other].url)) == other
        await centre.live("m", other)
        left = centre.nodes[first].node.sessions
        await until(lambda: left.ended.get("moved") == 2, PATIENCE_SECONDS)
        assert "m" not in left.feeds
        hub = centre.web.web.hub

        async def is_gone() -> bool:
            return "m" not in await hub.fields(FEEDS_KEY.format(node=first))

        await until(is_gone, PATIENCE_SECONDS)
        state = centre.state("m")
        assert state is not None
        assert state.node == other
        assert centre.nodes[other].node.sessions.feeds["m"].publisher is not None


async def test_8_only_when_all_nodes_are_full_is_a_publisher_told_to_come_back(centre: Centre, tmp_path: Path) -> None:
    async with running_nodes(centre, tmp_path, "f1", "f2"):
        # `drain` fills a node at once, and the web process hears of it later.
        centre.nodes["f1"].node.sessions.drain()
        assert node_of(await centre.publish("f-1")) == "f2"
        centre.nodes["f2"].node.sessions.drain()
        refused = await centre.publish("f-2")
        assert (refused.status_code, refused.json()["code"]) == (503, "node-full")
        assert int(refused.headers["retry-after"]) >= 1


async def test_8_a_program_is_led_to_the_feeds_node_by_307_and_a_page_is_given_its_url(
    centre: Centre, tmp_path: Path
) -> None:
    key = load_private_key(centre.web.web.settings.keys)
    (port,) = free_ports(1)
    public = f"http://localhost:{port}"
    async with running_node(tmp_path, centre.hub_url, key=key, node_id="p", http_port=port, public_url=public) as node:
        await centre.knows("p")
        token = await centre.token("p-1")
        led = await centre.post("/whip/p-1?x=1", LightPublisher(), token)
        assert (led.status_code, led.headers["location"], led.content) == (307, f"{public}/whip/p-1?x=1", b"")
        assert node_of(await centre.publish("p-1", base=public)) == "p"
        await centre.live("p-1", "p")
        led = await centre.post("/whep/p-1?group=g", LightViewer(), token)
        assert (led.status_code, led.headers["location"]) == (307, f"{public}/whep/p-1?group=g")

        officer = await centre.web.signed_in("officer1")
        feed = await register(centre.web, officer)
        # Its address isn't among those that pages may use, so they go through the web process.
        granted = (await officer.post("/api/media-tokens", json={"feed": feed, "right": "publish"})).json()
        assert granted["url"] == f"/whip/{feed}"
        posted = await centre.post(granted["url"], LightPublisher(), granted["access_token"])
        assert node_of(posted) == "p"
        assert feed in node.node.sessions.feeds


async def test_8_a_page_gets_the_url_of_a_node_that_its_policy_lets_it_reach(centre: Centre, tmp_path: Path) -> None:
    key = load_private_key(centre.web.web.settings.keys)
    async with running_node(tmp_path, centre.hub_url, key=key, node_id="b", public_url=PAGES_ORIGIN) as node:
        await centre.knows("b")
        officer = await centre.web.signed_in("officer1")
        feed = await register(centre.web, officer)
        granted = await officer.post("/api/media-tokens", json={"feed": feed, "right": "publish"})
        assert granted.json()["url"] == f"{PAGES_ORIGIN}/whip/{feed}"
        policy = (await officer.get("/field")).headers["content-security-policy"]
        assert f"connect-src 'self' {PAGES_ORIGIN};" in policy
        await centre.publish(feed, base=node.url)
        await centre.live(feed, "b")
        commander = await centre.web.signed_in("commander")
        granted = await commander.post("/api/media-tokens", json={"feed": feed, "right": "view"})
        assert granted.json()["url"] == f"{PAGES_ORIGIN}/whep/{feed}"


@asynccontextmanager
async def node_process(centre: Centre, name: str) -> AsyncIterator[Process]:
    """A node as a process of its own, to be killed."""
    settings = centre.web.web.settings
    udp, http = free_ports(2)
    arguments = ["--data", str(settings.data), "--udp-port", str(udp), "--http-port", str(http), "--node-id", name]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", *arguments, "--token-key", str(settings.keys / PUBLIC_KEY_FILE)),
        stderr=DEVNULL,
        env={**os.environ, "COMMAND_CENTER_REDIS_URL": centre.hub_url},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.timeout(120)
async def test_all_feeds_of_a_killed_node_live_on_the_other_after_one_more_post(centre: Centre) -> None:
    feeds = [f"site-{number}" for number in range(5)]
    async with node_process(centre, "one") as one:
        await centre.knows("one")
        for feed in feeds:
            assert node_of(await centre.publish(feed)) == "one"
        for feed in feeds:
            await centre.live(feed, "one")
        async with node_process(centre, "two"):
            await centre.knows("one", "two")
            gone_sessions = await centre.post("/whep/site-0", LightViewer(), await centre.token("site-0"))
            one.send_signal(signal.SIGKILL)
            await one.wait()
            started = time.monotonic()
            for feed in feeds:
                assert node_of(await centre.publish(feed)) == "two"
            for feed in feeds:
                await centre.live(feed, "two")
            print(f"kill -9 to five feeds live on the other node: {time.monotonic() - started:.2f} s")
            viewer = LightViewer()
            assert node_of(await centre.post("/whep/site-0", viewer, await centre.token("site-0"))) == "two"
            await until(lambda: viewer.packets > 0, PATIENCE_SECONDS)
            await centre.knows("two")
            http = centre.web.client(headers={"Authorization": f"Bearer {await centre.token('site-0')}"})
            gone = await http.patch(gone_sessions.headers["location"], content=RESTART)
            assert (gone.status_code, gone.json()["code"]) == (404, "session-unknown")
            health = (await http.get("/healthz")).json()["parts"]
            assert (health["media"], health["media-one"], health["media-two"]) == ("running", "away", "running")
            metrics = (await http.get("/metrics")).text
            assert 'command_center_media_node_up{node="one"} 0.0' in metrics
            assert 'command_center_media_node_feeds{node="two"}' in metrics
