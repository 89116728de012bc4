"""Transport-wide congestion feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

TICKS_PER_SECOND = 4000
"""Arrival times count in quarters of a millisecond."""
TICKS_PER_REFERENCE = 256
"""The reference time counts in 64 ms."""
MAX_STATUSES = 2048
"""Longer feedback than a second of the fastest stream is a fault or an attack."""
MAX_SILENCE = 512
"""So many packets lost in a row are an outage: feedback ends before it, and begins anew after it."""

_HEAD = struct.Struct("!BBH")
_FIXED = struct.Struct("!IIHHI")
_CHUNK = struct.Struct("!H")
_LARGE = struct.Struct("!h")
_LOST, _SMALL_DELTA, _LARGE_DELTA = 0, 1, 2
_USUAL = struct.Struct("!IIHHIIHHIH")
_EMPTY_REPORT, _FEEDBACK = 0x80C90001, 0x8FCD
"""First words of a receiver report that says nothing, and of feedback without padding."""
_ALL_SMALL = _SMALL_DELTA << 13
"""The chunk of a run of packets that came one soon after the other; its length is to be added."""


@dataclass(slots=True)  # not frozen: viewers send twenty a second each, and it would take thrice as long to make
class TransportFeedback:
    """When each packet from `base_sequence` on arrived: ticks after `reference_time` * 64 ms, or None if it did not."""

    sender_ssrc: int
    media_ssrc: int
    base_sequence: int
    count: int
    reference_time: int
    arrivals: tuple[int | None, ...]
    is_whole: bool = field(default=False, compare=False, repr=False)
    """Whether it is known beforehand that none of them is None."""

    @classmethod
    def of(
        cls, sender_ssrc: int, media_ssrc: int, count: int, first: int, last: int, ticks: Mapping[int, int]
    ) -> tuple[TransportFeedback, int]:
        """Feedback on the unwrapped numbers `first` to `last`, whose arrival `ticks` are known of some.

        One of the first `MAX_STATUSES` of them must have arrived. Returns it with the last number that it covers:
        a jump of more than 8 s between two arrivals does not fit a delta and ends it early, as a long outage does.
        """
        reference = next(ticks[n] for n in range(first, last + 1) if n in ticks) // TICKS_PER_REFERENCE
        previous = reference * TICKS_PER_REFERENCE
        origin = previous
        arrivals: list[int | None] = []
        silence = 0
        for number in range(first, min(last, first + MAX_STATUSES - 1) + 1):
            tick = ticks.get(number)
            if tick is None:
                silence += 1
                if silence > MAX_SILENCE:
                    break
                arrivals.append(None)
                continue
            silence = 0
            if not -0x8000 <= tick - previous <= 0x7FFF:
                break
            previous = tick
            arrivals.append(tick - origin)
        while arrivals[-1] is None:
            arrivals.pop()
        covered = first + len(arrivals) - 1
        feedback = cls(sender_ssrc, media_ssrc, first & 0xFFFF, count & 0xFF, reference & 0xFFFFFF, tuple(arrivals))
        return feedback, covered

    def __bytes__(self) -> bytes:
        symbols: list[int] = []
        deltas = bytearray()
        previous = 0
        for arrival in self.arrivals:
            if arrival is None:
                symbols.append(_LOST)
                continue
            delta = arrival - previous
            previous = arrival
            if 0 <= delta <= 0xFF:
                symbols.append(_SMALL_DELTA)
                deltas.append(delta)
            else:
                symbols.append(_LARGE_DELTA)
                deltas += _LARGE.pack(delta)
        fixed = _FIXED.pack(
            self.sender_ssrc,
            self.media_ssrc,
            self.base_sequence,
            len(symbols),
            self.reference_time << 8 | self.count,
        )
        body = fixed + _chunks(symbols) + deltas
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes((padding,))
        return _HEAD.pack(0x8F | (0x20 if padding else 0), 205, len(body) // 4) + body

    @classmethod
    def read_usual(cls, compound: bytes) -> TransportFeedback | None:
        """Read the compound that viewers send twenty times a second: an empty report, and feedback.

        In one step where all arrived, as nearly always. None for everything else, to be read as usual.
        """
        if len(compound) < _USUAL.size:
            return None
        report, _, head, words, sender, media, base, length, packed, chunk = _USUAL.unpack_from(compound)
        if report != _EMPTY_REPORT or head & 0xDFFF != _FEEDBACK or len(compound) != 12 + 4 * words:
            return None
        end = _USUAL.size + length
        if chunk != _ALL_SMALL | length or length >= _ALL_SMALL or end > len(compound):
            padding = compound[-1] if head != _FEEDBACK else 0
            return cls.read(compound[12 : len(compound) - padding])
        arrivals = tuple(accumulate(compound[_USUAL.size : end]))
        return cls(sender, media, base, packed & 0xFF, packed >> 8, arrivals, True)

    @classmethod
    def read(cls, body: bytes) -> TransportFeedback | None:
        """Read what follows the four-byte head, padding taken off; None for what is malformed."""
        if len(body) < _FIXED.size:
            return None
        sender, media, base, length, packed = _FIXED.unpack_from(body)
        if length > MAX_STATUSES:
            return None
        symbols, position = _read_chunks(body, length)
        if symbols is None:
            return None
        arrivals: list[int | None] = []
        time = 0
        for symbol in symbols:
            size = symbol if symbol < 3 else 0
            if position + size > len(body):
                return None
            if symbol == _SMALL_DELTA:
                time += body[position]
            elif symbol == _LARGE_DELTA:
                time += _LARGE.unpack_from(body, position)[0]
            position += size
            arrivals.append(time if size else None)
        return cls(sender, media, base, packed & 0xFF, packed >> 8, tuple(arrivals))

    @property
    def received(self) -> int:
        """How many of the packets arrived."""
        return sum(arrival is not None for arrival in self.arrivals)


def _chunks(symbols: list[int]) -> bytes:
    """Pack symbols: a run where at least seven are alike, else a vector of fourteen bits or seven pairs."""
    packed = bytearray()
    position, total = 0, len(symbols)
    while position < total:
        symbol = symbols[position]
        run = 1
        while position + run < total and run < 0x1FFF and symbols[position + run] == symbol:
            run += 1
        window = symbols[position : position + 14]
        narrow = max(window) <= _SMALL_DELTA
        if run >= (14 if narrow else 7) or position + run == total:
            packed += _CHUNK.pack(symbol << 13 | run)
            position += run
        elif narrow:
            bits = 0
            for step, value in enumerate(window):
                bits |= value << (13 - step)
            packed += _CHUNK.pack(0x8000 | bits)
            position += 14
        else:
            bits = 0
            for step, value in enumerate(window[:7]):
                bits |= value << (12 - 2 * step)
            packed += _CHUNK.pack(0xC000 | bits)
            position += 7
    return bytes(packed)


def _read_chunks(body: bytes, count: int) -> tuple[list[int] | None, int]:
    symbols: list[int] = []
    position = _FIXED.size
    while len(symbols) < count:
        if position + 2 > len(body):
            return None, position
        (chunk,) = _CHUNK.unpack_from(body, position)
        position += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13 & 3] * min(chunk & 0x1FFF, count - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -2, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:count], position
