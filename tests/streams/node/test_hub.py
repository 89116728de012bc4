"""What a node tells the hub, what it takes from devices, and what it obeys."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from streams.hub.hub import Hub
from streams.hub.topics import (
    CAMERAS_STREAM,
    FEEDS_KEY,
    LIVE_EVENT,
    NODE_KEY,
    POSITIONS_STREAM,
    REVOCATIONS_STREAM,
    CameraChanged,
    FeedCause,
    FeedPhase,
    FeedState,
    NodeState,
    PositionTaken,
    Revoked,
)
from streams.protocol import CameraState, CameraStatus, Position
from streams.transport.link import take_none
from tests.support.node import running_node
from tests.support.rtc import Publisher, Watcher
from tests.support.valkey import Valkey
from tests.support.waiting import until


@asynccontextmanager
async def listening(hub: Hub) -> AsyncIterator[list[Any]]:
    """Every live event from now on."""
    events: list[Any] = []
    heard = asyncio.Event()

    async def listen() -> None:
        async for event in hub.listen():
            if event is None:
                heard.set()
            else:
                events.append(LIVE_EVENT.validate_json(event))

    task = asyncio.create_task(listen())
    async with asyncio.timeout(5):
        await heard.wait()
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def position() -> Position:
    return Position(id=uuid4(), taken_at=int(time.time() * 1000) - 40, latitude=40.84, longitude=111.73, accuracy_m=4.5)


async def positions(hub: Hub) -> list[PositionTaken]:
    entries = await hub.read_after(POSITIONS_STREAM, "0", wait_seconds=0.05)
    return [PositionTaken.model_validate_json(event) for _, event in entries]


async def test_the_life_of_a_feed_is_told_at_each_change(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    async with listening(hub) as events, running_node(tmp_path, valkey.url) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.life.phase is FeedPhase.LIVE, 10)
        publisher.channel.send(CameraStatus(id=uuid4(), at=1, state=CameraState.STOPPED_BY_SYSTEM).model_dump_json())
        await until(lambda: feed.life.cause is FeedCause.CAMERA)
        await publisher.close()
        await until(lambda: any(isinstance(e, FeedState) and e.phase is FeedPhase.ENDED for e in events))
        told = [(e.phase, e.cause) for e in events if isinstance(e, FeedState)]
        assert told[0] in ((FeedPhase.CONNECTING, None), (FeedPhase.LIVE, None))
        assert told[-1] == (FeedPhase.ENDED, FeedCause.CAMERA)
        assert [e.state for e in events if isinstance(e, CameraChanged)] == [CameraState.STOPPED_BY_SYSTEM]
        kept = FeedState.model_validate_json((await hub.fields(FEEDS_KEY.format(node="test")))["site-1"])
        assert (kept.phase, kept.video) == (FeedPhase.ENDED, None)
        assert abs(kept.since - time.time() * 1000) < 10_000
        assert kept.last_frame_at is not None
        node = NodeState.model_validate_json((await hub.values(NODE_KEY.format(node="*"))).popitem()[1])
        assert node.signalling_url == running.url
    assert await hub.fields(FEEDS_KEY.format(node="test")) == {}
    assert await hub.values(NODE_KEY.format(node="*")) == {}


async def test_a_position_is_told_kept_and_then_acknowledged(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    async with listening(hub) as events, running_node(tmp_path, valkey.url) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        await until(lambda: publisher.channel.readyState == "open", 10)
        sent = position()
        publisher.channel.send(sent.model_dump_json())
        wrong, large = uuid4(), uuid4()
        publisher.channel.send(json.dumps({"type": "position", "id": str(wrong), "latitude": 999}))
        publisher.channel.send("x")
        publisher.channel.send(json.dumps({"id": str(large), "reason": "x" * 20_000}))
        await until(lambda: len(publisher.answers) == 4)
        answers = [json.loads(answer) for answer in publisher.answers]
        assert {"type": "ack", "id": str(sent.id)} in answers
        refusals = {(answer["code"], answer["id"]) for answer in answers if answer["type"] == "refusal"}
        assert refusals == {
            ("message-invalid", str(wrong)),
            ("message-invalid", None),
            ("message-too-large", str(large)),
        }
        (kept,) = await positions(hub)
        assert (kept.feed, kept.position, kept.road) == ("site-1", sent, "channel")
        assert 0 < kept.clock_offset_ms < 5000
        await until(lambda: any(isinstance(e, PositionTaken) for e in events))
        await publisher.close()


async def test_the_cameras_word_is_acknowledged_once_it_is_kept(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    async with running_node(tmp_path, valkey.url) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        await until(lambda: publisher.channel.readyState == "open", 10)
        words = [
            CameraStatus(id=uuid4(), at=2, state=CameraState.STOPPED_BY_SYSTEM),
            CameraStatus(id=uuid4(), at=3, state=CameraState.LIVE),
            CameraStatus(id=uuid4(), at=1, state=CameraState.STOPPED_BY_OFFICER),
        ]
        publisher.channel.send(words[0].model_dump_json())
        await until(lambda: len(publisher.answers) == 1)
        valkey.kill()
        publisher.channel.send(words[1].model_dump_json())
        await until(lambda: len(publisher.answers) == 2, 10)
        assert running.node.spool.file_bytes > 0
        publisher.channel.send(words[2].model_dump_json())  # an older word, which a newer one has replaced
        await until(lambda: len(publisher.answers) == 3, 10)
        assert [json.loads(answer) for answer in publisher.answers] == [
            {"type": "ack", "id": str(word.id)} for word in words
        ]
        valkey.start()
        await until(lambda: running.node.spool.file_bytes == 0, 10)
        entries = await hub.read_after(CAMERAS_STREAM, "0", wait_seconds=0.05)
        kept = [CameraChanged.model_validate_json(event) for _, event in entries]
        assert list(dict.fromkeys((one.feed, one.state) for one in kept)) == [
            ("site-1", CameraState.STOPPED_BY_SYSTEM),
            ("site-1", CameraState.LIVE),
        ]
        await publisher.close()


async def test_no_position_is_lost_while_the_hub_is_away(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    async with running_node(tmp_path, valkey.url) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        await until(lambda: publisher.channel.readyState == "open", 10)
        valkey.kill()
        sent = [position() for _ in range(20)]
        for one in sent:
            publisher.channel.send(one.model_dump_json())
        await until(lambda: len(publisher.answers) == 20, 10)
        assert running.node.sessions.feeds["site-1"].publisher is not None
        valkey.start()
        await until(lambda: running.node.spool.file_bytes == 0, 10)
        arrived = [taken.position.id for taken in await positions(hub)]
        assert list(dict.fromkeys(arrived)) == [one.id for one in sent]
        await until(lambda: running.node.presence.is_hub_near, 10)
        assert "site-1" in await hub.fields(FEEDS_KEY.format(node="test"))
        await publisher.close()


async def test_a_revoked_phone_and_its_viewers_session_end_at_once(valkey: Valkey, hub: Hub, tmp_path: Path) -> None:
    async with running_node(tmp_path, valkey.url) as running:
        officer, judge = uuid4(), uuid4()
        publisher = Publisher(running.url, running.token("site-1", user_id=officer))
        await publisher.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        watcher = Watcher(running.url, running.token("site-1", session_id=judge))
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 0, 10)
        started = time.monotonic()
        at = int(time.time() * 1000) + 1
        await hub.append(REVOCATIONS_STREAM, Revoked(user_id=officer, at=at))
        await until(lambda: feed.publisher is None, 2)
        await hub.append(REVOCATIONS_STREAM, Revoked(session_id=judge, at=at))
        await until(lambda: not feed.viewers, 2)
        assert time.monotonic() - started < 2
        assert (feed.life.phase, feed.life.cause) == (FeedPhase.ENDED, FeedCause.REVOKED)
        await until(lambda: publisher.connection.connectionState in ("closed", "failed"))
        await watcher.close()
        await publisher.close()


async def test_a_peer_that_vanishes_is_noticed_and_freed(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        sessions = running.node.sessions
        feed = sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        assert feed.publisher is not None
        silence = time.monotonic() - 3
        feed.media.sources["video"].last_frame_at = silence
        feed.publisher.link.on_rtp = lambda buffer, length, now: None
        feed.publisher.link.on_run = take_none
        await until(lambda: feed.life.phase is FeedPhase.STALE, 2)
        assert feed.life.cause is FeedCause.NETWORK
        sessions.sweep(time.monotonic() + 16)
        assert feed.life.phase is FeedPhase.ENDED
        assert sessions.ended == {"consent-lost": 1}
        await until(lambda: not running.node.port.has_links)
        await publisher.close()


async def test_a_node_that_records_nothing_follows_no_anchors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running_node(tmp_path):
        assert "anchors" not in caplog.text
