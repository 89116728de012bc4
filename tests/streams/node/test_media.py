"""From a real publisher through a real node to a real viewer."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from streams.hub.topics import FeedCause, FeedPhase
from tests.support.node import running_node
from tests.support.rtc import Publisher, Refused, Watcher
from tests.support.waiting import until


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_published_picture_is_decoded_by_a_viewer(tmp_path: Path, codec: str) -> None:
    async with running_node(tmp_path) as running:
        publisher = Publisher(running.url, running.token("site-1"), codec=codec, audio=True)
        watcher = Watcher(running.url, running.token("site-1"), audio=True)
        await publisher.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.life.phase is FeedPhase.LIVE, 10)
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 10 and watcher.sounds > 10, 15)
        assert feed.state(0.0).video == codec
        assert feed.state(0.0).audio
        await watcher.close()
        await until(lambda: not feed.viewers)
        await publisher.close()
        await until(lambda: feed.life.phase is FeedPhase.ENDED)
        assert feed.life.cause is FeedCause.OFFICER


async def test_a_publisher_that_posts_again_is_followed_without_the_viewer_noticing(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        first = Publisher(running.url, running.token())
        await first.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        watcher = Watcher(running.url, running.token())
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 5, 10)
        former = feed.publisher
        second = Publisher(running.url, running.token())
        await second.publish("site-1")
        await until(lambda: feed.publisher is not former, 10)
        assert former is not None
        assert former.ended_because == "replaced"
        seen = watcher.frames
        await until(lambda: watcher.frames > seen + 10, 10)
        assert len(feed.viewers) == 1
        for peer in (watcher, second, first):
            await peer.close()


async def test_viewers_that_cannot_play_the_new_codec_are_ended(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        first = Publisher(running.url, running.token(), codec="VP8")
        await first.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        watcher = Watcher(running.url, running.token())
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 2, 10)
        second = Publisher(running.url, running.token(), codec="H264")
        await second.publish("site-1")
        await until(lambda: not feed.viewers, 10)
        assert running.node.sessions.ended["codec-changed"] == 1
        for peer in (watcher, second, first):
            await peer.close()


async def test_who_cannot_decode_the_feeds_codec_is_told_so(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        publisher = Publisher(running.url, running.token(), codec="VP8")
        await publisher.publish("site-1")
        await until(lambda: running.node.sessions.feeds["site-1"].is_live, 10)
        watcher = Watcher(running.url, running.token(), codec="H264")
        with pytest.raises(Refused) as refusal:
            await watcher.watch("site-1")
        assert (refusal.value.response.status_code, refusal.value.code) == (409, "codec-mismatch")
        await watcher.close()
        await publisher.close()


async def test_a_deleted_session_frees_everything(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        sessions = running.node.sessions
        feed = sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        assert await publisher.delete() == 200
        assert not sessions.by_id
        assert feed.life.phase is FeedPhase.ENDED
        await until(lambda: not running.node.port.has_links)
        assert await publisher.delete() == 404
        await publisher.close()


GARBAGE_SECONDS = 10


async def test_garbage_on_the_port_leaves_a_running_feed_undisturbed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_node(tmp_path) as running:
        publisher = Publisher(running.url, running.token())
        await publisher.publish("site-1")
        feed = running.node.sessions.feeds["site-1"]
        await until(lambda: feed.is_live, 10)
        watcher = Watcher(running.url, running.token())
        await watcher.watch("site-1")
        await until(lambda: watcher.frames > 2, 10)
        source, port, sent = random.Random(5), running.node.port, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
            attacker.setblocking(False)
            for _ in range(GARBAGE_SECONDS):
                second_is_over, seen = asyncio.get_running_loop().time() + 1, watcher.frames
                while asyncio.get_running_loop().time() < second_is_over:
                    for _ in range(20):
                        data = bytes([source.randrange(256)]) + source.randbytes(source.randrange(1400))
                        with suppress(BlockingIOError):
                            sent += attacker.sendto(data, ("127.0.0.1", port.number)) > 0
                    await asyncio.sleep(0.005)
                assert watcher.frames > seen, "the picture stood still for a second"
        assert sent > 500 * GARBAGE_SECONDS
        assert port.refused.total() > sent / 2
        assert port.refused["unhandled"] == 0
        assert len(running.node.sessions.by_id) == 2
        assert "Traceback" not in caplog.text
        await watcher.close()
        await publisher.close()
