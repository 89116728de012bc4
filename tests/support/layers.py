"""A prepared picture in three layers, as a browser sends them: VP8 or H.264, told apart by rid in the first packets."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from streams.rtp.header import MID, REPAIRED_RID, RID, TRANSPORT_CC, build_packet
from streams.rtp.rtcp import SenderReport
from streams.rtp.rtx import encapsulate, header_size
from streams.sfu.track import LAYERS, Codec, CodecName, Layer, Track

RIDS = ("l", "m", "h")
MID_ID, RID_ID, REPAIRED_ID, TRANSPORT_ID = 4, 10, 11, 3
EXTENSIONS = {MID: MID_ID, RID: RID_ID, REPAIRED_RID: REPAIRED_ID, TRANSPORT_CC: TRANSPORT_ID}
NAMED_PACKETS = 6
"""So many packets of each stream carry mid and rid; a browser stops when it has read a report of the stream."""
CLOCK_RATE = 90_000

_MARK = struct.Struct("!4sBIH")
_MAGIC = b"mark"
_SPS = bytes.fromhex("6742c01fdb02802dd0")
_PPS = bytes.fromhex("68ca83cb20")


def layered_track(codec: CodecName = "VP8", rids: tuple[str, ...] = RIDS) -> Track:
    """What was agreed on with such a publisher."""
    return Track(
        "video",
        "0",
        Codec(codec, CLOCK_RATE, 96, 97),
        EXTENSIONS,
        nack=True,
        pli=True,
        transport_cc=True,
        rids=rids,
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a payload belongs."""

    layer: Layer
    frame: int
    part: int


def mark_of(payload: bytes) -> Mark:
    """Read what `LayerStream` wrote at the end of each payload."""
    magic, layer, frame, part = _MARK.unpack(payload[-_MARK.size :])
    if magic != _MAGIC:
        raise ValueError("not a packet of a prepared layer")
    return Mark(LAYERS[layer], frame, part)


class LayerStream:
    """The packets of one layer; its numbers, timestamps and picture ids begin anywhere."""

    def __init__(self, rid: str, seed: int, *, codec: CodecName = "VP8", is_wide: bool = True, parts: int = 3) -> None:
        chance = random.Random(seed)
        self.rid, self.codec, self.is_wide, self.parts = rid, codec, is_wide, parts
        self.place = RIDS.index(rid)
        self.ssrc, self.rtx_ssrc = chance.getrandbits(32), chance.getrandbits(32)
        self.sequence, self.rtx_sequence = chance.getrandbits(16), chance.getrandbits(16)
        self.first_timestamp = chance.getrandbits(32)
        self.picture, self.base = chance.getrandbits(15), chance.getrandbits(8)
        self.named = NAMED_PACKETS
        self.sent = 0
        self._body = chance.randbytes(40 * (self.place + 1))

    def timestamp(self, seconds: float) -> int:
        """The timestamp of what is taken at this time."""
        return (self.first_timestamp + round(seconds * CLOCK_RATE)) & 0xFFFFFFFF

    def frame(self, number: int, seconds: float, *, is_key: bool) -> list[bytes]:
        """The packets of the next frame."""
        packets = []
        for part in range(self.parts):
            mark = _MARK.pack(_MAGIC, self.place, number, part)
            packets.append(
                build_packet(
                    payload_type=96,
                    sequence=self.sequence,
                    timestamp=self.timestamp(seconds),
                    ssrc=self.ssrc,
                    marker=part == self.parts - 1,
                    payload=self._head(part, is_key) + self._body + mark,
                    extensions=self._names(RID_ID),
                )
            )
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.sent += 1
        self.picture += 1
        self.base += 1
        return packets

    def again(self, packet: bytes) -> bytes:
        """The retransmission of a packet, named by repaired-rid."""
        size = header_size(packet)
        bare = bytes((packet[0] & 0xEF,)) + packet[1:12] + packet[size:]
        self.rtx_sequence = (self.rtx_sequence + 1) & 0xFFFF
        made = bytes(encapsulate(bare, header_size=12, payload_type=97, sequence=self.rtx_sequence, ssrc=self.rtx_ssrc))
        return build_packet(
            payload_type=97,
            sequence=self.rtx_sequence,
            timestamp=int.from_bytes(made[4:8], "big"),
            ssrc=self.rtx_ssrc,
            marker=bool(made[1] & 0x80),
            payload=made[12:],
            extensions=[(MID_ID, b"0"), (REPAIRED_ID, self.rid.encode())],
        )

    def report(self, seconds: float, ntp_seconds: float) -> SenderReport:
        """The sender report of this moment."""
        return SenderReport(self.ssrc, int(ntp_seconds * (1 << 32)), self.timestamp(seconds), self.sent, self.sent * 50)

    def _names(self, number: int) -> list[tuple[int, bytes]]:
        if not self.named:
            return []
        self.named -= 1
        return [(MID_ID, b"0"), (number, self.rid.encode())]

    def _head(self, part: int, is_key: bool) -> bytes:
        if self.codec == "H264":
            if is_key and not part:
                sets = b"".join(struct.pack("!H", len(unit)) + unit for unit in (_SPS, _PPS))
                return b"\x78" + sets + struct.pack("!H", 12 + len(self._body) + _MARK.size) + b"\x65\x88" + bytes(10)
            return b"\x65\x08" if is_key else b"\x41\x88" if not part else b"\x41\x08"
        wide = struct.pack("!H", 0x8000 | self.picture & 0x7FFF)
        picture = wide if self.is_wide else bytes((self.picture & 0x7F,))
        descriptor = bytes((0x90 if not part else 0x80, 0xE0)) + picture + bytes((self.base & 0xFF, 0x20))
        return descriptor + (b"" if part else b"\x10\x02\x00\x9d\x01\x2a" if is_key else b"\x11\x02\x00")


class LayeredStream:
    """Three layers of one camera, 30 frames a second; `seconds` is the camera's clock."""

    def __init__(self, seed: int, *, codec: CodecName = "VP8", is_wide: bool = True) -> None:
        self.layers: dict[Layer, LayerStream] = {
            layer: LayerStream(rid, seed * 10 + place, codec=codec, is_wide=is_wide)
            for place, (layer, rid) in enumerate(zip(LAYERS, RIDS, strict=True))
        }
        self.frame = 0

    @property
    def seconds(self) -> float:
        """The time of the next frame."""
        return self.frame / 30

    def next_frame(self, *, keys: Iterable[Layer] = (), without: Iterable[Layer] = ()) -> list[bytes]:
        """The next frame of all layers, low first; those of `keys` as key frames."""
        wanted, missing = set(LAYERS if not self.frame else keys), set(without)
        packets = []
        for layer, stream in self.layers.items():
            if layer not in missing:
                packets += stream.frame(self.frame, self.seconds, is_key=layer in wanted)
        self.frame += 1
        return packets

    def reports(self, ntp_seconds: float = 4_000_000_000.25) -> list[SenderReport]:
        """A report of each layer, for the time of the next frame."""
        return [stream.report(self.seconds, ntp_seconds + self.seconds) for stream in self.layers.values()]

    def layer_of(self, ssrc: int) -> Layer | None:
        """Whose SSRC it is."""
        return next((layer for layer, stream in self.layers.items() if stream.ssrc == ssrc), None)
