"""Who is given one layer of a picture after the other, in one numbering without a break."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.rtp.payload import PictureShift, picture_shift
from streams.sfu.track import Layer

if TYPE_CHECKING:
    from streams.sfu.source import Source

STRETCHES_KEPT = 8
"""How many switches back a lost packet is still found; the layers' rings reach no further."""
MAX_DISAGREEMENT = 1.0
"""Seconds by which two layers' sender reports may differ from what the arrivals say before they aren't believed."""
LEAST_STEP = 0.002
"""Seconds between the last frame of one layer and the first of the next, where they show the same instant.

WebM counts whole milliseconds: two frames a rounded millisecond apart could fall into one.
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was given of one source: from its packet `first` on, under numbers moved by these offsets.

    `last_out` is the last number given out of it, on the endless line; only what is sent is cut to 16 bits.
    """

    source: Source
    first: int
    last_out: int
    sequence_offset: int
    timestamp_offset: int
    shift: PictureShift | None


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a source stood when the last of it was given."""

    number: int
    timestamp: int
    at: float | None
    packets: int
    octets: int
    newest: bytes | None
    """Of VP8 the newest packet, whose picture the next one follows."""

    @classmethod
    def of(cls, source: Source) -> Stand:
        """Where it stands now."""
        newest = source.newest() if source.codec_name == "VP8" else None
        kept = None if newest is None else bytes(newest)
        return cls(source.last_number, source.last_timestamp, source.last_at, source.packets, source.octets, kept)


class Follower:
    """Follows `wanted` as far as it comes. `source` is the present layer, `coming` the one whose key frame is awaited.

    `start_number` is the present source's first packet that is for this follower; None before the first packet at all.
    While it `is_paused` it is given nothing, and goes on afterwards where it stood, with a key frame.
    """

    patience = 0.0
    """Seconds to wait for the wanted layer before beginning with another."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.wanted: Layer = "high"
        self.coming: Source | None = None
        self.is_paused = False
        self.is_halted = False
        """Whether it is given nothing now: it is paused, or was, and the next key frame hasn't come yet."""
        self.start_number: int | None = None
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self.shift: PictureShift | None = None
        self.switches = 0
        self.past: deque[Stretch] = deque(maxlen=STRETCHES_KEPT)
        self._stood: Stand | None = None
        # How far the timestamps run before the publisher's clock, because they may not go back at a switch.
        self._ahead = 0

    def relocate(self, source: Source) -> None:
        """Begin with this source instead; only while nothing was given yet."""
        self.source = source

    def await_key_frame(self, source: Source | None) -> None:
        """Go over to this layer when its next key frame begins; None: stay."""
        if self.coming is not None:
            self.coming.forget(self)
        self.coming = source
        if source is not None:
            source.expect(self)

    def halt(self) -> None:
        """Be given nothing more of the present source: a later key frame, also of this one, is gone on with."""
        if not self.is_halted:
            self.is_halted = True
            if self.start_number is not None:
                self._stood = Stand.of(self.source)

    @property
    def stand(self) -> Stand:
        """Up to where the present source was given."""
        return self._stood or Stand.of(self.source)

    def switch(self, source: Source, number: int, timestamp: int, now: float) -> None:
        """Go on with a source's packet of this number, which begins a key frame and stands in its ring."""
        before, stand = self.source, self.stand
        last_out = stand.number + self.sequence_offset
        if self.start_number is not None:
            self.past.append(
                Stretch(
                    before,
                    self.start_number,
                    last_out,
                    self.sequence_offset,
                    self.timestamp_offset,
                    self.shift,
                )
            )
        if source.codec_name == "VP8":
            self.shift = picture_shift(stand.newest, source.ring.find(number), self.shift)
        self.timestamp_offset = self._continued(source, stand, timestamp, now)
        self.sequence_offset = last_out + 1 - number
        self.source, self.coming, self.start_number = source, None, number
        self.is_halted, self._stood = False, None
        self.switches += source is not before

    def send_late(self, number: int) -> None:
        """Give the present source's kept packet of this number out of turn."""
        raise NotImplementedError

    def _continued(self, source: Source, stand: Stand, timestamp: int, now: float) -> int:
        """The offset by which the new source's timestamps follow on: by the publisher's clock, else by arrival."""
        before, rate = self.source, source.clock_rate
        since = now if stand.at is None else stand.at
        ticks = int((now - since) * rate)
        by_reports = source.ticks_after(before, timestamp, stand.timestamp)
        if by_reports is not None and abs(by_reports - ticks) < MAX_DISAGREEMENT * rate:
            ticks = by_reports
        last = stand.timestamp + self.timestamp_offset
        step = max(ticks - self._ahead, int(LEAST_STEP * rate))
        self._ahead += step - ticks
        return (last + step - timestamp) & 0xFFFFFFFF

    def find_stretch(self, out: int) -> Stretch | None:
        """What was given under this number before the present source's; None if that isn't known (any more)."""
        for stretch in reversed(self.past):
            if stretch.first + stretch.sequence_offset <= out <= stretch.last_out:
                return stretch
        return None
