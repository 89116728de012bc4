"""Sessions of one page share its line: what fits goes on, the rest waits and comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from streams.sfu.page import Page
from streams.signalling.session import Session
from streams.viewer_protocol import CHANNEL_LABEL, Want
from tests.support.light_layers import LightLayers
from tests.support.light_media import LightViewer
from tests.support.light_signalling import Whip
from tests.support.node import RunningNode, running_node
from tests.support.relay import Relay, relayed
from tests.support.rtc import Refused, Watcher
from tests.support.waiting import until

NARROW_KBPS = 250
"""Half of what six tiles of the prepared clips take."""


class Tile(LightViewer):
    """Watches clips, in whose packets no time stands."""

    def _read_payload(self, datagram: bytes) -> None:
        pass


@asynccontextmanager
async def watched(path: Path, tiles: int) -> AsyncIterator[tuple[RunningNode, Relay, list[Session]]]:
    """A feed of three layers, and one page of so many tiles of it behind a relay; the first is the spotlight."""
    publisher = LightLayers()
    viewers = [Tile(seed=10 + place) for place in range(tiles)]
    async with running_node(path) as running, relayed(running.node.port.number, seed=7) as relay:
        near, far = Whip(running.url, running.token()), Whip(running.url, running.token(), relay.lead)
        try:
            await near.publish("site-1", publisher)
            async with asyncio.timeout(10):
                await publisher.connected.wait()
            publisher.run(publisher.publish())
            feed = running.node.sessions.feeds["site-1"]
            await until(lambda: feed.is_live, seconds=10)
            for viewer in viewers:
                await far.view("site-1", viewer, group="wall")
                viewer.run(viewer.watch())
            await until(lambda: len(feed.media.viewers) == tiles, seconds=20)
            sessions = list(feed.viewers.values())
            for place, session in enumerate(sessions):
                wish = Want(layer="low" if place else "high", spotlight=not place)
                running.node.sessions.want(session, wish)
            yield running, relay, sessions
        finally:
            for peer in (publisher, *viewers):
                await peer.close()
            await near.close()
            await far.close()


def page_of(running: RunningNode) -> Page:
    (page,) = running.node.sessions.pages.all()
    return page


def layers(sessions: list[Session]) -> list[str | None]:
    return [session.viewer.layer for session in sessions if session.viewer is not None]


async def test_a_page_whose_line_is_cut_keeps_what_fits_and_gets_the_rest_back(tmp_path: Path) -> None:
    async with watched(tmp_path, 6) as (running, relay, sessions):
        page = page_of(running)
        await until(lambda: layers(sessions) == ["high", *["low"] * 5], seconds=20)
        spotlight = sessions[0].viewer
        assert spotlight is not None
        way = relay.to_client.line
        way.impairment = replace(way.impairment, rate_kbps=NARROW_KBPS)
        await until(lambda: page.paused > 0, seconds=20)
        await until(lambda: spotlight.layer is not None, seconds=20)
        assert not spotlight.is_paused
        assert page.estimate_bps is not None
        assert page.estimate_bps < 2 * NARROW_KBPS * 1000
        async with httpx.AsyncClient(base_url=running.url) as http:
            metrics = (await http.get("/metrics")).text
        assert 'media_node_pages{line="limited"} 1.0' in metrics
        assert "media_node_page_estimate_bps_gcount 1.0" in metrics
        way.impairment = replace(way.impairment, rate_kbps=None)
        await until(lambda: layers(sessions) == ["high", *["low"] * 5], seconds=40)
        assert running.node.sessions.pages.counters.probes_raised > 0


async def test_nobody_joins_anothers_page(tmp_path: Path) -> None:
    async with watched(tmp_path, 1) as (running, _, _):
        pages = running.node.sessions.pages
        user, login = uuid4(), uuid4()
        owners = [
            {"user_id": user, "session_id": login},
            {"user_id": user, "session_id": login},
            {"user_id": user, "session_id": uuid4()},
            {},
            {},
        ]
        watchers: list[Watcher] = []
        try:
            for owner in owners:
                token = running.token("site-1", **owner)
                watcher = Watcher(f"{running.url}", token)
                watchers.append(watcher)
                await watcher.watch("site-1", query="?group=wall")
            await until(lambda: len(running.node.sessions.feeds["site-1"].media.viewers) == 6, seconds=20)
            assert len(pages) == 5, "only the two of one login share a page"
        finally:
            for watcher in watchers:
                await watcher.close()


async def test_a_group_that_is_none_is_refused(tmp_path: Path) -> None:
    async with watched(tmp_path, 0) as (running, _, _):
        for group in ("", "a b", "x" * 65, "%00", "ä"):
            watcher = Watcher(running.url, running.token("site-1"))
            try:
                with pytest.raises(Refused) as refused:
                    await watcher.watch("site-1", query=f"?group={group}")
                assert (refused.value.response.status_code, refused.value.code) == (400, "group-invalid")
            finally:
                await watcher.close()


async def test_wishes_come_by_the_channel_and_by_patch_and_what_is_given_is_told(tmp_path: Path) -> None:
    async with watched(tmp_path, 0) as (running, _, _):
        token = running.token("site-1")
        watcher = Watcher(running.url, token)
        told: list[dict[str, object]] = []
        channel = watcher.connection.createDataChannel(CHANNEL_LABEL)
        channel.on("message", lambda text: told.append(json.loads(text)))
        try:
            await watcher.watch("site-1")
            await until(lambda: told and told[-1]["layer"] == "high", seconds=20)
            assert told[-1] == {
                "type": "picture",
                "layer": "high",
                "wanted": "high",
                "paused": None,
                "held": None,
                "estimate_kbps": None,
            }
            channel.send(Want(layer="low", spotlight=True).model_dump_json())
            await until(lambda: (told[-1]["layer"], told[-1]["wanted"]) == ("low", "low"), seconds=20)
            (session,) = running.node.sessions.feeds["site-1"].viewers.values()
            assert session.viewer is not None
            assert session.viewer.is_spotlight
            for body in ("{", '{"type":"want"}', '{"type":"want","layer":"huge"}', "x" * 5000, b"\xff"):
                channel.send(body)
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
                for wish, status in (
                    ({"layer": "middle", "spotlight": False}, 204),
                    ({"layer": "middle", "spotlight": "yes"}, 422),
                ):
                    assert (await http.patch(watcher.location, json=wish)).status_code == status
            await until(lambda: told[-1]["layer"] == "middle", seconds=20)
            assert not session.viewer.is_spotlight
        finally:
            await watcher.close()
