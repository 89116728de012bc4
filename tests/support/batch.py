"""Packets as the port's C loop hands them over: opened, in one batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streams import native
from streams.sfu.feed import Feed
from streams.transport.inbox import Inbox

needs_loops = pytest.mark.skipif(native.lib is None, reason="the C loops are not built here")


class Batch:
    """A batch of a port that isn't there; it needs the C loops."""

    def __init__(self) -> None:
        self._inbox = Inbox()

    def deliver(self, feed: Feed, packets: Sequence[tuple[bytes, float]]) -> int:
        """Let a feed take packets that arrived at these times; how many it took together with another."""
        in_runs = 0
        for first in range(0, len(packets), native.lib.BATCH):
            in_runs += self._deliver(feed, packets[first : first + native.lib.BATCH])
        return in_runs

    def _deliver(self, feed: Feed, packets: Sequence[tuple[bytes, float]]) -> int:
        inbox, batch, step, in_runs = self._inbox, self._inbox.batch, 0, 0
        batch.todo_count = len(packets)
        for place, (packet, at) in enumerate(packets):
            batch.todo[place] = place
            inbox.buffers[place][: len(packet)] = packet
            _, arrival = inbox.todo(place)
            arrival.at, arrival.length, arrival.peer, arrival.kind = at, len(packet), 1, native.lib.OPENED_RTP
            arrival.source = int.from_bytes(packet[8:12], "big")
        while step < len(packets):
            place, arrival = inbox.todo(step)
            taken = feed.run_received(batch, step, arrival.source)
            in_runs += taken if taken > 1 else 0
            if not taken:
                feed.rtp_received(inbox.buffers[place], arrival.length, arrival.at)
            step += taken or 1
        return in_runs
