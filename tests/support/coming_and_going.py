"""Peers that join and leave a node, again and again: viewers, now and then a publisher, in order or without a word."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_peer import LightPeer
from tests.support.light_signalling import Whip
from tests.support.node_process import NodeProcess
from tests.support.waiting import until

CONNECT_SECONDS = 30
GONE_SECONDS = 45
"""A peer that vanished is missed after 15 s."""
FEEDS = 3
HUB_CONNECTIONS = 3
"""Those to the hub come and go, whatever peers do."""
LANES = 8
"""Cycles at a time."""


@dataclass
class Footprint:
    """What a node holds."""

    memory: float
    descriptors: float
    tasks: float
    entries: dict[str, float] = field(default_factory=dict)

    @classmethod
    async def of(cls, node: NodeProcess) -> Footprint:
        """As it is now."""
        found = await node.metrics()
        prefix = "media_node_table_entries"
        return cls(
            found["process_resident_memory_bytes"],
            found["process_open_fds"],
            found["media_node_tasks"],
            {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)},
        )

    def is_back_to(self, before: Footprint) -> bool:
        """Whether descriptors, tasks and tables are what they were."""
        return (
            self.entries == before.entries
            and self.tasks <= before.tasks + HUB_CONNECTIONS
            and self.descriptors <= before.descriptors + HUB_CONNECTIONS
        )

    def line(self) -> str:
        """As one row."""
        return (
            f"{self.memory / 1e6:7.1f} MB, {self.descriptors:.0f} descriptors, {self.tasks:.0f} tasks, {self.entries}"
        )


class Crowd:
    """Publishers that stay, and cycles of peers that don't; seeded."""

    def __init__(self, node: NodeProcess, seed: int, *, vanishing: float = 0.03) -> None:
        self.node = node
        self.cycles = self.vanished = 0
        self._vanishing = vanishing
        """The share of peers that leave without a word."""
        self._chance = random.Random(seed)
        self._lanes = [Whip(node.url, node.token()) for _ in range(LANES)]
        self._staying: list[LightPublisher] = []

    async def open(self) -> None:
        """Let the feeds that are watched begin."""
        for number in range(FEEDS):
            publisher = LightPublisher(seed=number, parts=2, size=400)
            self._staying.append(publisher)
            await self._join(self._lanes[0], publisher, f"site-{number}")
            publisher.run(publisher.publish(30))

    async def warm_up(self, count: int) -> None:
        """Let everything be there that is made once: code, tables, each feed with its memory of packets."""
        for lane in range(LANES):
            await self._cycle(lane, publishes=True)
        await self.run(count)

    async def run(self, count: int) -> None:
        """So many cycles, some at a time."""
        left = iter(range(count))

        async def one_after_the_other(lane: int) -> None:
            for _ in left:
                await self._cycle(lane)

        async with asyncio.TaskGroup() as group:
            for lane in range(LANES):
                group.create_task(one_after_the_other(lane))

    async def settled(self, before: Footprint | None = None) -> Footprint:
        """What the node holds once nobody is left but the publishers that stay; as little as `before`, if it can be."""
        found = await Footprint.of(self.node)

        async def all_gone() -> bool:
            nonlocal found
            found = await Footprint.of(self.node)
            is_empty = found.entries['{table="sessions"}'] == len(self._staying)
            return is_empty and (before is None or found.is_back_to(before))

        with suppress(AssertionError):
            await until(all_gone, GONE_SECONDS)
        return found

    async def close(self) -> None:
        """End everything."""
        for publisher in self._staying:
            await publisher.close()
        for server in self._lanes:
            await server.close()

    async def _cycle(self, lane: int, *, publishes: bool = False) -> None:
        """One peer; each lane has a feed of its own to publish, since a newer publisher ends the one before."""
        server = self._lanes[lane]
        draw = self._chance.random()
        feed = self._chance.randrange(FEEDS)
        is_publisher = publishes or draw < 0.1
        peer: LightPublisher | LightViewer
        peer = LightPublisher(parts=2, size=400) if is_publisher else LightViewer(frame_parts=2)
        try:
            await self._join(server, peer, f"other-{lane}" if is_publisher else f"site-{feed}")
            if isinstance(peer, LightPublisher):
                peer.run(peer.publish(30))
            if draw >= 1 - self._vanishing:
                self.vanished += 1
                server.forget(peer)
            else:
                await server.leave(peer)
        finally:
            await peer.close()
        self.cycles += 1

    async def _join(self, server: Whip, peer: LightPeer, feed: str) -> None:
        if isinstance(peer, LightViewer):
            await until(lambda: self._view(server, peer, feed), CONNECT_SECONDS)
        else:
            await server.publish(feed, peer)
        async with asyncio.timeout(CONNECT_SECONDS):
            await peer.connected.wait()

    async def _view(self, server: Whip, peer: LightViewer, feed: str) -> bool:
        try:
            await server.view(feed, peer)
        except RuntimeError as error:
            if "409" in str(error):  # not live yet
                return False
            raise
        return True
