"""Five phones that film in 720p for one node, each watched by some: with it is seen what recording costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.support.clip_peer import CONNECT_SECONDS, ClipPeer, Film
from tests.support.light_media import LightViewer
from tests.support.light_peer import LightPeer
from tests.support.light_signalling import Whip
from tests.support.node_process import NodeProcess

FEEDS = 5
VIEWERS = 2
"""Of each."""
FILM_SECONDS = 4.0
KBPS = 2000
APART_SECONDS = 0.15
"""Phones begin one after the other, so that their key frames don't fall together."""


@dataclass
class ClipViewer(LightViewer):
    """Watches a film's pictures."""

    codec: Literal["H264", "VP8"] = "H264"

    def describe(self, direction: str, *, mid: str = "0", setup: str = "actpass") -> str:
        text = super().describe(direction, mid=mid, setup=setup).replace("VP8/", f"{self.codec}/")
        kind = f"a=fmtp:{self.numbers.vp8} packetization-mode=1;profile-level-id=42e01f\r\n"
        return text + (kind if self.codec == "H264" else "")

    def accept(self, sdp: str) -> None:
        super().accept(sdp.replace("H264/", "VP8/"))

    def _read_payload(self, datagram: bytes) -> None:
        """A film's packets carry no stamps."""


@asynccontextmanager
async def five_phones(node: NodeProcess, codec: Literal["H264", "VP8"], viewers: int = VIEWERS) -> AsyncIterator[None]:
    """Five feeds, live and watched, until the block ends."""
    film = Film.make(codec, FILM_SECONDS, width=1280, height=720, kbps=KBPS)
    server = Whip(node.url, node.token())
    peers: list[LightPeer] = []

    async def join(peer: LightPeer) -> None:
        peers.append(peer)
        async with asyncio.timeout(CONNECT_SECONDS):
            await peer.connected.wait()

    try:
        for number in range(FEEDS):
            phone = ClipPeer(film=film)
            await server.publish(f"site-{number}", phone)
            await join(phone)
            phone.run(phone.publish())
            await asyncio.sleep(APART_SECONDS)
            for index in range(viewers):
                viewer = ClipViewer(seed=100 * number + index, codec=codec)
                await server.view(f"site-{number}", viewer)
                await join(viewer)
                viewer.run(viewer.watch())
        yield
    finally:
        for peer in peers:
            await peer.close()
        await server.close()


def thread_seconds(pid: int) -> dict[int, float]:
    """The processor time of each thread of a process so far."""
    folder = Path(f"/proc/{pid}/task")
    return {int(each.name): int((each / "schedstat").read_text().split()[0]) / 1e9 for each in folder.iterdir()}
