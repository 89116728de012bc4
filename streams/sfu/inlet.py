"""The streams of one publisher: which SSRC is which track, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streams.rtp.header import MID, REPAIRED_RID, RID, Header, find_extensions
from streams.sfu.losses import Losses
from streams.sfu.reception import Reception
from streams.sfu.track import Track

if TYPE_CHECKING:
    from streams.sfu.runs import Runs
    from streams.sfu.source import Source

MAX_INLETS = 16
SILENCE = 0.5
"""A stream that was quiet for so long may be replaced by another of the same track."""


class Inlet:
    """One received SSRC. `media` is the stream that it repairs, or None if it is media itself."""

    def __init__(self, ssrc: int, track: Track, rid: str, *, repairs: bool) -> None:
        self.ssrc = ssrc
        self.track = track
        self.rid = rid
        self.repairs = repairs
        self.payload_type = track.codec.rtx_payload_type if repairs else track.codec.payload_type
        self.media: Inlet | None = None
        self.source: Source | None = None
        self.reception = Reception(ssrc, track.codec.clock_rate)
        self.losses: Losses | None = Losses() if track.nack and not repairs else None
        self.beyond_repair = 0
        """Lost packets for which a key frame was wanted already."""
        self.feeds_source = False
        """Whether its packets go to `source` now; of several streams of one layer one does."""
        self.last_at = 0.0
        self.restart_sequence: int | None = None
        self.runs: Runs | None = None
        """What takes its packets several at a time, where that is done and it feeds a picture's source."""

    def restart(self) -> None:
        """The sender started its numbers over."""
        self.reception = Reception(self.ssrc, self.track.codec.clock_rate)
        if self.losses is not None:
            self.losses = Losses()
        self.beyond_repair = 0
        self.restart_sequence = None
        self.let_go()

    def let_go(self) -> None:
        """Another stream feeds the source from now on, or this one anew."""
        self.feeds_source = False
        self.runs = None


class Inlets:
    """Bounded table of a publisher's streams, filled from what was announced, or from the first packets.

    A browser writes mid and rid into its first packets only, so what they said is kept by SSRC.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks = tuple(tracks)
        self.unknown = 0
        self._by_ssrc: dict[int, Inlet] = {}

    def all(self) -> list[Inlet]:
        """Every stream known."""
        return list(self._by_ssrc.values())

    def find(self, ssrc: int) -> Inlet | None:
        """The stream of that SSRC."""
        return self._by_ssrc.get(ssrc)

    def latch(self, header: Header, packet: bytearray, now: float) -> Inlet | None:
        """Learn a new SSRC from its first packet; None if it belongs to nothing that was negotiated."""
        texts = self._texts(header, packet)
        track = self._track(header, texts)
        if track is None:
            self.unknown += 1
            return None
        repairs = header.payload_type == track.codec.rtx_payload_type
        rid = texts.get(REPAIRED_RID if repairs else RID, "")
        if (track.rids and rid not in track.rids) or not self._make_room(now):
            self.unknown += 1
            return None
        inlet = Inlet(header.ssrc, track, rid, repairs=repairs)
        if repairs:
            inlet.media = self._repaired(track, rid)
            if inlet.media is None:
                self.unknown += 1
                return None
        self._by_ssrc[header.ssrc] = inlet
        return inlet

    def feeding(self, source: Source | None) -> Inlet | None:
        """The stream that feeds this source now."""
        return next((i for i in self._by_ssrc.values() if i.feeds_source and i.source is source), None)

    def may_feed(self, inlet: Inlet, now: float) -> bool:
        """Let `inlet` feed its source if nobody does, or who did has gone quiet."""
        current = self.feeding(inlet.source)
        if current is not None and current is not inlet:
            if now - current.last_at < SILENCE:
                return False
            current.let_go()
        return True

    def _texts(self, header: Header, packet: bytearray) -> dict[str, str]:
        if not header.extension_profile:
            return {}
        found: dict[str, str] = {}
        names = {number: uri for track in self.tracks for uri, number in track.extensions.items()}
        for number, start, size in find_extensions(header, packet):
            uri = names.get(number)
            if uri in (MID, RID, REPAIRED_RID):
                found[uri] = packet[start : start + size].decode("ascii", errors="replace")
        return found

    def _track(self, header: Header, texts: Mapping[str, str]) -> Track | None:
        kind = header.payload_type
        for track in self.tracks:
            if header.ssrc in (track.ssrc, track.rtx_ssrc):
                return track if kind in (track.codec.payload_type, track.codec.rtx_payload_type) else None
        fitting = [t for t in self.tracks if kind in (t.codec.payload_type, t.codec.rtx_payload_type)]
        if MID in texts:
            fitting = [track for track in fitting if track.mid == texts[MID]]
        return fitting[0] if len(fitting) == 1 else None

    def _repaired(self, track: Track, rid: str) -> Inlet | None:
        media = [i for i in self._by_ssrc.values() if i.track is track and not i.repairs and (not rid or i.rid == rid)]
        return next((inlet for inlet in media if inlet.feeds_source), media[-1] if media else None)

    def _make_room(self, now: float) -> bool:
        if len(self._by_ssrc) < MAX_INLETS:
            return True
        quietest = min(self._by_ssrc.values(), key=lambda inlet: inlet.last_at)
        if now - quietest.last_at < SILENCE:
            return False
        del self._by_ssrc[quietest.ssrc]
        return True
