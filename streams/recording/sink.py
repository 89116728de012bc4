"""What a feed hands its packets to: a bounded queue that never makes the forwarding loop wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from streams.recording.manifest import CloseReason, GapKind
from streams.sfu.track import Kind

QUEUE_BYTES = 16_000_000
"""About 30 s of one phone's picture: a disk may stall so long before packets are dropped."""

ITEM_BYTES = 128
"""What keeping one item costs beside its bytes, so that many small ones don't get past the bound."""
WRITING_SECONDS = 5.0
"""A recording that was written to so recently is under way; a fragment is written about each second."""
STALL_SECONDS = 3.0
"""The recorder comes round several times a second; one that doesn't for so long waits for its disk."""
Trouble = Literal["disk_full", "disk_slow", "disk_failed"]


@dataclass(frozen=True, slots=True)
class Report:
    """A publisher's sender report."""

    kind: Kind
    ntp: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The queue was full between these instants (Unix ns), and so many packets were not kept."""

    since_ns: int
    until_ns: int
    packets: int


@dataclass(frozen=True, slots=True)
class Paused:
    """Why nothing comes from the publisher just now; None: it comes."""

    cause: GapKind | None


Item = tuple[Kind, bytes, int] | Report | Dropped | Paused


class RecordingSink:
    """The forwarding loop appends, the recorder's thread takes; a deque needs no lock for that.

    `dropped` counts the packets that found the queue full; `written_at` is when the recorder last wrote to the open
    file (monotonic seconds), None while it has none open.
    """

    def __init__(self, feed: str, *, bound: int = QUEUE_BYTES, request_key_frame: Callable[[], None] | None) -> None:
        self.feed = feed
        self.request_key_frame = request_key_frame
        self.dropped = 0
        self.written_at: float | None = None
        self.looked_at: float | None = None
        """When the recorder last came round (monotonic seconds)."""
        self.refusal: Trouble | None = None
        """Why the disk takes nothing, as the recorder last saw."""
        self.closing: CloseReason | None = None
        self._items: deque[Item] = deque()
        self._bound = bound
        self._bytes_in = 0
        self._bytes_out = 0
        self._drop_since_ns = self._drop_until_ns = 0
        self._drop_count = 0

    @property
    def waiting_bytes(self) -> int:
        """How much the queue holds, with what keeping it costs."""
        return self._bytes_in - self._bytes_out

    def is_writing(self, now: float) -> bool:
        """Whether what comes is being kept; `now` is monotonic seconds."""
        written_at = self.written_at
        return written_at is not None and now - written_at < WRITING_SECONDS

    def trouble(self, now: float) -> Trouble | None:
        """What keeps what comes from being kept; `now` is monotonic seconds."""
        if self.looked_at is not None and now - self.looked_at > STALL_SECONDS:
            return "disk_slow"
        return self.refusal

    def pause(self, cause: GapKind | None) -> None:
        """Take why nothing comes, or (None) that it comes again."""
        if self.waiting_bytes <= self._bound:
            self._bytes_in += ITEM_BYTES
            self._items.append(Paused(cause))

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int) -> None:
        """Take one RTP packet in clear."""
        if self._bytes_in - self._bytes_out > self._bound or self.closing is not None:
            self.dropped += 1
            self._drop_since_ns = self._drop_since_ns or arrival_ns
            self._drop_until_ns = arrival_ns
            self._drop_count += 1
            return
        if self._drop_count:
            self._bytes_in += ITEM_BYTES
            self._items.append(Dropped(self._drop_since_ns, arrival_ns, self._drop_count))
            self._drop_since_ns = self._drop_count = 0
        self._bytes_in += len(packet) + ITEM_BYTES
        self._items.append((kind, packet, arrival_ns))

    def report(self, kind: Kind, ntp: int, rtp_timestamp: int) -> None:
        """Take one pair of the publisher's clocks; with the queue full, the next one does."""
        if self.waiting_bytes <= self._bound:
            self._bytes_in += ITEM_BYTES
            self._items.append(Report(kind, ntp, rtp_timestamp))

    def close(self, reason: CloseReason) -> None:
        """No more will come; what is queued is still written. Repeating it changes nothing."""
        if self.closing is None:
            if self._drop_count:
                self._items.append(Dropped(self._drop_since_ns, self._drop_until_ns, self._drop_count))
                self._bytes_in += ITEM_BYTES
            self.closing = reason

    def take(self) -> Item | None:
        """The oldest item, for the recorder's thread."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._bytes_out += ITEM_BYTES + (len(item[1]) if isinstance(item, tuple) else 0)
        return item
