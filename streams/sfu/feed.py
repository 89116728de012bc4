"""A feed: one publisher after the other under one name, and those who watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from streams.sfu.forwarder import Forwarder
from streams.sfu.track import Outlet, PacketSink, Track
from streams.sfu.viewer import Viewer


class Feed:
    """One named feed. `now` is always a monotonic clock in seconds, the same for all calls.

    `publish` puts a (new) publisher on it, `unpublish` takes it away; viewers stay.
    """

    def __init__(self, name: str, forwarder: Forwarder, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self.sink: PacketSink | None = None
        self.tracks: tuple[Track, ...] = ()
        self.last_frame_at: float | None = None

    def publish(self, tracks: Sequence[Track], outlet: Outlet, now: float) -> list[Viewer]:
        """Take a publisher in place of any before; returns the viewers that must be ended (codec changed)."""
        raise NotImplementedError

    def unpublish(self, now: float) -> None:
        """The publisher's session is over; viewers keep waiting."""
        raise NotImplementedError

    def rtp_received(self, buffer: bytearray, length: int, now: float) -> None:
        """Take one unprotected RTP packet of the publisher; `buffer` is reused by the caller afterwards."""
        raise NotImplementedError

    def rtcp_received(self, plain: bytes, now: float) -> None:
        """Take one unprotected compound RTCP packet of the publisher."""
        raise NotImplementedError

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        """Let a viewer watch; its picture starts on the next key frame, which is asked for."""
        raise NotImplementedError

    def remove_viewer(self, viewer: Viewer) -> None:
        """The viewer's session is over."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Send what is due to the publisher (NACK, feedback, reports, key-frame request); every 20-50 ms."""
        raise NotImplementedError
