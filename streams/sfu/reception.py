"""What the node says of a stream that it receives (RFC 3550 §6.4, appendices A.1, A.3 and A.8)."""

from __future__ import annotations

from streams.rtp.rtcp import ReportBlock, SenderReport
from streams.rtp.sequence import Unwrapper

_MAX_JUMP = 3000
"""A jump further than this is a sender that started over (RFC 3550's MAX_DROPOUT)."""


class Reception:
    """Counts of one received SSRC."""

    __slots__ = (
        "_base",
        "_clock_rate",
        "_expected_prior",
        "_received_prior",
        "_report_at",
        "_report_middle",
        "_unwrapper",
        "jitter",
        "octets",
        "received",
        "ssrc",
        "transit",
    )

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.received = self.octets = 0
        self._clock_rate = clock_rate
        self._unwrapper = Unwrapper()
        self._base = 0
        self.jitter = 0.0
        """Interarrival jitter in the stream's ticks."""
        self.transit: float | None = None
        """By its clock and ours, how long the last packet was under way: only differences mean anything."""
        self._expected_prior = self._received_prior = 0
        self._report_middle = 0
        self._report_at: float | None = None

    @property
    def highest(self) -> int | None:
        """The highest unwrapped number so far."""
        return self._unwrapper.highest

    @property
    def jitter_seconds(self) -> float:
        """Interarrival jitter."""
        return self.jitter / self._clock_rate

    def place(self, sequence: int) -> int:
        """The unwrapped number of a repaired packet, which counts nowhere."""
        return self._unwrapper.place(sequence)

    def is_restart(self, sequence: int) -> bool:
        """Whether `sequence` lies so far off that the sender must have started over."""
        highest = self._unwrapper.highest
        return highest is not None and abs(self._unwrapper.place(sequence) - highest) > _MAX_JUMP

    def count(self, sequence: int, timestamp: int, size: int, now: float) -> int:
        """Take a packet as it arrived; returns its unwrapped number."""
        before = self._unwrapper.highest
        index = self._unwrapper.unwrap(sequence)
        if before is None:
            self._base = index
        self.received += 1
        self.octets += size
        # Transit is taken on the 32-bit circle, so its difference is wrapped rather than its parts.
        transit = (now * self._clock_rate - timestamp) % 4294967296.0
        if self.transit is not None:
            step = abs((transit - self.transit + 2147483648.0) % 4294967296.0 - 2147483648.0)
            self.jitter += (step - self.jitter) / 16
        self.transit = transit
        return index

    def took(self, last: int, count: int, octets: int) -> None:
        """So many packets came in order, of which `last` is the unwrapped number; `jitter` and `transit` know them."""
        self._unwrapper.highest = last
        self.received += count
        self.octets += octets

    def report_received(self, report: SenderReport, now: float) -> None:
        """Remember the sender's report, for LSR and DLSR."""
        self._report_middle = report.ntp >> 16 & 0xFFFFFFFF
        self._report_at = now

    def block(self, now: float) -> ReportBlock | None:
        """What to report now; None before the first packet. The fraction covers the time since the last call."""
        highest = self._unwrapper.highest
        if highest is None:
            return None
        expected = highest - self._base + 1
        expected_now, received_now = expected - self._expected_prior, self.received - self._received_prior
        self._expected_prior, self._received_prior = expected, self.received
        lost_now = expected_now - received_now
        fraction = min(255, lost_now * 256 // expected_now) if expected_now > 0 and lost_now > 0 else 0
        delay = 0 if self._report_at is None else int((now - self._report_at) * 65536)
        # The line begins one lap in; on the wire the first lap is numbered 0.
        return ReportBlock(
            self.ssrc,
            fraction,
            expected - self.received,
            highest - 0x10000,
            int(self.jitter),
            self._report_middle,
            delay,
        )
