"""A phone that films: coded pictures and sound over WebRTC, by a clock of its own, posted anew when it was cut off.

It sends prepared units in real time and goes back to their beginning at the end, so that each recorded sample can be
recognised by its bytes and held against the instant at which it was filmed.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import httpx

from streams.rtp.header import build_packet
from streams.rtp.rtcp import Nack, PictureLoss, Report, SenderReport
from streams.rtp.rtx import encapsulate, header_size
from streams.sfu.track import Kind
from tests.streams.recording.publisher import NTP_EPOCH, Unit, clip, hiss
from tests.support.light_peer import LightPeer
from tests.support.light_signalling import Whip

RATES: dict[Kind, int] = {"video": 90_000, "audio": 48_000}
FRAME_SECONDS: dict[Kind, float] = {"video": 1 / 30, "audio": 0.02}
DELAY_SECONDS: dict[Kind, float] = {"video": 0.03, "audio": 0.045}
"""How long after it was filmed a unit is sent: coding takes a while, and a microphone's buffer longer."""
OPUS_TYPE = 111
FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
REPORT_SECONDS = 1.0
SENT_KEPT = 2048
CONNECT_SECONDS = 10.0
SILENT_SECONDS = 5.0
"""A node that hasn't answered for so long is given up, as a browser does."""
RETRY_SECONDS = 0.5
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Film:
    """What a phone sends again and again; pictures begin with a key frame."""

    codec: Literal["H264", "VP8"]
    units: dict[Kind, tuple[Unit, ...]]
    key_every: int

    @classmethod
    def make(
        cls,
        codec: Literal["H264", "VP8"],
        seconds: float,
        *,
        key_seconds: float = 2.0,
        width: int = 320,
        height: int = 240,
        kbps: int = 600,
        seed: int = 1,
    ) -> Film:
        """Code one; no two of its units are alike."""
        pictures = clip(codec, seconds, key_seconds=key_seconds, width=width, height=height, kbps=kbps)
        return cls(codec, {"video": pictures, "audio": hiss(seconds, seed)}, round(key_seconds * 30))


@dataclass
class Filmed:
    """When each unit was filmed (true Unix seconds), and when the phone was connected."""

    at: defaultdict[tuple[Kind, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    connected_at: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class PhoneClock:
    """How wrong a phone's clock is, and how much faster than it its microphone counts."""

    ahead_seconds: float = 0.0
    sound_ppm: float = 0.0


@dataclass
class ClipPeer(LightPeer):
    """One session of the phone."""

    film: Film = field(kw_only=True)
    clock: PhoneClock = PhoneClock()
    filmed: Filmed | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ssrcs: dict[Kind, int] = {"video": self.ssrc, "audio": secrets.randbits(31) + 1}
        self.repeated = self.picture_losses = 0
        self._sequence: dict[Kind, int] = {"video": secrets.randbits(16), "audio": secrets.randbits(16)}
        self._base: dict[Kind, int] = {"video": secrets.randbits(32), "audio": secrets.randbits(32)}
        self._next: dict[Kind, int] = {"video": 0, "audio": 0}
        """The unit of the film that comes next."""
        self._count: dict[Kind, int] = {"video": 0, "audio": 0}
        self._packets: dict[Kind, int] = {"video": 0, "audio": 0}
        self._octets: dict[Kind, int] = {"video": 0, "audio": 0}
        self._transport = secrets.randbits(16)
        self._repeat_sequence = secrets.randbits(16)
        self._sent: OrderedDict[int, bytes] = OrderedDict()
        self._step = {kind: FRAME_SECONDS[kind] for kind in RATES}
        self._step["audio"] /= 1 + self.clock.sound_ppm / 1e6

    def describe(self, direction: str, *, mid: str = "0", setup: str = "actpass") -> str:
        text = super().describe(direction, mid=mid, setup=setup).replace("VP8/", f"{self.film.codec}/")
        lines = text.split("\r\n")[:-1]
        lines[lines.index(f"a=group:BUNDLE {mid}")] += " sound"
        transport = [line for line in lines if line.startswith(("a=extmap", "a=ice-", "a=fingerprint", "a=setup"))]
        if self.film.codec == "H264":
            lines.append(f"a=fmtp:{self.numbers.vp8} {FMTP}")
        lines += [f"m=audio {self.address[1]} UDP/TLS/RTP/SAVPF {OPUS_TYPE}", f"c=IN IP4 {self.ip}", "a=mid:sound"]
        lines += [f"a={direction}", "a=rtcp-mux", f"a=rtpmap:{OPUS_TYPE} opus/48000/2", *transport]
        lines += [f"a=rtcp-fb:{OPUS_TYPE} transport-cc", "a=msid:stream audio"]
        return "\r\n".join([*lines, f"a=ssrc:{self.ssrcs['audio']} cname:light", ""])

    def accept(self, sdp: str) -> None:
        # The numbers are read by the codec's name that all light peers speak.
        super().accept(sdp.replace("H264/", "VP8/"))

    async def publish(self) -> None:
        """Film until cancelled."""
        self._began = report_at = time.time()
        while True:
            kind: Kind = min(RATES, key=lambda kind: self._filmed_at(kind) + DELAY_SECONDS[kind])
            wait = self._filmed_at(kind) + DELAY_SECONDS[kind] - time.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._send_unit(kind)
            if time.time() >= report_at:
                report_at += REPORT_SECONDS
                self._report(time.time())

    def report_received(self, report: Report) -> None:
        if isinstance(report, Nack):
            for sequence in report.lost:
                self._repeat(sequence)
        elif isinstance(report, PictureLoss):
            self.picture_losses += 1
            every = self.film.key_every
            self._next["video"] = -(-self._next["video"] // every) * every % len(self.film.units["video"])

    def _filmed_at(self, kind: Kind) -> float:
        """When the next unit is filmed."""
        return self._began + self._count[kind] * self._step[kind]

    def _timestamp(self, kind: Kind, at: float) -> int:
        """What this track's clock shows at an instant."""
        units = (at - self._began) / self._step[kind]
        return (self._base[kind] + round(units * RATES[kind] * FRAME_SECONDS[kind])) & 0xFFFFFFFF

    def _send_unit(self, kind: Kind) -> None:
        units, position, at = self.film.units[kind], self._next[kind], self._filmed_at(kind)
        if self.filmed is not None:
            self.filmed.at[kind, position].append(at)
        payloads, timestamp = units[position].payloads, self._timestamp(kind, at)
        for part, payload in enumerate(payloads, 1):
            self._send_payload(kind, payload, timestamp, is_last=part == len(payloads))
        self._next[kind] = (position + 1) % len(units)
        self._count[kind] += 1

    def _send_payload(self, kind: Kind, payload: bytes, timestamp: int, *, is_last: bool) -> None:
        sequence, transport = self._sequence[kind], self.numbers.transport_id
        extensions = [(transport, struct.pack("!H", self._transport))] if transport else []
        packet = build_packet(
            payload_type=self.numbers.vp8 if kind == "video" else OPUS_TYPE,
            sequence=sequence,
            timestamp=timestamp,
            ssrc=self.ssrcs[kind],
            marker=is_last and kind == "video",
            payload=payload,
            extensions=extensions,
        )
        if kind == "video":
            self._sent[sequence] = packet
            if len(self._sent) > SENT_KEPT:
                self._sent.popitem(last=False)
        self._transport = (self._transport + 1) & 0xFFFF
        self._sequence[kind] = (sequence + 1) & 0xFFFF
        self._packets[kind] += 1
        self._octets[kind] += len(payload)
        self.send_packet(packet)

    def _report(self, now: float) -> None:
        ntp = int((now + self.clock.ahead_seconds + NTP_EPOCH) * (1 << 32))
        for kind, ssrc in self.ssrcs.items():
            timestamp = self._timestamp(kind, now)
            self.send_reports(SenderReport(ssrc, ntp, timestamp, self._packets[kind], self._octets[kind]))

    def _repeat(self, sequence: int) -> None:
        packet, rtx = self._sent.get(sequence), self.numbers.rtx
        if packet is None or rtx is None:
            return
        self.repeated += 1
        self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
        again = encapsulate(
            packet,
            header_size=header_size(packet),
            payload_type=rtx,
            sequence=self._repeat_sequence,
            ssrc=self.rtx_ssrc,
        )
        self.send_packet(bytes(again))


@dataclass
class ClipPhone:
    """Films for good: a session that got no answer for a while is replaced as soon as the network is there again."""

    url: str
    token: str
    feed: str
    film: Film
    clock: PhoneClock = PhoneClock()
    lead: Callable[[str], str] = lambda sdp: sdp
    has_network: Callable[[], bool] = lambda: True
    filmed: Filmed = field(default_factory=Filmed)
    picture_losses: int = 0
    repeated: int = 0

    async def run(self) -> None:
        """Film until cancelled."""
        server = Whip(self.url, self.token, self.lead)
        try:
            while True:
                if not self.has_network():
                    await asyncio.sleep(LOOK_SECONDS)
                elif not await self._session(server):
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await server.close()

    async def _session(self, server: Whip) -> bool:
        """One session to its end; whether it came to be."""
        peer = ClipPeer(film=self.film, clock=self.clock, filmed=self.filmed)
        try:
            with suppress(httpx.HTTPError, RuntimeError, TimeoutError):
                await server.publish(self.feed, peer)
                async with asyncio.timeout(CONNECT_SECONDS):
                    await peer.connected.wait()
                self.filmed.connected_at.append(time.time())
                peer.run(peer.publish())
                while time.monotonic() - peer.answered_at < SILENT_SECONDS:
                    await asyncio.sleep(LOOK_SECONDS)
                return True
            return False
        finally:
            self.picture_losses += peer.picture_losses
            self.repeated += peer.repeated
            server.forget(peer)
            await peer.close()
