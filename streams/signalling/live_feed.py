"""A feed as its node keeps it: the forwarding feed, its publisher and viewers, its phase, its recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from streams.hub.topics import FeedCause, FeedState
from streams.protocol import CameraStatus
from streams.recording.manifest import CloseReason, GapKind
from streams.recording.sink import Trouble
from streams.sfu.feed import Feed
from streams.sfu.track import PacketSink, Track
from streams.signalling.phase import FeedLife
from streams.signalling.session import Session


class Recording(PacketSink, Protocol):
    """Who keeps what is published, until it is closed."""

    def is_writing(self, now: float) -> bool:
        """Whether what comes is being kept; `now` is monotonic seconds."""

    def trouble(self, now: float) -> Trouble | None:
        """What keeps what comes from being kept; `now` is monotonic seconds."""

    def pause(self, cause: GapKind | None) -> None:
        """Take why nothing comes, or (None) that it comes again."""

    def close(self, reason: CloseReason) -> None:
        """No more will come."""


_CLOSE_REASONS: dict[FeedCause, CloseReason] = {
    FeedCause.NETWORK: "network",
    FeedCause.CAMERA: "camera",
    FeedCause.OFFICER: "ended",
    FeedCause.REVOKED: "revoked",
    FeedCause.NODE: "node",
}
_GAP_KINDS: dict[FeedCause, GapKind] = {
    FeedCause.NETWORK: "network",
    FeedCause.CAMERA: "camera",
    FeedCause.OFFICER: "officer",
    FeedCause.REVOKED: "officer",
    FeedCause.NODE: "node",
}

OpenRecording = Callable[[str, Sequence[Track], Callable[[], None]], Recording | None]
"""Begins the recording of a feed with these tracks, given how to ask for a key frame; None where none is made."""


class LiveFeed:
    """One feed name with its present publisher, its viewers and its recording.

    `publisher` is the session whose media is forwarded; `next_publisher` has been answered but isn't connected yet.
    """

    def __init__(self, name: str, node: str, media: Feed, open_recording: OpenRecording) -> None:
        self.name = name
        self.media = media
        self.life = FeedLife()
        self.publisher: Session | None = None
        self.next_publisher: Session | None = None
        self.viewers: dict[str, Session] = {}
        self.ended_at: float | None = None
        self.repeated_before = self.nacked_before = self.refused_before = 0
        """Of viewers that are gone."""
        self._node = node
        self._open_recording = open_recording
        self._recording: Recording | None = None
        self.is_recording = False
        """Whether the feed's media reached the disk when it was last looked at."""
        self.trouble: Trouble | None = None
        """Why it didn't, where the recorder knows."""
        self._camera_at = 0
        self._since_ms = _wall_ms()
        self.published_at_ms = 0
        """When the present publisher connected (Unix ms); 0 before."""

    @property
    def is_live(self) -> bool:
        """Whether a viewer would get a picture, or soon again."""
        return self.publisher is not None and self.media.last_frame_at is not None

    @property
    def is_idle(self) -> bool:
        """Whether nobody publishes or is about to."""
        return self.publisher is None and self.next_publisher is None

    @property
    def repeated(self) -> int:
        """Packets that were sent to viewers again."""
        return self.repeated_before + sum(one.viewer.repeated for one in self.viewers.values() if one.viewer)

    @property
    def nacked(self) -> int:
        """Packets that viewers asked for again."""
        return self.nacked_before + sum(one.viewer.nacked for one in self.viewers.values() if one.viewer)

    @property
    def refused(self) -> int:
        """Packets that viewers asked for in vain."""
        return self.refused_before + sum(one.viewer.refused for one in self.viewers.values() if one.viewer)

    def announce(self, session: Session, now: float) -> Session | None:
        """A publisher was answered; gives the one that it makes superfluous, if that never connected."""
        before, self.next_publisher = self.next_publisher, session
        if self.publisher is None:
            self.life.published(now)
            self.ended_at = None
        return before

    def take_over(self, session: Session, now: float) -> tuple[Session | None, list[Session]]:
        """The announced publisher is connected: forward its media from now on.

        Gives the former publisher, and the viewers that can't play the new codec.
        """
        former, self.publisher, self.next_publisher = self.publisher, session, None
        self.published_at_ms = _wall_ms()
        self._close_recording("codec" if _codecs(self.media.tracks) != _codecs(session.tracks) else "network")
        misfits = self.media.publish(session.tracks, session.link, now)
        self.life.published(now)
        self.ended_at = None
        self._camera_at = 0  # another device has another clock
        self._recording = self._open_recording(self.name, session.tracks, self.media.want_key_frame)
        self.media.sink = self._recording
        return former, [viewer for viewer in self.viewers.values() if viewer.viewer in misfits]

    def publisher_gone(self, session: Session, cause: FeedCause, now: float) -> None:
        """A publisher's session is over; the feed ends with it if it was the present one."""
        if session is self.next_publisher:
            self.next_publisher = None
        elif session is self.publisher:
            self.publisher = None
            self.media.unpublish(now)
            self._close_recording(_CLOSE_REASONS[self.life.cause_of(cause)])
        if self.is_idle and self.ended_at is None:
            self.life.ended(cause)
            self.ended_at = now

    def camera(self, status: CameraStatus) -> bool:
        """Take what the device says of its camera; false when it is older than what is known."""
        if status.at < self._camera_at:
            return False
        self._camera_at = status.at
        self.life.camera = status.state
        return True

    def close(self, reason: CloseReason) -> None:
        """The node ends: complete the recording."""
        self._close_recording(reason)

    def look(self, now: float) -> bool:
        """Draw the conclusion for this moment; true when the phase, its cause or the recording changed."""
        before = (self.is_recording, self.trouble)
        self.is_recording = self._is_written(now)
        self.trouble = None if self._recording is None else self._recording.trouble(now)
        if not self.life.look(now, self.media.last_frame_at):
            return (self.is_recording, self.trouble) != before
        if self._recording is not None:
            self._recording.pause(None if self.life.cause is None else _GAP_KINDS[self.life.cause])
        # Read once: the two clocks drift apart, and the hub's listeners take only what isn't older than they know.
        self._since_ms = _wall_ms()
        return True

    def state(self, now: float) -> FeedState:
        """What the hub is told."""
        wall_ms, last = _wall_ms(), self.media.last_frame_at
        tracks = (self.publisher or self.next_publisher).tracks if not self.is_idle else ()  # type: ignore[union-attr]
        return FeedState(
            feed=self.name,
            node=self._node,
            phase=self.life.phase,
            cause=self.life.cause,
            since=self._since_ms,
            published_at=self.published_at_ms,
            last_frame_at=None if last is None else int(wall_ms - (now - last) * 1000),
            video=next((track.codec.name for track in tracks if track.kind == "video"), None),
            audio=any(track.kind == "audio" for track in tracks),
            recording=self.is_recording,
            recording_trouble=self.trouble,
            viewers=len(self.viewers),
        )

    def _is_written(self, now: float) -> bool:
        return self._recording is not None and self._recording.is_writing(now)

    def _close_recording(self, reason: CloseReason) -> None:
        recording, self._recording = self._recording, None
        self.media.sink = None
        if recording is not None:
            recording.close(reason)


def _wall_ms() -> int:
    return int(time.time() * 1000)


def _codecs(tracks: Sequence[Track]) -> set[str]:
    return {track.codec.name for track in tracks}
