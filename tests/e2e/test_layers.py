"""A real browser's simulcast: three layers reach the node, and another page decodes the one that it asks for."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import emptied, holds
from tests.support.node import RunningNode, running_node
from tests.support.waiting import until

PATIENCE_SECONDS = 20.0
"""Chromium takes its line for narrow at times, and holds the high layer back for some seconds."""
PUBLISH = """async (codec) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1280, 720];
    const pen = canvas.getContext('2d');
    let step = 0;
    setInterval(() => {
        pen.fillStyle = '#345';
        pen.fillRect(0, 0, 1280, 720);
        pen.fillStyle = '#fc3';
        pen.fillRect((step++ * 7) % 1200, 200, 90, 300);
    }, 100);
    window.peer = new RTCPeerConnection();
    const transceiver = peer.addTransceiver(canvas.captureStream(10).getVideoTracks()[0], {
        direction: 'sendonly',
        sendEncodings: [
            {rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150000},
            {rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500000},
            {rid: 'h', maxBitrate: 1500000},
        ],
    });
    const known = RTCRtpSender.getCapabilities('video').codecs;
    transceiver.setCodecPreferences(known.filter(({mimeType}) => [`video/${codec}`, 'video/rtx'].includes(mimeType)));
    await peer.setLocalDescription();
    return peer.localDescription.sdp;
}"""
WATCH = """async () => {
    window.peer = new RTCPeerConnection();
    window.video = document.createElement('video');
    [video.muted, video.autoplay] = [true, true];
    document.body.append(video);
    peer.ontrack = ({track}) => { video.srcObject = new MediaStream([track]); };
    peer.addTransceiver('video', {direction: 'recvonly'});
    await peer.setLocalDescription();
    return peer.localDescription.sdp;
}"""
ACCEPT = "(sdp) => peer.setRemoteDescription({type: 'answer', sdp})"
SHOWS = """async (width) => {
    const inbound = [...(await peer.getStats()).values()].find(({type}) => type === 'inbound-rtp');
    return inbound?.frameWidth === width && video.videoWidth === width;
}"""
SENDS_ALL = """async () => {
    const layers = [...(await peer.getStats()).values()].filter(({type}) => type === 'outbound-rtp');
    return layers.length === 3
        && layers.every((one) => one.framesPerSecond > 0 && one.qualityLimitationReason === 'none');
}"""
STATS = """async () => [...(await peer.getStats()).values()].find(({type}) => type === 'inbound-rtp')"""


async def exchange(running: RunningNode, page: Page, path: str, make: str, argument: str = "") -> str:
    """Offer what the page makes; the session's path."""
    offer = await page.evaluate(make, argument)
    headers = {"Authorization": f"Bearer {running.token('site-1')}", "Content-Type": "application/sdp"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
        answer = await http.post(path, content=offer)
    assert answer.status_code == 201, answer.text
    await page.evaluate(ACCEPT, answer.text)
    return str(answer.headers["location"])


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.asyncio(loop_scope="package")
async def test_a_browser_sends_three_layers_and_another_decodes_the_one_it_asks_for(
    tmp_path: Path, browser: Browser, codec: str
) -> None:
    async with running_node(tmp_path) as running, emptied(browser):
        publisher, viewer = await browser.new_page(), await browser.new_page()
        await exchange(running, publisher, "/whip/site-1", PUBLISH, codec)
        feed = running.node.sessions.feeds["site-1"]
        layers = feed.media.layers
        await until(lambda: len(layers.sources) == 3 and all(source.packets for source in layers.sources), seconds=20)
        await until(lambda: feed.is_live, seconds=10)
        path = await exchange(running, viewer, "/whep/site-1", WATCH)
        await holds(viewer, SHOWS, 1280, seconds=15)
        headers = {"Authorization": f"Bearer {running.token('site-1')}"}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
            for layer, width in (("low", 320), ("high", 1280), ("middle", 640), ("low", 320), ("high", 1280)):
                await holds(publisher, SENDS_ALL, seconds=PATIENCE_SECONDS)
                assert (await http.patch(path, json={"layer": layer})).status_code == 204
                await holds(viewer, SHOWS, width, seconds=5)
        stats = await viewer.evaluate(STATS)
        assert stats["packetsLost"] == 0
        assert stats["pliCount"] == 0, "the decoder never lacked anything"
        assert stats["keyFramesDecoded"] >= 6
