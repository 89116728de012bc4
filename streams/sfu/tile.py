"""One viewer as a tile of its page: what it could be given, and how it is given that."""

from __future__ import annotations

from collections.abc import Sequence

from streams.sfu.feed import Feed
from streams.sfu.page import Page
from streams.sfu.reported import ReportedLimit
from streams.sfu.road import Road, Train
from streams.sfu.track import Layer, rank
from streams.sfu.viewer import Viewer, ignore

NOMINAL_BPS: dict[Layer, float] = {"low": 150_000.0, "middle": 500_000.0, "high": 1_700_000.0}
"""What a layer is thought to take before it was seen."""


class Tile:
    """Joins a viewer and its feed to the page whose budget they share."""

    def __init__(self, viewer: Viewer, feed: Feed, page: Page) -> None:
        self.viewer = viewer
        self.feed = feed
        self.page = page
        viewer.page = page
        viewer.on_estimate = self.reported
        self._given: Layer | None = "high"
        self._is_heard = True
        self._cap: Layer = "high"
        self._reported = ReportedLimit()

    @property
    def road(self) -> Road:
        """What is known of the viewer's way."""
        return self.viewer.road

    @property
    def is_spotlight(self) -> bool:
        """Whether it comes before the others."""
        return self.viewer.is_spotlight

    @property
    def sound_bps(self) -> float:
        """What its sound takes."""
        source = self.feed.sources.get("audio")
        return (source.rate.bps or 0.0) if source is not None and self.viewer.takes("audio") else 0.0

    def options(self, now: float) -> Sequence[tuple[Layer, float]]:
        """The layers up to the one that it wants, of those that come or would, and what each takes."""
        if not self.viewer.takes("video"):
            return ()
        sources = self.feed.layers.options(self.viewer.wanted, now)
        return [(source.layer, source.rate.bps or NOMINAL_BPS[source.layer]) for source in sources]

    def give(self, layer: Layer | None, *, is_heard: bool, now: float) -> None:
        """Give it no higher layer than this from now on."""
        self._given, self._is_heard = layer, is_heard
        self._apply(now)

    def reported(self, bps: int, now: float) -> None:
        """The viewer, whose line is judged by nothing else, says what it can take."""
        options = self.options(now)
        present = min(self._given or "low", self._cap, key=rank)
        sent = sum(size for layer, size in options if layer == present) + self.sound_bps
        if not options or not self._reported.take(bps, sent, now):
            return
        limit = self._reported.bps or 0.0
        # The lowest is given always: a guess from afar pauses nothing.
        self._cap = max((layer for layer, size in options if size <= limit), default=options[0][0], key=rank)
        self._apply(now)

    def _apply(self, now: float) -> None:
        limit = self._given
        if limit is not None and rank(self._cap) < rank(limit):
            limit = self._cap
        self.viewer.limit(limit, is_heard=self._is_heard)
        self.feed.settle(self.viewer, now)
        self.viewer.on_picture()

    def pad(self, octets: int) -> Train | None:
        """Send repeated packets of its picture at once."""
        for branch in self.viewer.branches.values():
            if branch.source.kind == "video":
                return branch.pad(octets)
        return None

    def tell(self) -> None:
        """Let the page know of its estimate."""
        self.viewer.on_picture()

    def want(self, layer: Layer, *, is_spotlight: bool, now: float) -> None:
        """The page wants another layer for it."""
        self.viewer.is_spotlight = is_spotlight
        self.feed.want(self.viewer, layer, now)
        self.page.wish_changed(self, now)
        self.viewer.on_picture()

    def leave(self, now: float) -> None:
        """It is gone."""
        self.viewer.page = None
        self.viewer.on_estimate = ignore
        self.page.leave(self, now)
