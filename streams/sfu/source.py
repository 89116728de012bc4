"""One stream of a feed in the feed's own continuous numbering, whoever publishes it, and its branches to viewers."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence

from streams.rtp.header import Header
from streams.rtp.payload import KEY_FRAME_TESTS, FrameBoundaries
from streams.rtp.rtcp import SenderReport
from streams.rtp.sequence import timestamp_distance
from streams.sfu.branch import Branch
from streams.sfu.fanout import FanOut
from streams.sfu.follower import Follower
from streams.sfu.forwarder import Forwarder
from streams.sfu.keyframes import KeyFrameWish
from streams.sfu.rate import Rate
from streams.sfu.ring import Ring
from streams.sfu.track import Kind, Layer, Track

RING_SIZE: dict[Kind, int] = {"video": 1024, "audio": 128}
NEWEST_WITHIN = 64
"""How far back of the newest number a packet with a payload is looked for."""
MAX_SILENCE = 3600.0
"""A publisher that comes back later than this continues the timestamps as if it had been away that long."""

_number_into = struct.Struct("!HI").pack_into


class Source:
    """Numbers are unwrapped and never go back when the publisher is replaced; timestamps follow the wall."""

    def __init__(self, track: Track, forwarder: Forwarder, layer: Layer = "high") -> None:
        self.kind = track.kind
        self.layer: Layer = layer
        self.codec_name = track.codec.name
        self.clock_rate = track.codec.clock_rate
        self.forwarder = forwarder
        self.ring = Ring(RING_SIZE[track.kind])
        self.key_frames = KeyFrameWish()
        self.boundaries = FrameBoundaries()
        self.rate = Rate()
        self.extensions: Mapping[str, int] = track.extensions
        self.repeats_from = 0
        self.last_number = 0x10000 + random.getrandbits(15)
        self.last_timestamp = random.getrandbits(32)
        self.last_at: float | None = None
        self.last_frame_at: float | None = None
        self.packets = self.octets = self.duplicates = self.key_frame_count = 0
        self.key_frame_number = 0
        """Where the newest key frame began."""
        self._starts_key_frame = KEY_FRAME_TESTS[track.codec.name]
        self._waits = track.kind == "video"
        self._number_delta = self.timestamp_delta = 0
        self._pair: tuple[int, int, float] | None = None
        self._branches: list[Branch] = []
        self._incoming: list[Follower] = []
        self._arranged: list[tuple[Branch, int]] = []
        self.fan_out = FanOut(forwarder, has_frames=track.kind == "video")
        self._newest_start = 0

    # -- the publisher's side

    def begin(self, index: int, timestamp: int, extensions: Mapping[str, int], now: float) -> None:
        """A stream begins with this index and timestamp: let it continue where the one before ended."""
        self._number_delta = self.last_number + 1 - index
        passed = 0 if self.last_at is None else max(1, int(min(MAX_SILENCE, now - self.last_at) * self.clock_rate))
        self.timestamp_delta = self.last_timestamp + passed - timestamp
        self._pair = None
        if dict(extensions) != dict(self.extensions):
            # What the former publisher sent would be rewritten otherwise than it first went out, and one nonce
            # must never seal two different packets.
            self.repeats_from = self.last_number + 1
        self.extensions = extensions
        if self._waits:
            self.key_frames.want()

    def is_mended(self, index: int) -> bool:
        """Whether a key frame has begun after the publisher's packet of this index, so that its loss hurts no more."""
        return self.key_frame_number > index + self._number_delta

    def report_received(self, report: SenderReport, now: float) -> tuple[int, int]:
        """Take the publisher's clock pair; returns it with the timestamp in the source's numbering."""
        timestamp = (report.rtp_timestamp + self.timestamp_delta) & 0xFFFFFFFF
        self._pair = (report.ntp, timestamp, now)
        return report.ntp, timestamp

    def clock_pair(self, now: float) -> tuple[int, int] | None:
        """The publisher's NTP time and the source's timestamp of one instant near now, exact to one NTP unit."""
        if self._pair is None:
            return None
        ntp, timestamp, at = self._pair
        ticks = int((now - at) * self.clock_rate)
        return (ntp + (ticks << 32) // self.clock_rate) & 0xFFFFFFFFFFFFFFFF, (timestamp + ticks) & 0xFFFFFFFF

    def ticks_after(self, other: Source, timestamp: int, since: int) -> int | None:
        """How long after the other source's timestamp `since` this one's `timestamp` is, by the publisher's reports."""
        if self._pair is None or other._pair is None:
            return None
        own_ntp, own_timestamp, _ = self._pair
        other_ntp, other_timestamp, _ = other._pair
        between = (own_ntp - other_ntp) * self.clock_rate >> 32
        behind = timestamp_distance(since, other_timestamp)
        return between + timestamp_distance(timestamp, own_timestamp) - behind

    def newest(self) -> memoryview | None:
        """The newest packet that carries anything; padding carries nothing."""
        header = Header()
        for number in range(self.last_number, self.last_number - NEWEST_WITHIN, -1):
            kept = self.ring.find(number)
            if kept is not None and header.read(kept, len(kept)) and header.payload_start < header.payload_end:
                return kept
        return None

    def deliver(self, header: Header, packet: bytearray, index: int, now: float) -> int:
        """Send one packet to all; renumbers it in `packet` and returns its length, or 0 for one seen before."""
        number = index + self._number_delta
        timestamp = (header.timestamp + self.timestamp_delta) & 0xFFFFFFFF
        start, end = header.payload_start, header.payload_end
        packet[0] &= 0xDF
        _number_into(packet, 2, number & 0xFFFF, timestamp)
        if not self.ring.store(number, packet, end):
            self.duplicates += 1
            return 0
        in_order = number > self.last_number
        if in_order:
            self.last_number, self.last_timestamp, self.last_at = number, timestamp, now
            if self.boundaries.packet(timestamp, header.marker):
                self.last_frame_at = now
        starts = self._starts_key_frame(packet, start, end)
        if starts:
            self.key_frame_count += 1
            self.key_frame_number = max(self.key_frame_number, number)
            self.key_frames.began()
        if self._incoming and (starts or not self._waits):
            self._take_in(number, timestamp, now)
        if (starts or not self._waits) and len(self._arranged) < len(self._branches):
            self._start_waiting(number)
        self.packets += 1
        self.octets += end - start
        if not self._branches:
            return end
        if number >= self._newest_start and (in_order or self._arranged):
            elements = header.elements(packet)
            marker = 0x80 if header.marker else 0
            self.fan_out.append(packet, start, end, elements, self.extensions, marker, number, timestamp, now)
        else:
            for branch in self._branches:
                branch.send_late(number)
        return end

    def is_next(self, index: int) -> bool:
        """Whether the publisher's packet of this index is the next of a picture, so that `took` may tell of it."""
        return self._waits and index + self._number_delta == self.last_number + 1 >= self._newest_start

    def took(self, count: int, octets: int, timestamp: int, at: Sequence[float], *, is_end: bool) -> None:
        """So many packets came that follow the last, none of which begins a key frame; they are in the ring.

        They have one timestamp (as the source numbers it), arrived at these times, and the last of them may be the end
        of their frame.
        """
        self.last_number += count
        self.last_timestamp, self.last_at = timestamp, at[-1]
        if self.boundaries.packet(timestamp, is_end):
            # Where the end of the frame before never came, the first packet of this one has shown that it is over.
            self.last_frame_at = at[-1] if is_end else at[0]
        self.packets += count
        self.octets += octets

    # -- the viewers' side

    @property
    def branches(self) -> Sequence[Branch]:
        """All who watch, started or waiting."""
        return self._branches

    def join(self, branch: Branch) -> None:
        """Let a branch wait for the next key frame (audio starts at once)."""
        self._branches.append(branch)
        self._want_for_waiting()

    def leave(self, branch: Branch) -> None:
        """Send it nothing more."""
        if branch in self._branches:
            self._branches.remove(branch)
            self._arrange()

    def expect(self, follower: Follower) -> None:
        """Let a follower of another layer come over with the next key frame (of sound with the next packet)."""
        self._incoming.append(follower)
        if self._waits:
            self.key_frames.want()

    def forget(self, follower: Follower) -> None:
        """It doesn't come over after all."""
        if follower in self._incoming:
            self._incoming.remove(follower)

    def adopt(self, branch: Branch) -> None:
        """Serve a branch that has just switched to this source; arranged with the others that do."""
        self._branches.append(branch)

    @property
    def expects(self) -> bool:
        """Whether anybody waits to come over."""
        return bool(self._incoming)

    def refresh(self) -> None:
        """Notice outlets that opened, closed or moved."""
        now_ready = [branch for branch in self._branches if branch.start_number is not None and branch.is_ready]
        before = self._arranged
        if len(before) != len(now_ready) or any(
            branch is not other or branch.viewer.outlet.address_version != version
            for branch, (other, version) in zip(now_ready, before, strict=True)
        ):
            self._arrange()
        self._want_for_waiting()

    def _want_for_waiting(self) -> None:
        """Ask for a key frame once somebody who waits could be sent it."""
        if self._incoming or (
            self._waits and any(branch.start_number is None and branch.is_ready for branch in self._branches)
        ):
            self.key_frames.want()

    def _arrange(self) -> None:
        ready = [branch for branch in self._branches if branch.start_number is not None and branch.is_ready]
        self.fan_out.arrange(ready)
        self._arranged = [(branch, branch.viewer.outlet.address_version) for branch in ready]
        self._newest_start = max((branch.start_number or 0 for branch in ready), default=0)

    def _take_in(self, number: int, timestamp: int, now: float) -> None:
        """A key frame begins: whoever waited to come over comes over with this packet."""
        incoming, self._incoming = self._incoming, []
        for follower in incoming:
            follower.switch(self, number, timestamp, now)
        self._arrange()
        for later in range(number + 1, self.last_number + 1):
            for follower in incoming:
                follower.send_late(later)

    def _start_waiting(self, number: int) -> None:
        started = [branch for branch in self._branches if branch.start_number is None and branch.is_ready]
        if not started:
            return
        for branch in started:
            branch.start(number)
        self._arrange()
        # The key frame's first packet may itself come late: what followed it is in the ring.
        for later in range(number + 1, self.last_number + 1):
            for branch in started:
                branch.send_late(later)
