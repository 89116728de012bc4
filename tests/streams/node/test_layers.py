"""A node between a publisher of three layers and viewers that decode: what is asked for is what is seen."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import av
import httpx
import pytest
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

from streams.sfu.source import Source
from streams.sfu.track import CodecName
from tests.streams.recording.reading import decode, files, manifest_of
from tests.support.light_layers import LightLayers
from tests.support.light_signalling import Whip
from tests.support.node import RunningNode, running_node
from tests.support.rtc import Watcher
from tests.support.waiting import until


class Sizes(Watcher):
    """Notes the width of each picture that is decoded."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__(base, token)
        self.widths: list[int] = []

    async def _count(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, VideoFrame)
            self.widths.append(frame.width)


@asynccontextmanager
async def published(
    path: Path, codec: CodecName, *, records: bool = False
) -> AsyncIterator[tuple[RunningNode, LightLayers]]:
    """A node with a feed of three layers."""
    async with running_node(path, records=records) as running:
        server, publisher = Whip(running.url, running.token()), LightLayers(codec=codec)
        try:
            await server.publish("site-1", publisher)
            async with asyncio.timeout(10):
                await publisher.connected.wait()
            publisher.run(publisher.publish())
            feed = running.node.sessions.feeds["site-1"]
            await until(lambda: all(source.packets for source in feed.media.layers.sources), seconds=10)
            await until(lambda: feed.is_live, seconds=10)
            yield running, publisher
        finally:
            await publisher.close()
            await server.close()


async def wish(running: RunningNode, viewer: Watcher, body: object, kind: str = "application/json") -> httpx.Response:
    headers = {"Authorization": f"Bearer {running.token('site-1')}", "Content-Type": kind}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
        content = body if isinstance(body, bytes) else None
        if content is not None:
            return await http.patch(viewer.location, content=content)
        return await http.patch(viewer.location, json=body)


async def sees(viewer: Sizes, width: int) -> None:
    await until(lambda: viewer.widths[-5:] == [width] * 5, seconds=10)


def runs(widths: Sequence[int]) -> list[int]:
    return [width for at, width in enumerate(widths) if not at or width != widths[at - 1]]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_viewer_decodes_through_every_switch(tmp_path: Path, codec: CodecName) -> None:
    async with published(tmp_path, codec) as (running, publisher):
        viewer = Sizes(running.url, running.token("site-1"))
        try:
            await viewer.watch("site-1")
            await sees(viewer, 1280)
            for layer, width in (("low", 320), ("middle", 640), ("high", 1280)):
                assert (await wish(running, viewer, {"layer": layer})).status_code == 204
                await sees(viewer, width)
            publisher.pause("h")
            await sees(viewer, 640)
            publisher.pause()
            await sees(viewer, 1280)
            assert runs(viewer.widths) == [1280, 320, 640, 1280, 640, 1280]
            async with httpx.AsyncClient(base_url=running.url) as http:
                metrics = (await http.get("/metrics")).text
            assert 'media_node_layer_viewers{feed="site-1",layer="high"} 1.0' in metrics
            assert 'media_node_layer_packets_total{feed="site-1",layer="low"}' in metrics
        finally:
            await viewer.close()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_the_recording_of_layers_goes_on_in_a_segment_for_each_without_a_hole(
    tmp_path: Path, codec: CodecName
) -> None:
    async with published(tmp_path, codec, records=True) as (running, publisher):
        low, middle, high = running.node.sessions.feeds["site-1"].media.layers.sources

        async def frames(source: Source, count: int) -> None:
            wanted = source.boundaries.frames + count
            await until(lambda: source.boundaries.frames >= wanted, seconds=10)

        await frames(high, 40)
        publisher.pause("h")
        await frames(middle, 60)
        publisher.pause()
        await frames(high, 60)
        assert low.packets
    root = tmp_path / "recordings"
    segments = manifest_of(files(root)[0]).segments
    assert [segment.line.width for segment in segments] == [1280, 640, 1280]
    times: list[float] = []
    for file, segment in zip(files(root), segments, strict=True):
        with av.open(str(file)) as container:
            container.streams.video[0].codec_context.options = {"err_detect": "explode"}
            widths = [frame.width for frame in container.decode(container.streams.video[0])]
        assert runs(widths) == [segment.line.width]
        times += [segment.line.start + time for time in decode(file)["video"]]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 1.2
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


async def test_a_wish_that_cannot_be_met_is_refused(tmp_path: Path) -> None:
    async with published(tmp_path, "VP8") as (running, _):
        viewer = Sizes(running.url, running.token("site-1"))
        try:
            await viewer.watch("site-1")
            for body, status, code in (
                ({"layer": "huge"}, 422, "layer-unknown"),
                ({}, 422, "layer-unknown"),
                (["low"], 422, "layer-unknown"),
                ({"layer": ["low"]}, 422, "layer-unknown"),
                (b"{", 400, "json-invalid"),
                (b"\xff\xfe", 400, "json-invalid"),
            ):
                refused = await wish(running, viewer, body)
                assert (refused.status_code, refused.json()["code"]) == (status, code)
            async with httpx.AsyncClient(base_url=running.url) as http:
                refused = await http.patch(viewer.location, json={"layer": "low"})
                assert refused.status_code == 401
                publish_only = {"Authorization": f"Bearer {running.token('site-1', view=False)}"}
                refused = await http.patch(viewer.location, json={"layer": "low"}, headers=publish_only)
                assert refused.status_code == 403
                allowed = await http.options(viewer.location)
                assert "application/json" in allowed.headers["accept-patch"]
                (whip,) = [s.path for s in running.node.sessions.by_id.values() if s.viewer is None]
                own = {"Authorization": f"Bearer {running.token('site-1')}"}
                assert (await http.patch(whip, json={"layer": "low"}, headers=own)).status_code == 415
        finally:
            await viewer.close()
