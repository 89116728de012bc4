"""RTCP packets (RFC 3550 §6, RFC 4585, RFC 5104, REMB), read from and written as compounds."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from streams.rtp.transport_feedback import MAX_STATUSES, TransportFeedback

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, BYE = 200, 201, 202, 203
TRANSPORT_LAYER, PAYLOAD_SPECIFIC = 205, 206
_NACK, _TRANSPORT_CC = 1, 15
_PLI, _FIR, _APPLICATION = 1, 4, 15

_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IIIIII")
_WORD, _TWO_WORDS = struct.Struct("!I"), struct.Struct("!II")
_SENDER = struct.Struct("!IQIII")
_NACK_ITEM = struct.Struct("!HH")

MAX_REPORTS = 16
"""Nobody puts more into one compound; what follows them isn't read."""
MAX_NACKED = 512
"""More lost packets than this in one message are a fault or an attack; the rest isn't read."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one stream; `fraction_lost` in 1/256, `delay_since_report` in 1/65536 s."""

    ssrc: int
    fraction_lost: int = 0
    packets_lost: int = 0
    highest_sequence: int = 0
    jitter: int = 0
    last_report: int = 0
    delay_since_report: int = 0

    def __bytes__(self) -> bytes:
        lost = max(-0x800000, min(0x7FFFFF, self.packets_lost)) & 0xFFFFFF
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest_sequence & 0xFFFFFFFF,
            self.jitter & 0xFFFFFFFF,
            self.last_report,
            self.delay_since_report & 0xFFFFFFFF,
        )

    @classmethod
    def read(cls, data: bytes, offset: int) -> ReportBlock:
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(data, offset)
        lost = loss & 0xFFFFFF
        return cls(ssrc, loss >> 24, lost - 0x1000000 if lost & 0x800000 else lost, highest, jitter, last, delay)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A sender's pair of times: 64-bit NTP and the RTP timestamp of the same instant."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int = 0
    octet_count: int = 0
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = _SENDER.pack(
            self.ssrc,
            self.ntp,
            self.rtp_timestamp,
            self.packet_count & 0xFFFFFFFF,
            self.octet_count & 0xFFFFFFFF,
        )
        return _packet(SENDER_REPORT, len(self.blocks), body + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """What one receiver says of up to 31 streams."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        return _packet(RECEIVER_REPORT, len(self.blocks), _WORD.pack(self.ssrc) + b"".join(map(bytes, self.blocks)))


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """The canonical name of one source, which ties its streams together."""

    ssrc: int
    cname: str

    def __bytes__(self) -> bytes:
        name = self.cname.encode()[:255]
        chunk = _WORD.pack(self.ssrc) + bytes((1, len(name))) + name + b"\0"
        return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(-len(chunk) % 4))


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources are over."""

    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        return _packet(BYE, len(self.ssrcs), b"".join(map(_WORD.pack, self.ssrcs)))


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers that are missing (RFC 4585 §6.2.1)."""

    sender_ssrc: int
    media_ssrc: int
    lost: tuple[int, ...]

    def __bytes__(self) -> bytes:
        items = bytearray()
        first, mask = -1, 0
        for number in self.lost:
            step = (number - first - 1) & 0xFFFF
            if first >= 0 and step < 16:
                mask |= 1 << step
                continue
            if first >= 0:
                items += _NACK_ITEM.pack(first, mask)
            first, mask = number, 0
        if first >= 0:
            items += _NACK_ITEM.pack(first, mask)
        return _packet(TRANSPORT_LAYER, _NACK, _TWO_WORDS.pack(self.sender_ssrc, self.media_ssrc) + items)


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """A key frame is wanted (PLI)."""

    sender_ssrc: int
    media_ssrc: int

    def __bytes__(self) -> bytes:
        return _packet(PAYLOAD_SPECIFIC, _PLI, _TWO_WORDS.pack(self.sender_ssrc, self.media_ssrc))


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """A key frame is wanted (FIR); a repeated command number asks for nothing new."""

    sender_ssrc: int
    commands: tuple[tuple[int, int], ...]

    def __bytes__(self) -> bytes:
        entries = b"".join(_TWO_WORDS.pack(ssrc, number << 24) for ssrc, number in self.commands)
        return _packet(PAYLOAD_SPECIFIC, _FIR, _TWO_WORDS.pack(self.sender_ssrc, 0) + entries)


@dataclass(frozen=True, slots=True)
class BitrateEstimate:
    """What a receiver believes it can take, in bits a second (REMB)."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]

    def __bytes__(self) -> bytes:
        exponent = max(0, self.bitrate_bps.bit_length() - 18)
        word = len(self.ssrcs) << 24 | exponent << 18 | self.bitrate_bps >> exponent
        body = _TWO_WORDS.pack(self.sender_ssrc, 0) + b"REMB" + _WORD.pack(word)
        return _packet(PAYLOAD_SPECIFIC, _APPLICATION, body + b"".join(map(_WORD.pack, self.ssrcs)))


Report = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | BitrateEstimate
    | TransportFeedback
)


def build(reports: Sequence[Report]) -> bytes:
    """One compound packet."""
    return b"".join(map(bytes, reports))


def parse(data: bytes) -> list[Report]:
    """What a compound holds. Unknown and malformed parts are left out; the rest stays."""
    found: list[Report] = []
    position = statuses = 0
    while position + 4 <= len(data) and len(found) < MAX_REPORTS and statuses <= MAX_STATUSES:
        first, kind, words = _HEAD.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first & 0xC0 != 0x80 or end > len(data):
            break
        body = data[position + 4 : end]
        if first & 0x20 and body:
            body = body[: max(0, len(body) - body[-1])]
        found.extend(_read(kind, first & 0x1F, body))
        if found and isinstance(found[-1], TransportFeedback):
            # A few bytes can speak of thousands of packets: as many as one feedback may, all may together.
            statuses += len(found[-1].arrivals)
        position = end
    return found


def _read(kind: int, count: int, body: bytes) -> Iterator[Report]:
    if len(body) < 4:
        return
    (ssrc,) = _WORD.unpack_from(body)
    if kind == SENDER_REPORT:
        if len(body) >= 24:
            _, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            yield SenderReport(ssrc, ntp, timestamp, packets, octets, tuple(_blocks(body, 24, count)))
    elif kind == RECEIVER_REPORT:
        yield ReceiverReport(ssrc, tuple(_blocks(body, 4, count)))
    elif kind == BYE:
        yield Bye(tuple(_words(body, 0, count)))
    elif kind == SOURCE_DESCRIPTION:
        size = body[5] if len(body) >= 6 and body[4] == 1 else -1
        if 0 <= size <= len(body) - 6:
            yield SourceDescription(ssrc, body[6 : 6 + size].decode(errors="replace"))
    elif kind == TRANSPORT_LAYER and len(body) >= 8:
        yield from _read_transport(count, body)
    elif kind == PAYLOAD_SPECIFIC and len(body) >= 8:
        yield from _read_payload(count, body)


def _read_transport(form: int, body: bytes) -> Iterator[Report]:
    sender, media = _TWO_WORDS.unpack_from(body)
    if form == _NACK:
        yield Nack(sender, media, tuple(_lost(body)))
    elif form == _TRANSPORT_CC:
        feedback = TransportFeedback.read(body)
        if feedback is not None:
            yield feedback


def _read_payload(form: int, body: bytes) -> Iterator[Report]:
    sender, media = _TWO_WORDS.unpack_from(body)
    if form == _PLI:
        yield PictureLoss(sender, media)
    elif form == _FIR:
        entries = range(8, len(body) - 7, 8)
        yield FullIntraRequest(sender, tuple((_WORD.unpack_from(body, i)[0], body[i + 4]) for i in entries))
    elif form == _APPLICATION and body[8:12] == b"REMB" and len(body) >= 16:
        (word,) = _WORD.unpack_from(body, 12)
        bitrate = (word & 0x3FFFF) << ((word >> 18) & 0x3F)
        yield BitrateEstimate(sender, bitrate, tuple(_words(body, 16, word >> 24)))


def _blocks(body: bytes, offset: int, count: int) -> Iterable[ReportBlock]:
    for index in range(count):
        if offset + 24 * (index + 1) > len(body):
            return
        yield ReportBlock.read(body, offset + 24 * index)


def _words(body: bytes, offset: int, count: int) -> Iterable[int]:
    for position in range(offset, min(offset + 4 * count, len(body) - 3), 4):
        yield _WORD.unpack_from(body, position)[0]


def _lost(body: bytes) -> Iterable[int]:
    left = MAX_NACKED
    for position in range(8, len(body) - 3, 4):
        first, mask = _NACK_ITEM.unpack_from(body, position)
        for step in range(17):
            if step == 0 or mask >> (step - 1) & 1:
                if not left:
                    return
                left -= 1
                yield (first + step) & 0xFFFF


def _packet(kind: int, count: int, body: bytes | bytearray) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + bytes(body)
