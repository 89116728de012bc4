"""The way back to a publisher: what is missing, which key frames are wanted, what arrived when, and how well."""

from __future__ import annotations

from collections.abc import Sequence

from streams.rtp.header import TRANSPORT_CC, Header
from streams.rtp.rtcp import Nack, PictureLoss, ReceiverReport, Report, build
from streams.sfu.arrivals import Arrivals
from streams.sfu.branch import REPORT_INTERVAL
from streams.sfu.feed_counters import FeedCounters
from streams.sfu.inlet import Inlet, Inlets
from streams.sfu.keyframes import KeyFramePace
from streams.sfu.layers import Layers
from streams.sfu.source import Source
from streams.sfu.track import Outlet, Track


class Upstream:
    """Serves one publisher; `ssrc` is whose name the reports are in. Nothing is sent while its outlet isn't open."""

    def __init__(
        self, tracks: Sequence[Track], inlets: Inlets, outlet: Outlet, ssrc: int, counters: FeedCounters, now: float
    ) -> None:
        self.outlet = outlet
        self._inlets = inlets
        self._ssrc = ssrc
        self._counters = counters
        numbers = {track.extensions[TRANSPORT_CC] for track in tracks if track.transport_cc}
        self.transport_id = min(numbers, default=0)
        """The number of the header extension that counts this publisher's packets; 0 where none does."""
        self.arrivals = Arrivals() if numbers else None
        self._pace = KeyFramePace()
        self._asked_for: tuple[Source, ...] = ()
        self._version = outlet.address_version
        self._report_at = now

    def note_arrival(self, header: Header, buffer: bytearray, now: float) -> None:
        """Note a packet's transport-wide number, where it has one."""
        wanted, arrivals = self.transport_id, self.arrivals
        if arrivals is None or not header.extension_profile:
            return
        for number, start, size in header.elements(buffer):
            if number == wanted and size == 2:
                arrivals.add(buffer[start] << 8 | buffer[start + 1], now)
                return

    def take_move(self) -> bool:
        """Whether the publisher has moved since this was last asked: what was sent to it meanwhile is lost."""
        outlet = self.outlet
        if not outlet.is_open or outlet.address_version == self._version:
            return False
        self._version = outlet.address_version
        if any(source.key_frames.wanted for source in self._asked_for):
            # The request under way went to where the publisher no longer is.
            self._pace.begin_anew()
        return True

    def ask_again(self, inlet: Inlet, now: float) -> None:
        """Ask for what is missing of one stream and due; for a key frame where that is in vain."""
        losses, counters = inlet.losses, self._counters
        if losses is None:
            return
        wanted = losses.due(now) if losses else ()
        if wanted:
            counters.nacked += len(wanted)
            self._send(Nack(self._ssrc, inlet.ssrc, tuple(wanted)))
        if losses.beyond_repair > inlet.beyond_repair:
            counters.beyond_repair += losses.beyond_repair - inlet.beyond_repair
            inlet.beyond_repair = losses.beyond_repair
            source = inlet.source
            if inlet.feeds_source and source is not None and not source.is_mended(losses.last_lost):
                # Asked for with the next tick, since the packet that ended an outage may begin a key frame itself.
                source.key_frames.want()

    def ask_key_frames(self, layers: Layers, now: float) -> None:
        """Ask for all layers that want one by one compound: most publishers answer with key frames of every layer."""
        wanted = [source for source in layers.sources if source.key_frames.wanted]
        if not wanted or not self.outlet.is_open or not self._pace.is_due(now):
            return
        streams = {
            source: inlet.ssrc
            for source in wanted
            if layers.may_ask(source, now) and (inlet := self._inlets.feeding(source)) is not None
        }
        if not streams:
            return
        self._asked_for = tuple(streams)
        self._pace.note(now)
        self._counters.key_frame_requests += 1
        for source in streams:
            source.key_frames.asked += 1
        self._send(*(PictureLoss(self._ssrc, ssrc) for ssrc in streams.values()))

    def report(self, now: float) -> None:
        """Send what is due of feedback and reports; each tick."""
        self._send_feedback(now)
        if now < self._report_at:
            return
        self._report_at = now + REPORT_INTERVAL
        blocks = [block for i in self._inlets.all() if (block := i.reception.block(now)) is not None]
        if blocks:
            self._counters.reports_sent += 1
            self.outlet.send_rtcp(bytes(ReceiverReport(self._ssrc, tuple(blocks))))

    def _send_feedback(self, now: float) -> None:
        arrivals = self.arrivals
        if arrivals is None:
            return
        media = next((inlet.ssrc for inlet in self._inlets.all()), 0)
        untold = arrivals.untold
        for feedback in arrivals.build(self._ssrc, media, now):
            self._counters.feedback_sent += 1
            self._send(feedback)
        self._counters.untold += arrivals.untold - untold

    def _send(self, *reports: Report) -> None:
        """Feedback goes in a compound that opens with a report, as RFC 3550 asks of everybody."""
        self.outlet.send_rtcp(build([ReceiverReport(self._ssrc), *reports]))
