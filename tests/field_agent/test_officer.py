"""A headless officer against real WebRTC: its picture is decoded, its positions arrive, and it comes back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from field_agent.agent.officer import Officer
from field_agent.agent.player import Score
from streams.protocol import CameraState, ReceiptState
from tests.field_agent.conftest import agent_settings
from tests.support.node import running_node
from tests.support.rtc import Refused, Watcher
from tests.support.small_centre import SmallCentre, small_centre
from tests.support.waiting import until


@asynccontextmanager
async def on_duty(centre: SmallCentre, score: Score, **changes: Any) -> AsyncIterator[Officer]:
    """One officer that runs until the end of the block."""
    async with httpx.AsyncClient(trust_env=False) as client:
        officer = Officer(agent_settings(**changes), centre.url, score, client)
        task = asyncio.create_task(officer.run())
        try:
            yield officer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def centre() -> AsyncIterator[SmallCentre]:
    async with small_centre() as running:
        yield running


@pytest.mark.parametrize(("name", "codec"), [("h264", "H264"), ("vp8", "VP8")])
async def test_sound_and_picture_are_decoded_by_a_real_peer(
    name: str, codec: str, centre: SmallCentre, request: pytest.FixtureRequest
) -> None:
    score = Score.of(request.getfixturevalue(name))
    async with on_duty(centre, score, codec=codec):
        await until(lambda: centre.frames["video"] >= 30 and centre.frames["audio"] >= 100, 15)
        assert centre.size == (960, 540)
        await until(lambda: "channel" in centre.roads, 5)
        assert [status.state for status in centre.camera] == [CameraState.LIVE]
        assert centre.feeds[0]["device"] == "demo-2"
        assert centre.feeds[0]["site_id"] == centre.operations[0]["sites"][1]["id"]
    assert len(centre.ended) == 1


async def test_a_lost_session_is_opened_again_and_no_position_is_missing(centre: SmallCentre, h264: Any) -> None:
    async with on_duty(centre, Score.of(h264)):
        await until(lambda: "channel" in centre.roads, 10)
        await centre.lose_sessions()
        frames = centre.frames["video"]
        await until(lambda: centre.frames["video"] > frames + 15, 8)
        assert len(centre.offers) == 2
        count = len(centre.positions)
        await until(lambda: len(centre.positions) > count + 1, 6)
    taken = [position.taken_at for position in centre.positions]
    assert sorted(taken) == taken
    # One a second; a busy machine takes one late, and the next sooner, but leaves none out.
    assert all(other - one < 1_900 for one, other in itertools.pairwise(taken))
    assert abs((taken[-1] - taken[0]) / (len(taken) - 1) - 1_000) < 200


async def test_positions_take_the_socket_while_the_node_takes_no_session(centre: SmallCentre, h264: Any) -> None:
    centre.takes_sessions = False
    async with on_duty(centre, Score.of(h264)):
        await until(lambda: len(centre.positions) >= 2, 10)
        assert set(centre.roads) == {"socket"}
        centre.takes_sessions = True
        await until(lambda: "channel" in centre.roads, 10)


async def test_an_instruction_is_answered_step_by_step_though_the_socket_breaks(centre: SmallCentre, h264: Any) -> None:
    async with on_duty(centre, Score.of(h264)):
        await until(lambda: centre.sockets, 10)
        centre.acknowledges = False
        delivery = await centre.instruct("张贴封条")
        await centre.lose_sockets()
        centre.acknowledges = True
        await until(lambda: len(centre.receipts) >= 3, 15)
    receipts = [receipt for receipt in centre.receipts if receipt.delivery_id == delivery.delivery_id]
    assert [receipt.state for receipt in receipts][:3] == [
        ReceiptState.DELIVERED,
        ReceiptState.SEEN,
        ReceiptState.ACCEPTED,
    ]
    assert len({receipt.id for receipt in receipts}) == len(receipts)


async def test_a_wrong_password_is_tried_again_with_patience(centre: SmallCentre, h264: Any) -> None:
    async with on_duty(centre, Score.of(h264), password="wrong") as officer:
        await until(lambda: len(officer._outbox) >= 2, 5)
        assert centre.offers == []


@pytest.mark.parametrize(("name", "codec"), [("h264", "H264"), ("vp8", "VP8")])
async def test_the_media_node_passes_it_on_and_it_finds_a_restarted_node(
    name: str, codec: str, centre: SmallCentre, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    score = Score.of(request.getfixturevalue(name))
    feed = "demo.demo-2"

    async def watched(url: str, token: str) -> None:
        async def opened() -> Watcher | None:
            watcher = Watcher(url, token, audio=True)
            try:
                await watcher.watch(feed)
            except (Refused, httpx.HTTPError):
                await watcher.close()
                return None
            return watcher

        watcher = await until(opened, 15)
        try:
            await until(lambda: watcher.frames >= 15, 10)
        finally:
            await watcher.close()

    async with on_duty(centre, score, codec=codec):
        async with running_node(tmp_path / "first") as node:
            centre.node = (node.url, node.token())
            await watched(node.url, node.token())
        async with running_node(tmp_path / "second") as node:
            centre.node = (node.url, node.token())
            await watched(node.url, node.token())
