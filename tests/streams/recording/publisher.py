"""A publisher for the recorder's tests: real coded pictures and sound as the RTP packets that a phone would send."""

from __future__ import annotations

import fractions
import math
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from streams.sfu.track import Codec, Kind, Track

H264 = Track("video", "0", Codec("H264", 90_000, 102))
VP8 = Track("video", "0", Codec("VP8", 90_000, 96))
OPUS = Track("audio", "1", Codec("opus", 48_000, 111))
NTP_EPOCH = 2_208_988_800
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Unit:
    """One coded frame: its time in seconds and its payloads."""

    kind: Kind
    seconds: float
    payloads: tuple[bytes, ...]


@dataclass
class Publisher:
    """Numbers the units of a clip as RTP; `packets` gives (kind, packet, arrival Unix ns) in sending order."""

    units: list[Unit]
    start_ns: int = 1_800_000_000 * NANOSECONDS
    seed: int = 1
    audio_delay: float = 0.0
    """How much later sound arrives than the pictures of the same instant."""
    ssrc: dict[Kind, int] = field(default_factory=lambda: {"video": 0x1111, "audio": 0x2222})

    def __post_init__(self) -> None:
        random_ = random.Random(self.seed)
        self._sequence = {"video": random_.randrange(65_536), "audio": random_.randrange(65_536)}
        self.base = {"video": random_.randrange(1 << 32), "audio": random_.randrange(1 << 32)}

    def packets(self) -> Iterator[tuple[Kind, bytes, int]]:
        sent: list[tuple[int, Kind, bytes]] = []
        for unit in self.units:
            rate, payload_type = (90_000, None) if unit.kind == "video" else (48_000, 111)
            delay = self.audio_delay if unit.kind == "audio" else 0.0
            timestamp = (self.base[unit.kind] + round(unit.seconds * rate)) & 0xFFFFFFFF
            for index, payload in enumerate(unit.payloads):
                is_last = index == len(unit.payloads) - 1
                number = self._sequence[unit.kind]
                self._sequence[unit.kind] = (number + 1) & 0xFFFF
                kind_type = payload_type or self.video_payload_type
                marker = 0x80 if is_last and unit.kind == "video" else 0
                head = struct.pack(">BBHII", 0x80, marker | kind_type, number, timestamp, self.ssrc[unit.kind])
                arrival = self.start_ns + round((unit.seconds + delay) * NANOSECONDS) + index * 100_000
                sent.append((arrival, unit.kind, head + payload))
        sent.sort(key=lambda item: item[0])
        for arrival, kind, packet in sent:
            yield kind, packet, arrival

    def go_on(self, seconds: int) -> None:
        """Let the next `packets` come so much later, as one stream with those before."""
        self.start_ns += seconds * NANOSECONDS
        for kind, rate in (("video", 90_000), ("audio", 48_000)):
            self.base[kind] = (self.base[kind] + seconds * rate) & 0xFFFFFFFF

    def report(self, kind: Kind, seconds: float) -> tuple[Kind, int, int]:
        """The sender report of an instant, by the sender's (true) clock."""
        rate = 90_000 if kind == "video" else 48_000
        ntp = (NTP_EPOCH + 1_800_000_000) * (1 << 32) + round(seconds * (1 << 32))
        return kind, ntp, (self.base[kind] + round(seconds * rate)) & 0xFFFFFFFF

    video_payload_type: int = 102


@lru_cache(maxsize=8)
def clip(
    codec: Literal["H264", "VP8"],
    seconds: float,
    *,
    key_seconds: float = 2.0,
    width: int = 320,
    height: int = 240,
    kbps: int = 600,
) -> tuple[Unit, ...]:
    """A moving picture at 30 a second, coded; each frame's brightness tells its number."""
    name = "libx264" if codec == "H264" else "libvpx"
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = fractions.Fraction(1, 30)
    encoder.framerate = fractions.Fraction(30, 1)
    encoder.gop_size = round(key_seconds * 30)
    encoder.bit_rate = kbps * 1000
    # With several, libvpx's threads wait for each other by turning: 25 times the processor time for the same picture.
    encoder.thread_count = 1
    encoder.options = (
        {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "sc_threshold": "0"}
        if codec == "H264"
        else {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    )
    noise = np.random.default_rng(7).integers(0, 64, (height, width), dtype=np.uint8)
    units = []
    packetiser = H264Encoder() if codec == "H264" else Vp8Encoder()
    coded = []
    for number in range(round(seconds * 30)):
        grey = np.roll(noise, number * 3, axis=1) + np.uint8(64 + number % 64)
        frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, axis=-1), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        coded += encoder.encode(frame)
    coded += encoder.encode(None)
    for packet in coded:
        payloads, _ = packetiser.pack(packet)
        assert packet.pts is not None
        units.append(Unit("video", packet.pts / 30, tuple(payloads)))
    return tuple(units)


@lru_cache(maxsize=4)
def hiss(seconds: float, seed: int = 1) -> tuple[Unit, ...]:
    """Noise as Opus packets of 20 ms, no two alike."""
    noise = np.random.default_rng(seed).normal(0, 3000, (round(seconds * 50), 960)).astype(np.int16)
    return _opus(noise)


@lru_cache(maxsize=4)
def tone(seconds: float) -> tuple[Unit, ...]:
    """A tone as Opus packets of 20 ms."""
    time = np.arange(round(seconds * 50) * 960) / 48_000
    return _opus((np.sin(2 * math.pi * 440 * time) * 8000).astype(np.int16).reshape(-1, 960))


def _opus(waves: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> tuple[Unit, ...]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.bit_rate = 32_000
    encoder.time_base = fractions.Fraction(1, 48_000)
    coded = []
    for number, wave in enumerate(waves):
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, encoder.time_base
        coded += encoder.encode(frame)
    return tuple(Unit("audio", index * 0.02, (bytes(packet),)) for index, packet in enumerate(coded))
