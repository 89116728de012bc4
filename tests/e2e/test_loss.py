"""A screen on a bad line: what is lost on the way is sent again, and the pictures go on."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser

from tests.support.centre import Centre, open_centre
from tests.support.relay import relayed
from tests.support.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="package")]

FRAMES_PER_SECOND = 15
"""Of the demonstration's films."""
SECONDS = 20
KEEP_CONNECTIONS = """(() => {
    window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) { super(...options); window.connections.push(this); }
    };
})()"""
READ_FRAMES = """async () => {
    const found = {};
    for (const [index, connection] of window.connections.entries()) {
        if (connection.connectionState !== 'connected') continue;
        for (const row of (await connection.getStats()).values()) {
            if (row.type === 'inbound-rtp' && row.kind === 'video') {
                found[index] = [row.framesDecoded, row.packetsLost, row.nackCount, row.timestamp];
            }
        }
    }
    return found;
}"""


async def _frames(centre: Centre) -> dict[str, list[float]]:
    found: dict[str, list[float]] = await centre.page.evaluate(READ_FRAMES)
    return found


async def test_a_viewer_that_loses_one_packet_in_twenty_decodes_nearly_every_frame(
    stack: Stack, browser: Browser
) -> None:
    async with relayed(stack.media_port) as relay:
        centre = await open_centre(browser, stack, script=KEEP_CONNECTIONS + ";" + relay.script)
        await centre.playing(5)
        relay.loss = 0.05
        before = await _frames(centre)
        await asyncio.sleep(SECONDS)  # the measured span itself
        after = await _frames(centre)
        assert len(after) == 5
        assert relay.dropped > 100
        for index, (frames, _, nacks, at) in after.items():
            seconds = (at - before[index][3]) / 1000
            share = (frames - before[index][0]) / (FRAMES_PER_SECOND * seconds)
            print(f"viewer {index}: {share:.1%} of the frames decoded, {nacks:.0f} negative acknowledgements")
            assert share >= 0.95
            assert nacks > 0
