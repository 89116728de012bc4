"""What the hub is told of recordings."""

from __future__ import annotations

from streams.hub.topics import RecordingClosed, RecordingOpened, SegmentClosed
from streams.recording.manifest import Closed, Opened

RecordingEvent = RecordingOpened | SegmentClosed | RecordingClosed


def opened_event(opened: Opened) -> RecordingOpened:
    """What the hub is told of a recording that has begun."""
    return RecordingOpened(
        recording=opened.recording,
        feed=opened.feed,
        node=opened.node,
        path=opened.path,
        container=opened.container,
        video=opened.video,
        audio=opened.audio,
        started_at=opened.started_at,
        talk=opened.talk,
    )


def closed_event(opened: Opened, closed: Closed) -> RecordingClosed:
    """What the hub is told of a recording that is complete."""
    return RecordingClosed(
        recording=opened.recording,
        feed=opened.feed,
        ended_at=closed.ended_at,
        seconds=closed.seconds,
        bytes=closed.bytes,
        sha256=closed.sha256,
        reason=closed.reason,
    )
