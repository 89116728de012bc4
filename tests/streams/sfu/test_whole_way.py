"""A node between light peers: ICE, DTLS, SRTP, losses on both sides and their repair."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_signalling import Whip
from tests.support.node import running_node
from tests.support.waiting import until


async def test_losses_on_both_sides_are_repaired_and_both_sides_hear_how_it_goes(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        server = Whip(running.url, running.token())
        publisher = LightPublisher(seed=70, parts=4, size=400, loss=0.03)
        viewer = LightViewer(seed=71, loss=0.05, opens_all=True, frame_parts=4)
        try:
            await server.publish("site-1", publisher)
            async with asyncio.timeout(10):
                await publisher.connected.wait()
            publisher.run(publisher.publish(400))
            await until(lambda: running.node.sessions.feeds["site-1"].is_live, seconds=10)
            await server.view("site-1", viewer)
            viewer.run(viewer.watch())
            await until(lambda: viewer.frames_seen >= 300, seconds=20)
            first = min(frame for frame, _, _ in viewer.marks)
            last = max(frame for frame, _, _ in viewer.marks) - 30
            marks = set(viewer.marks)
            whole = [f for f in range(first, last) if all((f, part, 4) in marks for part in range(4))]
            assert len(whole) >= 0.99 * (last - first)
            assert viewer.repaired > 20
            assert publisher.lost > 10
            assert publisher.repeated >= publisher.lost * 0.9
            assert publisher.picture_losses <= 5
            assert publisher.feedback > 10
            assert viewer.reports >= 2
            (session,) = running.node.sessions.feeds["site-1"].viewers.values()
            assert session.viewer is not None
            assert session.viewer.rtt_seconds is not None
        finally:
            await publisher.close()
            await viewer.close()
            await server.close()
