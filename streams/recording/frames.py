"""Frames: what depacketisers make of packets, and what containers write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from streams.recording.packets import RtpPacket

FRAME_BOUND = 8_000_000
"""No frame of a phone is longer; one that is has lost its end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One coded picture or one audio packet; `timestamp` is the 32-bit one of RTP."""

    timestamp: int
    arrival_ns: int
    data: bytes
    is_key: bool


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a file's header says of its pictures; `configuration` is H.264's avcC."""

    codec: Literal["H264", "VP8"]
    width: int
    height: int
    codec_string: str
    configuration: bytes = b""


@dataclass(slots=True)
class Sample:
    """A frame on its file's time line, in ticks of its track's clock from the file's start."""

    time: int
    duration: int
    data: bytes
    is_key: bool


class Depacketiser(Protocol):
    """Makes frames of the packets of one track, given in order."""

    @property
    def format(self) -> VideoFormat | None:
        """What the last key frame said of the pictures; None before the first, and for sound."""

    def push(self, packet: RtpPacket) -> list[Frame]:
        """Take the next packet; return the frames that are complete with it, most often none."""

    def lost(self) -> None:
        """Packets are missing here: a frame that they belonged to can't be completed."""
