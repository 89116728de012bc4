"""The copy of a feed that its sink keeps: the highest layer that comes, as one stream."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from streams.rtp.header import Buffer, Header
from streams.rtp.payload import shift_numbers, vp8_numbers
from streams.rtp.sequence import distance
from streams.sfu.follower import Follower
from streams.sfu.track import PacketSink

if TYPE_CHECKING:
    from streams.sfu.source import Source

_fixed_into = struct.Struct("!HII").pack_into


class Tape(Follower):
    """Passes packets on as the source numbers them until the layer changes; from then on in the same line of numbers.

    The SSRC stays that of the first packet, since a new one would end the recording's file.
    """

    patience = 0.5

    def __init__(self, source: Source, sink: PacketSink, wall_ns: Callable[[], int]) -> None:
        super().__init__(source)
        self.sink = sink
        self._wall_ns = wall_ns
        self._ssrc = 0

    def take(self, packet: Buffer, length: int) -> None:
        """Take a packet of the present source, as it was just delivered."""
        data = bytes(memoryview(packet)[:length])
        if self.switches:
            newest = self.source.last_number
            self._pass_on(data, newest + distance(int.from_bytes(data[2:4], "big"), newest & 0xFFFF))
            return
        if self.start_number is None:
            self.start_number = self.source.last_number
            self._ssrc = int.from_bytes(data[8:12], "big")
        self.sink.packet("video", data, self._wall_ns())

    def send_late(self, number: int) -> None:
        kept = self.source.ring.find(number)
        if kept is not None:
            self._pass_on(bytes(kept), number)

    def report(self, ntp: int, timestamp: int) -> None:
        """Take a clock pair of the present source."""
        self.sink.report("video", ntp, (timestamp + self.timestamp_offset) & 0xFFFFFFFF)

    def _pass_on(self, data: bytes, number: int) -> None:
        if self.start_number is None or number < self.start_number:
            return
        packet = bytearray(data)
        timestamp = int.from_bytes(data[4:8], "big") + self.timestamp_offset
        _fixed_into(packet, 2, (number + self.sequence_offset) & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc)
        header = Header()
        if self.shift is not None and header.read(packet, len(packet)):
            numbers = vp8_numbers(packet, header.payload_start, header.payload_end)
            if numbers is not None:
                shift_numbers(packet, numbers, self.shift)
        self.sink.packet("video", bytes(packet), self._wall_ns())
