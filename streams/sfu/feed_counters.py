"""What became of what a feed's publishers sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FeedCounters:
    """What came from the publishers of a feed, and what was done about it."""

    packets: int = 0
    octets: int = 0
    malformed: int = 0
    """Neither RTP nor of a length that is carried."""
    unknown: int = 0
    """Of a stream that was not negotiated, or of a second one beside the one that plays."""
    padding: int = 0
    repeated: int = 0
    """Retransmissions that came."""
    nacked: int = 0
    beyond_repair: int = 0
    """Lost, and not asked for (any more): too many, too old, or asked for too often."""
    feedback_sent: int = 0
    untold: int = 0
    """Arrivals that no feedback told of."""
    reports_sent: int = 0
    key_frame_requests: int = 0
    """Compounds that asked for key frames, of one layer or more."""
