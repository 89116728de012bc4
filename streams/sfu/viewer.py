"""One WHEP session: what it gets of a feed, in its own numbering, and what it says of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from streams.rtp.rtcp import (
    BitrateEstimate,
    Bye,
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverReport,
    Report,
    ReportBlock,
    SenderReport,
    SourceDescription,
    build,
    parse,
)
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.branch import Branch
from streams.sfu.track import Kind, Layer, Outlet, Track, rank
from streams.sfu.trail import begin_trail

if TYPE_CHECKING:
    from streams.sfu.page import Page

REPAIRABLE_SECONDS = 0.5
"""What a viewer missed in so short a time it asks for again; after longer only a key frame helps."""
_REPORTS_KEPT = 8
_MAX_RTT = 10.0


class Viewer:
    """One watcher of one feed; the feed gives it a branch for each track that matches."""

    def __init__(self, tracks: Sequence[Track], outlet: Outlet, *, cname: str = "node") -> None:
        self.tracks = tuple(tracks)
        self.outlet = outlet
        self.cname = cname
        self.branches: dict[int, Branch] = {}
        self.wanted: Layer = "high"
        self.is_spotlight = False
        self.trail = begin_trail()
        self.road = self.trail.road
        self.page: Page | None = None
        self.report_at = 0.0
        self.rtt_seconds: float | None = None
        self.estimate_bps: int | None = None
        self.left = False
        self.on_picture: Callable[[], None] = ignore
        """Called when what it is given of the picture has changed."""
        self.on_estimate: Callable[[int, float], None] = ignore
        """Called with what it says that it can take, where it gives no transport-wide feedback."""
        self.nacked = self.picture_losses = self.reports_received = self.switches = 0
        self._limit: Layer | None = "high"
        self._is_heard = True
        self._reported_at = float("-inf")
        self._version = outlet.address_version
        self._reported: OrderedDict[int, float] = OrderedDict()
        self._intra_commands: dict[int, int] = {}

    @property
    def started(self) -> bool:
        """Whether any packet was meant for it yet."""
        return any(branch.start_number is not None for branch in self.branches.values())

    @property
    def repeated(self) -> int:
        """How many packets were sent to it again."""
        return sum(branch.repeated for branch in self.branches.values())

    @property
    def refused(self) -> int:
        """How many packets it asked for in vain: they are gone, were never its own, or it asks too much."""
        return sum(branch.refused for branch in self.branches.values())

    @property
    def heard_at(self) -> float:
        """When its last report came; minus infinity before the first."""
        return max(self._reported_at, self.road.answered_at)

    @property
    def feedback_received(self) -> int:
        """How much transport-wide feedback it gave."""
        return self.road.feedbacks

    def takes(self, kind: Kind) -> bool:
        """Whether it is given (or waits for) something of this kind."""
        return any(branch.source.kind == kind for branch in self.branches.values())

    def want(self, layer: Layer) -> None:
        """Say which layer of the picture it wants; the feed's next look begins to change it (`Feed.want` at once)."""
        self.wanted = layer
        self._set_layers()

    def limit(self, layer: Layer | None, *, is_heard: bool) -> None:
        """Hold it to this layer (None: to no picture at all), and to its sound or none; the feed's `settle` follows.

        What is too much is not sent a moment longer, even though the lower layer's key frame must be waited for.
        """
        self._limit, self._is_heard = layer, is_heard
        self._set_layers()
        for branch in self.branches.values():
            if branch.source.kind == "video" and rank(branch.source.layer) > rank(branch.wanted):
                branch.halt()

    def _set_layers(self) -> None:
        lowest = min(self.wanted, self._limit or "low", key=rank)
        for branch in self.branches.values():
            if branch.source.kind == "video":
                branch.wanted, branch.is_paused = lowest, self._limit is None
            else:
                branch.is_paused = not self._is_heard

    @property
    def layer(self) -> Layer | None:
        """The layer of the picture that it is given now."""
        for branch in self.branches.values():
            if branch.source.kind == "video" and branch.start_number is not None and not branch.is_halted:
                return branch.source.layer
        return None

    @property
    def is_held(self) -> bool:
        """Whether it is given a lower layer of the picture than it wants."""
        layer = self.layer
        return layer is not None and rank(layer) < rank(self.wanted)

    @property
    def is_paused(self) -> bool:
        """Whether its picture doesn't fit its page's budget."""
        return any(branch.is_paused for branch in self.branches.values() if branch.source.kind == "video")

    def rtcp_received(self, plain: bytes, now: float) -> None:
        """Take one unprotected compound RTCP packet of this viewer."""
        self._reported_at = now
        is_uneasy = self.trail.read(plain, now)
        if is_uneasy is not None:
            self._judge(is_uneasy)
            return
        for report in parse(plain):
            self._take(report, now)

    def take_move(self, now: float) -> bool:
        """Whether it has moved, and missed more on the way than can be repaired: then key frames are wanted."""
        version = self.outlet.address_version
        if version == self._version or not self.outlet.is_open:
            return False
        self._version = version
        self.road.forget()
        if now - self.heard_at <= REPAIRABLE_SECONDS:
            return False
        for branch in self.branches.values():
            if not branch.is_paused:
                branch.source.key_frames.want()
        return True

    def _take(self, report: Report, now: float) -> None:
        if isinstance(report, (ReceiverReport, SenderReport)):  # a union would be made anew each time
            self.reports_received += 1
            for block in report.blocks:
                self._block(block, now)
        elif isinstance(report, Nack):
            branch = self.branches.get(report.media_ssrc)
            if branch is not None:
                self.nacked += len(report.lost)
                branch.repeat(report.lost, now)
        elif isinstance(report, PictureLoss):
            self._want_key_frame(report.media_ssrc)
        elif isinstance(report, FullIntraRequest):
            for ssrc, command in report.commands:
                if ssrc in self.branches and self._intra_commands.get(ssrc) != command:
                    self._intra_commands[ssrc] = command
                    self._want_key_frame(ssrc)
        elif isinstance(report, BitrateEstimate):
            self._named(report.bitrate_bps, now)
        elif isinstance(report, TransportFeedback):
            self._judge(self.trail.take(report, now))
        elif isinstance(report, Bye):
            self.left = True

    def _named(self, bps: int, now: float) -> None:
        self.estimate_bps = bps
        if self.road.heard_at is None:
            self.on_estimate(bps, now)

    def grow_uneasy(self) -> None:
        """Its feedback shows that something queues or is lost: its page shall look."""
        if self.page is not None:
            self.page.is_uneasy = True

    def _judge(self, is_uneasy: bool) -> None:
        if is_uneasy:
            self.grow_uneasy()

    def _want_key_frame(self, ssrc: int) -> None:
        branch = self.branches.get(ssrc)
        if branch is not None and not branch.is_paused:
            self.picture_losses += 1
            branch.source.key_frames.want()

    def _block(self, block: ReportBlock, now: float) -> None:
        branch = self.branches.get(block.ssrc)
        if branch is None:
            return
        branch.block_received(block)
        sent_at = self._reported.get(block.last_report)
        if sent_at is not None:
            rtt = now - sent_at - block.delay_since_report / 65536
            if 0 <= rtt < _MAX_RTT:
                self.rtt_seconds = rtt

    def tick(self, now: float) -> None:
        """Send the sender reports that are due; the feed's `tick` calls it from `report_at` on."""
        if not self.outlet.is_open:
            return
        reports: list[Report] = []
        for branch in self.branches.values():
            report = branch.sender_report(now)
            if report is not None:
                reports += (report, SourceDescription(branch.ssrc, self.cname))
                self._reported[report.ntp >> 16 & 0xFFFFFFFF] = now
        self.report_at = min((branch.report_at for branch in self.branches.values()), default=now)
        if reports:
            while len(self._reported) > _REPORTS_KEPT:
                self._reported.popitem(last=False)
            self.outlet.send_rtcp(build(reports))


def ignore(*arguments: object) -> None:
    """What is called where nobody wants to know."""
