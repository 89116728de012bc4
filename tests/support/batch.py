"""Packets as the port's C loop hands them over: opened, in one batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams import native
from streams.native import Data, ffi
from streams.sfu.feed import Feed


class Batch:
    """A batch of a port that isn't there; it needs the C loops."""

    def __init__(self) -> None:
        self._batch: Data = ffi.new("struct batch *")
        self.buffers = [bytearray(native.lib.DATAGRAM_BYTES) for _ in range(native.lib.BATCH)]
        self._kept = [ffi.from_buffer(buffer) for buffer in self.buffers]
        for place, data in enumerate(self._kept):
            self._batch.buffers[place] = ffi.cast("uint8_t *", data)

    def deliver(self, feed: Feed, packets: Sequence[tuple[bytes, float]]) -> int:
        """Let a feed take packets that arrived at these times; how many it took together with another."""
        in_runs = 0
        for first in range(0, len(packets), native.lib.BATCH):
            in_runs += self._deliver(feed, packets[first : first + native.lib.BATCH])
        return in_runs

    def _deliver(self, feed: Feed, packets: Iterable[tuple[bytes, float]]) -> int:
        batch, step, in_runs = self._batch, 0, 0
        batch.todo_count = 0
        for place, (packet, at) in enumerate(packets):
            arrival = batch.arrivals[place]
            self.buffers[place][: len(packet)] = packet
            arrival.at, arrival.length, arrival.peer, arrival.kind = at, len(packet), 1, native.lib.OPENED_RTP
            arrival.source = int.from_bytes(packet[8:12], "big")
            batch.todo[place] = place
            batch.todo_count += 1
        while step < batch.todo_count:
            arrival = batch.arrivals[step]
            taken = feed.run_received(batch, step, arrival.source)
            in_runs += taken if taken > 1 else 0
            if not taken:
                feed.rtp_received(self.buffers[step], arrival.length, arrival.at)
            step += taken or 1
        return in_runs
