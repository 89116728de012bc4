"""A full wall: light publishers of three layers, a node process, a web process, for the page of the centre."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.signalling.tokens import make_keys
from tests.support.killable_node import KillableNode
from tests.support.light_layers import Camera, LightLayers
from tests.support.light_signalling import CONNECT_SECONDS, Whip
from tests.support.valkey import Valkey
from tests.support.web import RunningWeb, running_web, settings_for

OFFICERS = ("officer1", "officer2", "officer3", "officer4", "officer5")
"""Each has a site of its own, in this order."""
ONE_DATAGRAM_SECONDS = 0.005
SMALL = Camera(((160, 90, 80), (320, 180, 150), (640, 360, 400)), 10, 16)
"""Seventeen of these can be sent, forwarded and decoded on two cores: about 70, 190 and 470 kbit/s."""
LARGE = Camera(((320, 180, 250), (640, 360, 500), (1280, 720, 1200)), 10, 16)
"""Six of these don't fit on 1 Mbit/s, even as their low layers: about 230, 540 and 960 kbit/s."""


@dataclass
class FullWall:
    """What runs, and its publishers by feed."""

    web: RunningWeb
    node: KillableNode
    publishers: dict[str, LightLayers] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The web process."""
        return self.web.url

    @property
    def media_port(self) -> int:
        """The node's UDP port."""
        return self.node.udp_port

    def accounts(self, role: str) -> list[dict[str, str]]:
        """The demonstration's accounts whose names begin with their role."""
        return [
            {"username": name, "password": password, "role": role}
            for name, password in self.web.world.passwords.items()
            if name.startswith(role)
        ]

    async def add(self, count: int, camera: Camera, lead: Callable[[str], str] = lambda sdp: sdp) -> None:
        """Let so many cameras go live, one officer's after another's; `lead` takes their media through a relay."""
        clients = [await self.web.program(name) for name in OFFICERS]
        operation = (await clients[0].get("/api/operations")).json()["items"][0]
        for number in range(len(self.publishers), len(self.publishers) + count):
            place = number % len(OFFICERS)
            client, site = clients[place], operation["sites"][place]
            body = {"operation_id": operation["id"], "site_id": site["id"], "device": f"camera-{number}"}
            feed = (await client.post("/api/feeds", json=body)).json()["feed"]
            asked = {"feed": feed, "right": "publish"}
            token = (await client.post("/api/media-tokens", json=asked)).json()["access_token"]
            publisher = self.publishers[feed] = LightLayers(camera=camera)
            whip = Whip(self.node.url, token, lead)
            try:
                await whip.publish(feed, publisher)
            finally:
                await whip.close()
            async with asyncio.timeout(CONNECT_SECONDS):
                await publisher.connected.wait()
            publisher.run(publisher.publish())

    def asked(self, since: float, until: float) -> Asked:
        """Which key frames the publishers were asked for in this span of the monotonic clock."""
        each = [[one for one in peer.asked_at if since <= one[0] <= until] for peer in self.publishers.values()]
        return Asked([_compounds(one) for one in each], until - since)


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests that reached each publisher: when, and of which layers."""

    each: list[list[tuple[float, str]]]
    seconds: float

    @property
    def most_in_a_second(self) -> int:
        """The most that any one publisher was asked for in any one second."""
        return max((len(found) for found in self._seconds()), default=0)

    @property
    def per_second(self) -> float:
        """What the busiest publisher was asked for, on average."""
        return max((len(one) for one in self.each), default=0) / self.seconds

    def __str__(self) -> str:
        busiest = [
            " ".join(f"{rid}+{at - found[0][0]:.2f}" for at, rid in found)
            for found in self._seconds()
            if len(found) > 1
        ]
        return (
            f"key frames asked of a publisher: at most {self.most_in_a_second} in a second, {self.per_second:.2f} "
            f"a second on average of the busiest" + (f" (together: {'; '.join(busiest[:5])})" if busiest else "")
        )

    def _seconds(self) -> Iterator[list[tuple[float, str]]]:
        """The requests of each second that begins with one."""
        for one in self.each:
            for index, (start, _) in enumerate(one):
                yield [(at, rid) for at, rid in one[index:] if at < start + 0.99]  # timers may be early by a hair


def _compounds(asked: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """What came by one datagram is one request, of several layers."""
    requests: list[tuple[float, str]] = []
    for at, rid in asked:
        if requests and at - requests[-1][0] < ONE_DATAGRAM_SECONDS:
            requests[-1] = (requests[-1][0], f"{requests[-1][1]}&{rid}")
        else:
            requests.append((at, rid))
    return requests


@asynccontextmanager
async def full_wall(folder: Path, *, records: bool = False) -> AsyncIterator[FullWall]:
    """Run an installation in `folder` without any camera yet."""
    data = folder / "var"
    make_keys(data / "keys")
    async with AsyncExitStack() as stack:
        valkey = Valkey()
        valkey.start()
        stack.callback(valkey.stop)
        node = KillableNode(folder / "node", data / "keys", valkey.url, records=records)
        await node.start()
        stack.callback(node.stop)
        settings = settings_for(data, valkey.url, media_http_port=node.http_port)
        wall = FullWall(await stack.enter_async_context(running_web(settings)), node)
        try:
            yield wall
        finally:
            for publisher in wall.publishers.values():
                await publisher.close()
