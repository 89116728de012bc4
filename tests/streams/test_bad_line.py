"""A node between light peers on a bad line: what can be repaired is, and who moves is followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.impairment import Bursts, Impairment
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_signalling import Whip
from tests.support.node import RunningNode, running_node
from tests.support.relay import Relay, relayed
from tests.support.waiting import until

PARTS = 4
PACKETS_PER_SECOND = 240
MOVES = 20
FLOWING_FRAMES = 5


@asynccontextmanager
async def peers_behind_a_relay(
    tmp_path: Path, seed: int, impairment: Impairment
) -> AsyncIterator[tuple[RunningNode, Relay, LightPublisher, LightViewer]]:
    """A publisher that sends and a viewer that watches, both by one relay."""
    publisher = LightPublisher(seed=seed, parts=PARTS, size=400)
    viewer = LightViewer(seed=seed + 1, opens_all=True, frame_parts=PARTS)
    async with running_node(tmp_path) as running, relayed(running.node.port.number, seed=seed) as relay:
        relay.impair(impairment)
        server = Whip(running.url, running.token(), relay.lead)
        try:
            await server.publish("site-1", publisher)
            async with asyncio.timeout(10):
                await publisher.connected.wait()
            publisher.run(publisher.publish(PACKETS_PER_SECOND))
            await until(lambda: running.node.sessions.feeds["site-1"].is_live, seconds=10)
            await server.view("site-1", viewer)
            viewer.run(viewer.watch())
            await until(lambda: viewer.frames_seen > 0, seconds=10)
            yield running, relay, publisher, viewer
        finally:
            await publisher.close()
            await viewer.close()
            await server.close()


def missing_frames(viewer: LightViewer, margin: int) -> list[int]:
    """Frames that aren't whole though some before them are; the last `margin` may still be under way."""
    marks = set(viewer.marks)
    last = max(marks)[0] - margin
    is_whole = {f: all((f, part, PARTS) in marks for part in range(PARTS)) for f in range(last)}
    first = next(f for f in is_whole if is_whole[f])
    assert last - first > 100
    return [f for f in range(first, last) if not is_whole[f]]


@pytest.mark.parametrize(
    "impairment",
    [
        pytest.param(Impairment(loss=0.05, delay_seconds=0.05, jitter_seconds=0.01), id="loss"),
        pytest.param(
            Impairment(
                bursts=Bursts(0.01, 0.3, 0.8), delay_seconds=0.03, jitter_seconds=0.01, reorder=0.02, duplicate=0.02
            ),
            id="bursts",
        ),
    ],
)
async def test_on_a_bad_line_every_packet_that_can_be_repaired_arrives(tmp_path: Path, impairment: Impairment) -> None:
    async with peers_behind_a_relay(tmp_path, 80, impairment) as (running, relay, publisher, viewer):
        await until(lambda: viewer.frames_seen >= 300, seconds=20)
        # Two seconds is more than any packet is asked for again.
        assert missing_frames(viewer, margin=2 * PACKETS_PER_SECOND // PARTS) == []
        for way in (relay.to_node, relay.to_client):
            assert way.line.counts["lost"] + way.line.counts["burst"] > 15
            assert way.overflowed == 0
        assert viewer.repaired > 10
        assert publisher.repeated > 10
        assert len(running.node.sessions.by_id) == 2


async def test_pictures_go_on_after_each_of_twenty_moves_of_both_peers(tmp_path: Path) -> None:
    async with peers_behind_a_relay(tmp_path, 90, Impairment(delay_seconds=0.01)) as (
        running,
        relay,
        publisher,
        viewer,
    ):
        feed = running.node.sessions.feeds["site-1"]
        before = dict(running.node.sessions.by_id)
        for _ in range(MOVES):
            relay.move()
            publisher.check()
            viewer.check()
            (watching,) = feed.viewers.values()
            for session, peer in ((feed.publisher, publisher), (watching, viewer)):
                assert session is not None
                moved_to = relay.address_of(peer.address)
                await until(lambda session=session, moved_to=moved_to: session.link.address == moved_to)  # type: ignore[misc]
            whole = viewer.frames_whole
            await until(lambda whole=whole: viewer.frames_whole >= whole + FLOWING_FRAMES)  # type: ignore[misc]
        assert running.node.sessions.by_id == before
