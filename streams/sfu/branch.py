"""One media line of one viewer: which source it takes, in which numbering, and what the viewer says of it."""

from __future__ import annotations

import random
import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from pylibsrtp import Session

from streams.rtp.header import Header
from streams.rtp.payload import shift_numbers, vp8_numbers
from streams.rtp.rtcp import ReportBlock, SenderReport
from streams.rtp.rtx import encapsulate
from streams.rtp.sequence import distance
from streams.sfu.follower import Follower, Stretch
from streams.sfu.layout import TRANSPORT_NUMBER_OFFSET, Layout
from streams.sfu.road import Train
from streams.sfu.sent_log import OVERHEAD
from streams.sfu.track import Track

if TYPE_CHECKING:
    from streams.sfu.source import Source
    from streams.sfu.viewer import Viewer

_fixed_into = struct.Struct("!BBHII").pack_into
_number_into = struct.Struct("!H").pack_into
_header = Header()
"""Filled anew for each packet that is sent again."""

REPORT_INTERVAL = 1.0
LOOK_INTERVAL = 0.25
"""How often it is looked whether there is something to report yet."""
REPEAT_PAUSE = 0.01
"""A packet that was sent again is not sent again within this time, whatever is asked."""
REPEATS_KEPT = 512
REPEATS_PER_SECOND = 400
REPEATS_AT_ONCE = 400
PAD_PACKETS = 64
PAD_CHOICE = 24
"""How many of the newest packets are looked at for the longest ones."""
PADDING = 255
"""The most that one packet can hold."""


class Branch(Follower):
    """The numbers are the viewer's: those of the source plus offsets that stay until the viewer leaves or switches."""

    def __init__(self, viewer: Viewer, track: Track, source: Source) -> None:
        if track.ssrc is None:
            raise ValueError("a viewer's track needs the SSRC that was announced")
        super().__init__(source)
        self.viewer = viewer
        self.track = track
        self.ssrc = track.ssrc
        self.payload_type = track.codec.payload_type
        # Without a retransmission stream a resent packet must be the same to the bit (one nonce, one plaintext),
        # so it can't carry a transport-wide number of its own: such a stream has either numbers or repeats.
        self.repeats_apart = track.rtx_ssrc is not None and track.codec.rtx_payload_type is not None
        is_numbered = track.transport_cc and (self.repeats_apart or not track.nack)
        self.layout = Layout(track.extensions, transport_cc=is_numbered)
        self._may_repeat = self.repeats_apart or not self.layout.transport_number
        self.timestamp_offset = random.getrandbits(32)
        self._packets_before = self._octets_before = 0
        self._repeat_sequence = random.getrandbits(15)
        self._repeated: OrderedDict[int, float] = OrderedDict()
        self._allowance = float(REPEATS_AT_ONCE)
        self._allowance_at = 0.0
        self.report_at = 0.0
        self.repeated = self.refused = self.padded = 0
        self.fraction_lost = 0.0
        self.packets_lost = 0
        self.jitter_seconds = 0.0

    @property
    def session(self) -> Session:
        """The secured session to send by; only asked for while the outlet is open."""
        session = self.viewer.outlet.srtp_out
        if session is None:
            raise RuntimeError("the outlet is not secured yet")
        return session

    @property
    def address(self) -> tuple[Any, ...]:
        """Where to send; only asked for while the outlet is open."""
        address = self.viewer.outlet.address
        if address is None:
            raise RuntimeError("the outlet has no address yet")
        return address

    @property
    def is_ready(self) -> bool:
        """Whether packets can be sent at all."""
        outlet = self.viewer.outlet
        return outlet.is_open and outlet.srtp_out is not None and outlet.address is not None

    def start(self, number: int) -> None:
        """Begin with the source's packet of this number, under a number drawn by lot."""
        self.start_number = number
        self.sequence_offset = random.getrandbits(15) - number
        self._packets_before, self._octets_before = self.source.packets, self.source.octets
        self.viewer.on_picture()

    def relocate(self, source: Source) -> None:
        """Wait for the key frame of another source."""
        self.source.leave(self)
        super().relocate(source)
        self.is_halted = False
        source.join(self)

    def await_key_frame(self, source: Source | None) -> None:
        """Go over with another layer's next key frame, or stay; the page is told that it waits."""
        is_other = source is not self.coming
        super().await_key_frame(source)
        if is_other:
            self.viewer.on_picture()

    def switch(self, source: Source, number: int, timestamp: int, now: float) -> None:
        """Go on with another layer, under the same SSRC."""
        before, stand = self.source, self.stand
        super().switch(source, number, timestamp, now)
        self._packets_before += source.packets - stand.packets
        self._octets_before += source.octets - stand.octets
        self.viewer.switches += source is not before
        before.leave(self)
        source.adopt(self)
        self.viewer.on_picture()

    def halt(self) -> None:
        """Be sent nothing; what was sent before isn't repeated either, since the next picture doesn't build on it."""
        if not self.is_halted:
            self.source.leave(self)
            super().halt()

    # -- packets outside the common way

    def send_late(self, number: int) -> None:
        """Send the source's kept packet of this number out of turn, under its own number."""
        kept = self.source.ring.find(number)
        if kept is None or not self.is_ready or self.start_number is None or number < self.start_number:
            return
        packet, _ = self._rewritten(kept, number, self._present())
        self.source.forwarder.send_one(self.session, packet, self.address)

    def repeat(self, sequences: tuple[int, ...], now: float) -> None:
        """Answer a NACK from the ring, within the allowance."""
        if self.start_number is None or not self.is_ready:
            return
        if self.is_halted or not self._may_repeat:
            self.refused += len(sequences)
            return
        self._allowance = min(float(REPEATS_AT_ONCE), self._allowance + (now - self._allowance_at) * REPEATS_PER_SECOND)
        self._allowance_at = now
        present = self._present()
        first = present.first + present.sequence_offset
        for sequence in sequences:
            out = present.last_out + distance(sequence, present.last_out & 0xFFFF)
            stretch = present if out >= first else self.find_stretch(out)
            kept = None if stretch is None else self._kept(stretch, out)
            if stretch is None or kept is None:
                self.refused += 1
                continue
            last = self._repeated.get(out)
            if self._allowance < 1 or (last is not None and now - last < REPEAT_PAUSE):
                self.refused += 1
                continue
            page = self.viewer.page
            if page is not None and not page.may_repeat(len(kept), now):
                self.refused += 1
                continue
            self._allowance -= 1
            self._repeated[out] = now
            self._repeated.move_to_end(out)
            if len(self._repeated) > REPEATS_KEPT:
                self._repeated.popitem(last=False)
            self._send_again(kept, out - stretch.sequence_offset, stretch)
            self.repeated += 1

    def pad(self, octets: int) -> Train | None:
        """Send about so many bytes at once that carry nothing new: they tell how quickly the road lets them through.

        The newest packets again, or empty ones where nothing is given now. None where repeats have no stream of their
        own, or can't be sent.
        """
        if not self.repeats_apart or not self.layout.transport_number or not self.is_ready:
            return None
        present = self._present()
        kept = [] if self.start_number is None or self.is_halted else self._longest(present)
        count = size = 0
        clock = self.source.forwarder.clock
        first_at = clock()
        while size < octets and count < PAD_PACKETS:
            size += OVERHEAD
            if kept:
                number, packet = kept[count % len(kept)]
                size += self._send_again(packet, number, present)
            else:
                size += self._send_padding()
            count += 1
        self.padded += count
        return Train(count, size, first_at, clock())

    def _longest(self, present: Stretch) -> list[tuple[int, memoryview]]:
        """The longest of the packets that were given last: fewer of them are needed."""
        newest = present.last_out - present.sequence_offset
        numbers = range(newest, max(newest - PAD_CHOICE, present.first - 1), -1)
        kept = [
            (n, packet) for n in numbers if (packet := self._kept(present, n + present.sequence_offset)) is not None
        ]
        return sorted(kept, key=lambda pair: -len(pair[1]))[: PAD_CHOICE // 2]

    def _send_padding(self) -> int:
        """Send one packet of the retransmission stream that repeats nothing; returns its bytes."""
        self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
        packet = bytearray(12) + self.layout.block(b"", (), self.source.extensions)
        payload_type = self.track.codec.rtx_payload_type or 0
        timestamp = (self.source.last_timestamp + self.timestamp_offset) & 0xFFFFFFFF
        first = 0xB0  # with extensions and padding
        _fixed_into(packet, 0, first, payload_type, self._repeat_sequence, timestamp, self.track.rtx_ssrc or 0)
        packet += bytes(PADDING - 1) + bytes((PADDING,))
        self._number(packet)
        self.source.forwarder.send_one(self.session, packet, self.address)
        return len(packet)

    def _number(self, packet: bytearray) -> None:
        """Give a packet the viewer's next transport-wide number, and note it."""
        number = self.viewer.trail.note(len(packet), self.source.forwarder.clock())
        _number_into(packet, TRANSPORT_NUMBER_OFFSET, number)

    def _present(self) -> Stretch:
        """What is given now, as if it ended here."""
        last = self.source.last_number if self._stood is None else self._stood.number
        first, last_out = self.start_number or 0, last + self.sequence_offset
        return Stretch(self.source, first, last_out, self.sequence_offset, self.timestamp_offset, self.shift)

    def _kept(self, stretch: Stretch, out: int) -> memoryview | None:
        """The packet that went out, or was to go out, under this number."""
        number = out - stretch.sequence_offset
        return stretch.source.ring.find(number) if number >= stretch.source.repeats_from else None

    def _send_again(self, kept: memoryview, number: int, stretch: Stretch) -> int:
        packet, size = self._rewritten(kept, number, stretch)
        codec, ssrc = self.track.codec, self.track.rtx_ssrc
        if ssrc is not None and codec.rtx_payload_type is not None:
            self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
            packet = encapsulate(
                packet,
                header_size=size,
                payload_type=codec.rtx_payload_type,
                sequence=self._repeat_sequence,
                ssrc=ssrc,
            )
        self.source.forwarder.send_one(self.session, packet, self.address)
        return len(packet)

    def _rewritten(self, kept: memoryview, number: int, stretch: Stretch) -> tuple[bytearray, int]:
        """The kept packet in this viewer's form, and the size of its header."""
        header = _header
        header.read(kept, len(kept))
        block = self.layout.block(kept, header.elements(kept), stretch.source.extensions)
        packet = bytearray(12) + block + kept[header.payload_start : header.payload_end]
        _fixed_into(
            packet,
            0,
            0x90 if block else 0x80,
            (0x80 if header.marker else 0) | self.payload_type,
            (number + stretch.sequence_offset) & 0xFFFF,
            (header.timestamp + stretch.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        if self.layout.transport_number:
            self._number(packet)
        size = 12 + len(block)
        if stretch.shift is not None:
            numbers = vp8_numbers(packet, size, len(packet))
            if numbers is not None:
                shift_numbers(packet, numbers, stretch.shift)
        return packet, size

    # -- reports

    def sender_report(self, now: float) -> SenderReport | None:
        """The publisher's clock pair in this viewer's numbering, if one is due; moved on to now by whole ticks."""
        if now < self.report_at:
            return None
        pair = None if self.start_number is None or self.is_halted else self.source.clock_pair(now)
        if pair is None:
            self.report_at = now + LOOK_INTERVAL
            return None
        self.report_at = now + REPORT_INTERVAL
        ntp, timestamp = pair
        return SenderReport(
            self.ssrc,
            ntp,
            (timestamp + self.timestamp_offset) & 0xFFFFFFFF,
            self.source.packets - self._packets_before,
            self.source.octets - self._octets_before,
        )

    def block_received(self, block: ReportBlock) -> None:
        """What the viewer says of this line."""
        self.fraction_lost = block.fraction_lost / 256
        self.packets_lost = block.packets_lost
        self.jitter_seconds = block.jitter / self.track.codec.clock_rate
