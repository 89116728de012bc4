"""Prepared video streams: frames of VP8's shape in real RTP packets, with a body that tells where each belongs."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from streams.rtp.header import build_packet

VP8_KEY = b"\x10\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01"
VP8_DELTA = b"\x10\x11\x02\x00"
VP8_MIDDLE = b"\x00"

_MARK = struct.Struct("!IHHQ")


class VideoStream:
    """Makes one packet after the other; `frame`, `part` and `parts` stand in each payload."""

    def __init__(
        self, seed: int, *, payload_type: int = 96, parts: int = 4, size: int = 200, key_every: int = 30
    ) -> None:
        chance = random.Random(seed)
        self.payload_type = payload_type
        self.parts, self.size, self.key_every = parts, size, key_every
        self.ssrc = chance.getrandbits(32)
        self.sequence = chance.getrandbits(16)
        self.timestamp = chance.getrandbits(32)
        self.transport_sequence = chance.getrandbits(16)
        self.frame = 0
        self._body = chance.randbytes(size)

    def next_frame(self, *, key: bool = False, transport_id: int = 0, stamp: int = 0) -> list[bytes]:
        """The packets of the next frame, numbered on; `stamp` is carried in each (a time, say)."""
        is_key = key or self.frame % self.key_every == 0
        packets = []
        for part in range(self.parts):
            head = VP8_MIDDLE if part else VP8_KEY if is_key else VP8_DELTA
            mark = _MARK.pack(self.frame, part, self.parts, stamp)
            extensions = []
            if transport_id:
                extensions.append((transport_id, struct.pack("!H", self.transport_sequence)))
                self.transport_sequence = (self.transport_sequence + 1) & 0xFFFF
            packets.append(
                build_packet(
                    payload_type=self.payload_type,
                    sequence=self.sequence,
                    timestamp=self.timestamp,
                    ssrc=self.ssrc,
                    marker=part == self.parts - 1,
                    payload=head + mark + self._body[: self.size - len(head) - len(mark)],
                    extensions=extensions,
                )
            )
            self.sequence = (self.sequence + 1) & 0xFFFF
        self.frame += 1
        self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF
        return packets


def mark_of(payload: bytes) -> tuple[int, int, int]:
    """Frame, part and parts as `VideoStream` wrote them."""
    return _read(payload)[:3]


def stamp_of(payload: bytes) -> int:
    """The stamp that `VideoStream` wrote."""
    return _read(payload)[3]


def _read(payload: bytes) -> tuple[int, int, int, int]:
    for head in (VP8_KEY, VP8_DELTA, VP8_MIDDLE):
        if payload.startswith(head):
            frame, part, parts, stamp = _MARK.unpack_from(payload, len(head))
            return frame, part, parts, stamp
    raise ValueError("not a packet of a prepared stream")


def whole_frames(payloads: Sequence[bytes]) -> set[int]:
    """The numbers of the frames of which every part is there."""
    parts: dict[int, set[int]] = {}
    whole = set()
    for payload in payloads:
        frame, part, total = mark_of(payload)
        parts.setdefault(frame, set()).add(part)
        if len(parts[frame]) == total:
            whole.add(frame)
    return whole
