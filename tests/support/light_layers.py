"""A light publisher of three prepared layers, as a browser's simulcast; its pictures can be decoded."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from streams.rtp.header import build_packet
from streams.rtp.rtcp import Nack, PictureLoss, ReceiverReport, Report, SenderReport
from streams.sfu.track import CodecName
from tests.support.clips import FRAMES_PER_SECOND, Clip, clip
from tests.support.layers import CLOCK_RATE, EXTENSIONS, MID_ID, REPAIRED_ID, RID_ID, RIDS
from tests.support.light_peer import LightPeer

NTP_EPOCH = 2_208_988_800
SIZES = ((320, 180, 150), (640, 360, 500), (1280, 720, 1500))
"""Width, height and kbit/s, from low to high."""
SENT_KEPT = 512
ASKED_KEPT = 4096
FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@dataclass(frozen=True, slots=True)
class Camera:
    """What a light publisher sends: sizes as in `SIZES`, how often, and with how much grain."""

    sizes: tuple[tuple[int, int, int], ...] = SIZES
    frames_per_second: int = FRAMES_PER_SECOND
    grain: int = 0


@dataclass
class _Layer:
    """One layer with its numbers; named by mid and rid until the node has reported that it knows the stream."""

    rid: str
    clip: Clip
    ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    rtx_ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    sequence: int = field(default_factory=lambda: secrets.randbits(16))
    rtx_sequence: int = field(default_factory=lambda: secrets.randbits(16))
    first_timestamp: int = field(default_factory=lambda: secrets.randbits(32))
    picture: int = field(default_factory=lambda: secrets.randbits(15))
    base: int = field(default_factory=lambda: secrets.randbits(8))
    position: int = 0
    is_named: bool = True
    is_repair_named: bool = True
    is_paused: bool = False
    packets: int = 0
    octets: int = 0
    asked: int = 0
    sent: OrderedDict[int, tuple[int, bool, bytes]] = field(default_factory=OrderedDict)


@dataclass
class LightLayers(LightPeer):
    """Sends three layers; a request for a key frame lets that layer's clip begin anew. `pause` takes layers away."""

    codec: CodecName = "VP8"
    camera: Camera = Camera()
    asked_at: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=ASKED_KEPT))
    """When key frames were asked for, by the monotonic clock, and of which layer."""

    def __post_init__(self) -> None:
        super().__post_init__()
        rate, grain = self.camera.frames_per_second, self.camera.grain
        self.layers = [
            _Layer(rid, clip(self.codec, width, height, kbps, rate, grain))
            for rid, (width, height, kbps) in zip(RIDS, self.camera.sizes, strict=True)
        ]

    def describe(self, direction: str, *, mid: str = "0", setup: str = "actpass") -> str:
        lines = [
            line
            for line in super().describe(direction, mid=mid, setup=setup).split("\r\n")
            if not line.startswith(("a=ssrc", "a=extmap"))
        ]
        names = [f"a=extmap:{number} {uri}" for uri, number in EXTENSIONS.items()]
        names += [f"a=rid:{rid} send" for rid in RIDS] + [f"a=simulcast:send {';'.join(RIDS)}"]
        kinds = [f"a=fmtp:{self.numbers.vp8} {FMTP}"] if self.codec == "H264" else []
        return "\r\n".join([*lines[:-1], *kinds, *names, ""]).replace("VP8/", f"{self.codec}/")

    def accept(self, sdp: str) -> None:
        # The numbers are read by the codec's name that all light peers speak.
        super().accept(sdp.replace("H264/", "VP8/"))

    def pause(self, *rids: str) -> None:
        """Send only the layers that aren't named here."""
        for layer in self.layers:
            layer.is_paused = layer.rid in rids

    async def publish(self) -> None:
        """Send until cancelled."""
        start = due = report_at = time.perf_counter()
        while True:
            now = time.perf_counter() - start
            for layer in self.layers:
                if not layer.is_paused:
                    self._send_frame(layer, self._timestamp(layer, now))
            if time.perf_counter() >= report_at:
                report_at += 1
                ntp = int((time.time() + NTP_EPOCH) * (1 << 32))
                for layer in self.layers:
                    stamp = self._timestamp(layer, now)
                    self.send_reports(SenderReport(layer.ssrc, ntp, stamp, layer.packets, layer.octets))
            # A camera that was held up leaves pictures out; it doesn't make them all at once.
            pause = 1 / self.camera.frames_per_second
            due = max(due, time.perf_counter() - pause / 2) + pause
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def report_received(self, report: Report) -> None:
        if isinstance(report, PictureLoss):
            for layer in self.layers:
                if layer.ssrc == report.media_ssrc:
                    layer.position = 0
                    layer.asked += 1
                    self.asked_at.append((time.monotonic(), layer.rid))
        elif isinstance(report, Nack):
            for layer in self.layers:
                if layer.ssrc == report.media_ssrc:
                    self._repeat(layer, report.lost)
        elif isinstance(report, ReceiverReport):
            known = {block.ssrc for block in report.blocks}
            for layer in self.layers:
                layer.is_named = layer.is_named and layer.ssrc not in known
                layer.is_repair_named = layer.is_repair_named and layer.rtx_ssrc not in known

    def _timestamp(self, layer: _Layer, seconds: float) -> int:
        return (layer.first_timestamp + int(seconds * CLOCK_RATE)) & 0xFFFFFFFF

    def _send_frame(self, layer: _Layer, timestamp: int) -> None:
        payloads = layer.clip.payloads(layer.position, layer.picture, layer.base)
        layer.position += 1
        layer.picture += 1
        layer.base += 1
        names = [(MID_ID, b"0"), (RID_ID, layer.rid.encode())] if layer.is_named else []
        for part, payload in enumerate(payloads, 1):
            is_last = part == len(payloads)
            self.send_packet(
                build_packet(
                    payload_type=self.numbers.vp8,
                    sequence=layer.sequence,
                    timestamp=timestamp,
                    ssrc=layer.ssrc,
                    marker=is_last,
                    payload=payload,
                    extensions=names,
                )
            )
            layer.sent[layer.sequence] = (timestamp, is_last, payload)
            if len(layer.sent) > SENT_KEPT:
                layer.sent.popitem(last=False)
            layer.sequence = (layer.sequence + 1) & 0xFFFF
            layer.packets += 1
            layer.octets += len(payload)

    def _repeat(self, layer: _Layer, lost: tuple[int, ...]) -> None:
        names = [(MID_ID, b"0"), (REPAIRED_ID, layer.rid.encode())] if layer.is_repair_named else []
        for sequence in lost:
            if sequence not in layer.sent or self.numbers.rtx is None:
                continue
            timestamp, is_last, payload = layer.sent[sequence]
            layer.rtx_sequence = (layer.rtx_sequence + 1) & 0xFFFF
            self.send_packet(
                build_packet(
                    payload_type=self.numbers.rtx,
                    sequence=layer.rtx_sequence,
                    timestamp=timestamp,
                    ssrc=layer.rtx_ssrc,
                    marker=is_last,
                    payload=sequence.to_bytes(2, "big") + payload,
                    extensions=names,
                )
            )
