"""Half a second of real moving picture, encoded beforehand in one size, as payloads that can be sent repeatedly."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy
from aiortc.codecs.h264 import H264Encoder
from av.video.codeccontext import VideoCodecContext

from streams.sfu.track import CodecName

FRAMES_PER_SECOND = 30
PAYLOAD_BYTES = 1100


@dataclass(frozen=True, slots=True)
class Clip:
    """`frames[0]` is a key frame, the others build on it: playing may go back to the first at any time."""

    codec: CodecName
    width: int
    height: int
    frames: tuple[tuple[bytes, ...], ...]

    def payloads(self, position: int, picture: int, base: int) -> list[bytes]:
        """The payloads of one frame; VP8's with a descriptor that carries these numbers."""
        chunks = self.frames[position % len(self.frames)]
        if self.codec != "VP8":
            return list(chunks)
        numbers = struct.pack("!HBB", 0x8000 | picture & 0x7FFF, base & 0xFF, 0x20)
        return [bytes((0x80 if part else 0x90, 0xE0)) + numbers + chunk for part, chunk in enumerate(chunks)]


@cache
def clip(
    codec: CodecName,
    width: int,
    height: int,
    bitrate_kbps: int,
    frames_per_second: int = FRAMES_PER_SECOND,
    grain: int = 0,
) -> Clip:
    """Encode a bar that wanders over a field; the same for the same values.

    A plain field needs far less than `bitrate_kbps`; `grain` (in levels of brightness) makes it worth its bits.
    """
    encoder = _encoder(codec, width, height, bitrate_kbps, frames_per_second)
    dust = numpy.random.default_rng(width * height + grain)
    frames = frames_per_second // 2
    packets = []
    for number in range(frames):
        picture = numpy.full((height, width, 3), 90, dtype=numpy.uint8)
        if grain:
            picture += dust.integers(0, grain, (height, width, 1), dtype=numpy.uint8)
        at = number * (width - width // 8) // frames
        picture[:, at : at + width // 8] = (250, 200, 10)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, frames_per_second)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    split = _h264_payloads if codec == "H264" else _vp8_chunks
    return Clip(codec, width, height, tuple(tuple(split(packet)) for packet in packets))


def _encoder(codec: CodecName, width: int, height: int, bitrate_kbps: int, frames_per_second: int) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, frames_per_second), Fraction(frames_per_second, 1)
    encoder.bit_rate, encoder.gop_size = bitrate_kbps * 1000, frames_per_second // 2
    encoder.thread_count = 1  # libvpx's threads wait for each other by turning, which costs more than the picture
    if codec == "H264":
        encoder.profile = "Baseline"
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    else:
        encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    return encoder


def _vp8_chunks(frame: bytes) -> list[bytes]:
    return [frame[start : start + PAYLOAD_BYTES] for start in range(0, len(frame), PAYLOAD_BYTES)]


def _h264_payloads(frame: bytes) -> list[bytes]:
    return H264Encoder._packetize(H264Encoder._split_bitstream(frame))
