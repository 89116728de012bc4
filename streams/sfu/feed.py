"""A feed: one publisher after the other under one name, and those who watch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

from streams import native
from streams.native import Data
from streams.rtp.header import Header
from streams.rtp.rtcp import Bye, SenderReport, parse
from streams.rtp.rtx import restore
from streams.sfu.branch import LOOK_INTERVAL, Branch
from streams.sfu.feed_counters import FeedCounters
from streams.sfu.forwarder import Forwarder
from streams.sfu.inlet import Inlet, Inlets
from streams.sfu.layers import Layers
from streams.sfu.ring import MAX_PACKET
from streams.sfu.runs import Runs
from streams.sfu.source import Source
from streams.sfu.tape import Tape
from streams.sfu.track import Kind, Layer, Outlet, PacketSink, Track
from streams.sfu.upstream import Upstream
from streams.sfu.viewer import Viewer, ignore
from streams.viewer_protocol import Held


class Feed:
    """One named feed. `now` is always the same monotonic clock in seconds.

    `publish` puts a (new) publisher on it, `unpublish` takes it away; viewers stay, their numbers go on.
    """

    def __init__(self, name: str, forwarder: Forwarder, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self.tracks: tuple[Track, ...] = ()
        self.upstream: Upstream | None = None
        """The way back to the publisher who is there."""
        self.counters = FeedCounters()
        self.sources: dict[Kind, Source] = {}
        """One of each kind; of the picture's layers the highest."""
        self.layers = Layers()
        self.viewers: list[Viewer] = []
        self.publisher_left = False
        self.last_packet_at: float | None = None
        self.on_layers: Callable[[Sequence[Layer]], None] = ignore
        """Called with the layers that the publisher need send, when they change."""
        self._sink: PacketSink | None = None
        self._tape: Tape | None = None
        self._forwarder = forwarder
        self._wall_ns = wall_ns
        self._ssrc = random.getrandbits(32)
        self._inlets = Inlets(())
        self._header = Header()
        self._viewers_at = 0.0

    @property
    def sink(self) -> PacketSink | None:
        """Who keeps a copy; one who comes anew needs a key frame."""
        return self._sink

    @sink.setter
    def sink(self, sink: PacketSink | None) -> None:
        self._sink = sink
        if self._tape is not None:
            self.layers.leave(self._tape)
            self._tape = None
        if sink is not None:
            self._begin_tape(sink)
            self.want_key_frame()

    @property
    def is_published(self) -> bool:
        """Whether a publisher's session stands behind the feed."""
        return self.upstream is not None

    @property
    def last_frame_at(self) -> float | None:
        """When the last whole frame was in (of the video, or of what there is)."""
        if "video" in self.sources:
            return self.layers.last_frame_at
        audio = self.sources.get("audio")
        return None if audio is None else audio.last_frame_at

    def want_key_frame(self) -> None:
        """Ask the publisher for a key frame of what is recorded, as soon as the second allows."""
        source = self.sources.get("video") if self._tape is None else self._tape.source
        if source is not None:
            source.key_frames.want()

    def _begin_tape(self, sink: PacketSink) -> None:
        highest = self.layers.highest
        if highest is not None:
            self._tape = Tape(highest, sink, self._wall_ns)
            self.layers.join(self._tape)

    # -- publishers

    def publish(self, tracks: Sequence[Track], outlet: Outlet, now: float) -> list[Viewer]:
        """Take a publisher in place of any before; returns viewers that must be ended: their codec is gone.

        Those were removed from the feed already.
        """
        self._forwarder.flush()
        self._forget_outlet()
        self.tracks = tuple(tracks)
        self.publisher_left = False
        self._inlets = Inlets(tracks)
        self.upstream = Upstream(tracks, self._inlets, outlet, self._ssrc, self.counters, now)
        outlet.on_change = self._publisher_changed
        stranded: list[Viewer] = []
        offered = {track.kind: track for track in tracks}
        for kind, source in list(self.sources.items()):
            track = offered.get(kind)
            if track is None or (track.codec.name, track.codec.clock_rate) != (source.codec_name, source.clock_rate):
                stranded += [v for v in self.viewers if v.takes(kind) and v not in stranded]
                if track is not None:
                    del self.sources[kind]
                    if kind == "video":
                        self.layers.clear()
        stranded = [viewer for viewer in stranded if not self._still_serves(viewer)]
        for viewer in stranded:
            self.remove_viewer(viewer)
        for kind, track in offered.items():
            if kind == "video":
                self.layers.publish(track, self._forwarder, now)
                self.sources[kind] = self.layers.sources[-1]
            elif kind not in self.sources:
                self.sources[kind] = Source(track, self._forwarder)
        self.layers.look(now)
        if self._sink is not None and not (self._tape and self._tape.source.codec_name == self._video_codec()):
            self.sink = self._sink
        return stranded

    def _video_codec(self) -> str | None:
        highest = self.layers.highest
        return None if highest is None else highest.codec_name

    def _still_serves(self, viewer: Viewer) -> bool:
        """A publisher that left out a kind leaves it silent; one that changed a codec can't be followed."""
        return all(branch.source.kind in self.sources for branch in viewer.branches.values())

    def unpublish(self, now: float) -> None:
        """The publisher's session is over; viewers keep waiting for the next."""
        self._forwarder.flush()
        self._forget_outlet()
        self._inlets = Inlets(())

    def _forget_outlet(self) -> None:
        # What the publisher is told by leads to its session, which shall be freed.
        self.on_layers = ignore
        if self.upstream is not None:
            self.upstream.outlet.on_change = ignore
        self.upstream = None

    def _publisher_changed(self) -> None:
        """After a move the picture begins anew at once: what was under way then is lost, and so were our requests."""
        if self.upstream is None or not self.upstream.take_move():
            return
        for source in self.layers.sources:
            source.key_frames.want()
        self._ask_key_frames(self._forwarder.clock())

    def rtp_received(self, buffer: bytearray, length: int, now: float) -> None:
        """Take one unprotected RTP packet of the publisher; `buffer` is changed, and may be reused afterwards.

        Nothing is sent to viewers before `Forwarder.flush`, unless much gathers.
        """
        header, counters = self._header, self.counters
        if length > MAX_PACKET or not header.read(buffer, length):
            counters.malformed += 1
            return
        inlet = self._inlets.find(header.ssrc) or self._inlets.latch(header, buffer, now)
        if inlet is None or inlet.payload_type != header.payload_type:
            counters.unknown += 1
            return
        counters.packets += 1
        counters.octets += length
        self.last_packet_at = inlet.last_at = now
        if self.upstream is not None:
            self.upstream.note_arrival(header, buffer, now)
        if inlet.repairs:
            self._repair(inlet, header, buffer, now)
        else:
            self._media(inlet, header, buffer, now)

    def run_received(self, batch: Data, step: int, ssrc: int) -> int:
        """Take what follows from `step` of the port's batch on, of this SSRC, as far as nothing about it is unusual.

        How many packets that was; where it is none, `rtp_received` takes the next one.
        """
        inlet = self._inlets.find(ssrc)
        if inlet is None or inlet.runs is None:
            return 0
        runs, source = inlet.runs, inlet.runs.source
        tape = self._tape if self._tape is not None and self._tape.source is source else None
        if tape is not None and tape.start_number is None:
            return 0
        taken = runs.take(batch, step)
        if not taken:
            return 0
        self.counters.packets += taken
        self.counters.octets += runs.octets
        self.last_packet_at = inlet.last_at = runs.at[-1]
        if self.upstream is not None and self.upstream.arrivals is not None and runs.transport >= 0:
            self.upstream.arrivals.add_run(runs.transport, runs.ticks)
        if tape is not None:
            for number in range(source.last_number - taken + 1, source.last_number + 1):
                kept = source.ring.find(number)
                if kept is not None:
                    tape.take(kept, len(kept))
        return taken

    def _repair(self, inlet: Inlet, header: Header, buffer: bytearray, now: float) -> None:
        inlet.reception.count(header.sequence, header.timestamp, header.payload_end - header.payload_start, now)
        media = inlet.media
        if media is None:
            return
        length = restore(buffer, header, payload_type=media.track.codec.payload_type, ssrc=media.ssrc)
        if not length or not header.read(buffer, length):
            self.counters.padding += 1
            return
        self.counters.repeated += 1
        if media.reception.highest is None or media.reception.is_restart(header.sequence):
            return
        self._deliver(media, header, buffer, media.reception.place(header.sequence), now)

    def _media(self, inlet: Inlet, header: Header, buffer: bytearray, now: float) -> None:
        reception = inlet.reception
        if reception.is_restart(header.sequence):
            # One stray packet is not a new start; two in a row are.
            if inlet.restart_sequence != header.sequence:
                inlet.restart_sequence = (header.sequence + 1) & 0xFFFF
                self.counters.unknown += 1
                return
            inlet.restart()
            reception = inlet.reception
        size = header.payload_end - header.payload_start
        if not size:
            self.counters.padding += 1
        index = reception.count(header.sequence, header.timestamp, size, now)
        self._deliver(inlet, header, buffer, index, now)

    def _deliver(self, inlet: Inlet, header: Header, buffer: bytearray, index: int, now: float) -> None:
        source = inlet.source
        if source is None:
            rid = inlet.rid
            source = self.layers.source_of(rid) if inlet.track.kind == "video" else self.sources["audio"]
            inlet.source = source
        if not inlet.feeds_source:
            if not self._inlets.may_feed(inlet, now):
                self.counters.unknown += 1
                return
            inlet.feeds_source = True
            if native.lib is not None and source.kind == "video" and self.upstream is not None:
                inlet.runs = Runs(inlet, source, self.upstream.transport_id)
            source.begin(index, header.timestamp, inlet.track.extensions, now)
        losses = inlet.losses
        if losses is not None and losses.arrived(index, now) and self.upstream is not None:
            self.upstream.ask_again(inlet, now)
        length = source.deliver(header, buffer, index, now)
        if length and self._sink is not None:
            tape = self._tape
            if tape is not None and source is tape.source:
                tape.take(buffer, length)
            elif source.kind == "audio":
                self._sink.packet("audio", bytes(memoryview(buffer)[:length]), self._wall_ns())

    def rtcp_received(self, plain: bytes, now: float) -> None:
        """Take one unprotected compound RTCP packet of the publisher."""
        for report in parse(plain):
            if isinstance(report, SenderReport):
                inlet = self._inlets.find(report.ssrc)
                if inlet is None:
                    continue
                inlet.reception.report_received(report, now)
                if inlet.source is not None and inlet.feeds_source and report.ntp:
                    self._report(inlet.source, report, now)
            elif isinstance(report, Bye) and any(self._ends(ssrc) for ssrc in report.ssrcs):
                self.publisher_left = True

    def _ends(self, ssrc: int) -> bool:
        """Whether a goodbye of this stream is the publisher's: a browser also says it of a layer that it pauses."""
        inlet = self._inlets.find(ssrc)
        return inlet is not None and not inlet.track.rids

    def _report(self, source: Source, report: SenderReport, now: float) -> None:
        ntp, timestamp = source.report_received(report, now)
        if self._sink is None:
            return
        if source.kind == "audio":
            self._sink.report("audio", ntp, timestamp)
        elif self._tape is not None and source is self._tape.source:
            self._tape.report(ntp, timestamp)

    # -- viewers

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        """Let a viewer watch what matches its tracks; its picture starts on the next key frame, which is asked for.

        Its outlet may open later.
        """
        self.viewers.append(viewer)
        viewer.outlet.on_change = partial(self._viewer_changed, viewer)
        for track in viewer.tracks:
            source = self.sources.get(track.kind)
            if source is not None and source.codec_name == track.codec.name:
                branch = Branch(viewer, track, source)
                viewer.branches[branch.ssrc] = branch
                if track.kind == "video":
                    branch.wanted = viewer.wanted
                    branch.source = source = self.layers.choose(branch, now)
                    self.layers.join(branch)
                source.join(branch)
        self._changed(now)

    def _changed(self, now: float) -> None:
        """What is followed has changed, or may have: ask the publisher for what that takes."""
        if self.layers.look_at_wanted(now):
            self.on_layers(self.layers.wanted.names)
        self._ask_key_frames(now)

    def want(self, viewer: Viewer, layer: Layer, now: float) -> None:
        """Give a viewer another layer of the picture as soon as its next key frame begins, which is asked for."""
        viewer.want(layer)
        self.layers.look(now)
        self._changed(now)

    def held(self, viewer: Viewer, now: float) -> Held | None:
        """Why a viewer is given a lower layer of the picture than it wants; None where it isn't."""
        if not viewer.is_held:
            return None
        pictures = (branch for branch in viewer.branches.values() if branch.source.kind == "video")
        return next((self.layers.held(branch, viewer.wanted, now) for branch in pictures), None)

    def settle(self, viewer: Viewer, now: float) -> None:
        """Give a viewer what it is held to from now on: another layer, none, its sound or no sound."""
        for branch in viewer.branches.values():
            if branch.source.kind == "audio":
                _pause_sound(branch)
        self.layers.look(now)
        self._changed(now)

    def remove_viewer(self, viewer: Viewer) -> None:
        """The viewer's session is over."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            viewer.outlet.on_change = ignore
        for branch in viewer.branches.values():
            self.layers.leave(branch)
            branch.await_key_frame(None)
            branch.source.leave(branch)
        viewer.branches.clear()

    def _viewer_changed(self, viewer: Viewer) -> None:
        for source in self._all_sources():
            source.refresh()
        now = self._forwarder.clock()
        if viewer.take_move(now):
            self._ask_key_frames(now)

    def _all_sources(self) -> list[Source]:
        return [*self.layers.sources, *(source for kind, source in self.sources.items() if kind == "audio")]

    # -- time

    @property
    def is_repairing(self) -> bool:
        """Whether packets of the publisher are missing that were asked for, so that `tick` is wanted sooner."""
        return any(inlet.losses for inlet in self._inlets.all())

    def tick(self, now: float) -> None:
        """Send what is due: NACKs, feedback, reports and key-frame requests to the publisher, reports to viewers."""
        self._forwarder.flush()
        if now >= self._viewers_at:
            self._viewers_at = now + LOOK_INTERVAL
            for source in self._all_sources():
                source.rate.look(source.packets, source.octets, now)
            self._changed(now)
            for viewer in self.viewers:
                if now >= viewer.report_at:
                    viewer.tick(now)
                if viewer.is_held:
                    # Why it is may have changed by nothing but time.
                    viewer.on_picture()
        upstream = self.upstream
        if upstream is None or not upstream.outlet.is_open:
            return
        for inlet in self._inlets.all():
            upstream.ask_again(inlet, now)
        self.layers.look(now)
        self._ask_key_frames(now)
        upstream.report(now)

    def _ask_key_frames(self, now: float) -> None:
        if self.upstream is not None:
            self.upstream.ask_key_frames(self.layers, now)


def _pause_sound(branch: Branch) -> None:
    """Sound goes on with the next packet, where it has begun at all."""
    if branch.is_paused:
        branch.await_key_frame(None)
        branch.halt()
    elif branch.is_halted and branch.start_number is None:
        branch.relocate(branch.source)
    elif branch.is_halted and branch.coming is None:
        branch.await_key_frame(branch.source)
