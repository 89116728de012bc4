"""One WHEP session: what it gets of a feed, in its own numbering."""

from __future__ import annotations

from collections.abc import Sequence

from streams.sfu.track import Outlet, Track


class Viewer:
    """One watcher of one feed."""

    def __init__(self, tracks: Sequence[Track], outlet: Outlet) -> None:
        self.tracks = tuple(tracks)
        self.outlet = outlet

    def rtcp_received(self, plain: bytes, now: float) -> None:
        """Take one unprotected compound RTCP packet of this viewer."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Send what is due (sender reports); call every 20-50 ms."""
        raise NotImplementedError
