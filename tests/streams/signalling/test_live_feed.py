"""What the hub is told of one feed, whatever the clocks do meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from streams.hub.topics import FeedCause
from streams.protocol import CameraState, CameraStatus
from streams.recording.identifiers import new_id
from streams.recording.sink import Paused, RecordingSink
from streams.sfu.feed import Feed
from streams.sfu.forwarder import Forwarder
from streams.sfu.track import Track
from streams.signalling.live_feed import LiveFeed
from streams.signalling.session import Session


def _not_recorded(feed: str, tracks: Sequence[Track], want_key_frame: Callable[[], None]) -> RecordingSink | None:
    return None


@pytest.fixture
def media() -> Iterator[Feed]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        yield Feed("site-1", Forwarder(out))


def test_when_a_phase_began_is_told_the_same_however_the_clocks_drift(
    media: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: wall[0])
    feed = LiveFeed("site-1", "node-1", media, _not_recorded)
    feed.life.published(0.0)
    feed.life.ended(FeedCause.NETWORK)
    assert feed.look(1.0)
    assert feed.state(1.0).since == 1_800_000_000_000
    wall[0] += 4.75  # while the other clock counts five seconds
    assert not feed.look(6.0)
    assert feed.state(6.0).since == 1_800_000_000_000


def test_a_feed_is_told_as_recorded_while_its_recording_is_written_and_at_each_change(media: Feed) -> None:
    sink = RecordingSink("site-1", request_key_frame=None)
    feed = LiveFeed("site-1", "node-1", media, lambda feed, tracks, want: sink)
    publisher = cast("Session", SimpleNamespace(tracks=(), link=SimpleNamespace(address_version=0)))
    feed.announce(publisher, 0.0)
    feed.take_over(publisher, 0.0)
    assert not feed.look(1.0)
    assert not feed.state(1.0).recording, "there is a sink, but nothing was written yet"
    sink.written_at = 2.0
    assert feed.look(2.0)
    assert feed.state(2.0).recording
    sink.written_at = None
    assert feed.look(3.0)
    assert not feed.state(3.0).recording
    sink.refusal = "disk_full"
    assert feed.look(3.05)
    assert feed.state(3.05).recording_trouble == "disk_full"
    sink.refusal = None
    assert feed.look(3.06)
    assert feed.state(3.06).recording_trouble is None
    sink.written_at = 4.0
    assert feed.look(4.0)
    feed.publisher_gone(publisher, FeedCause.OFFICER, 4.1)
    assert feed.look(4.1)
    assert not feed.state(4.1).recording


def test_a_recording_learns_why_its_feed_pauses_and_what_ended_it(media: Feed) -> None:
    sink = RecordingSink("site-1", request_key_frame=None)
    feed = LiveFeed("site-1", "node-1", media, lambda feed, tracks, want: sink)
    publisher = cast("Session", SimpleNamespace(tracks=(), link=SimpleNamespace(address_version=0)))
    feed.announce(publisher, 0.0)
    feed.take_over(publisher, 0.0)
    assert feed.camera(CameraStatus(id=new_id(), at=1, state=CameraState.STOPPED_BY_SYSTEM))
    assert feed.look(1.0)
    assert sink.take() == Paused("camera")
    feed.publisher_gone(publisher, FeedCause.NETWORK, 2.0)
    assert sink.closing == "camera", "a camera that was stopped before explains more than the connection"
