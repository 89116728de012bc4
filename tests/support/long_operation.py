"""A long operation, made at once: cameras whose every frame carries its own time, told apart by when each began.

A minute is coded once and kept in the machine's folder for temporary files; every camera records the same minutes.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy
from aiortc.codecs.h264 import H264Encoder
from av.video.codeccontext import VideoCodecContext

from streams.recording import mp4
from streams.recording.assembly import Assembly, Fragment
from streams.recording.frames import Frame, VideoFormat
from streams.recording.h264 import H264Depacketiser
from streams.recording.manifest import CloseReason, GapLine
from streams.recording.packets import RtpPacket
from tests.streams.recording.publisher import tone
from tests.support.manifests import START_MS, Footage, Made, ManifestWriter

WIDTH, HEIGHT = 160, 96
FRAMES_PER_SECOND = 25
MINUTE_SECONDS = 60
KEY_SECONDS = 2
COLUMNS, ROWS = 8, 4
"""As `time_code.js` reads them: blocks in the upper half of the picture."""
_VERSION = 3
_FOLDER = Path(tempfile.gettempdir()) / f"coded-minutes-{_VERSION}-{os.getuid()}"


@dataclass(frozen=True)
class Camera:
    """What one camera recorded: from `begins` (Unix ms) on, without the minutes in `missing`."""

    feed: str
    begins: int
    minutes: int
    missing: Collection[int] = ()
    reason: CloseReason = "ended"
    gaps: Sequence[GapLine] = ()


def record(root: Path, camera: Camera) -> list[Made]:
    """Write its recordings: a new one behind each run of missing minutes."""
    made: list[Made] = []
    writer: ManifestWriter | None = None
    for minute in range(camera.minutes):
        if minute in camera.missing:
            if writer is not None:
                made.append(writer.close(camera.reason))
                writer = None
            continue
        if writer is None:
            begins = camera.begins + minute * MINUTE_SECONDS * 1000
            writer = ManifestWriter(root, camera.feed, begins=(begins - START_MS) / 1000)
        writer.segment("H264", MINUTE_SECONDS, shot=coded_minute(minute))
    if writer is not None:
        for gap in camera.gaps:
            writer.gap(gap)
        made.append(writer.close("ended"))
    return made


def coded_minute(minute: int, seconds: float = MINUTE_SECONDS) -> Footage:
    """The so-manieth minute of a film that shows its own time in milliseconds, with a tone."""
    path = _FOLDER / f"{minute}-{seconds:g}.pickle"
    if path.exists():
        loaded: Footage = pickle.loads(path.read_bytes())
        return loaded
    made = _code(minute * MINUTE_SECONDS * FRAMES_PER_SECOND, round(seconds * FRAMES_PER_SECOND))
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(pickle.dumps(made))
    draft.rename(path)
    return made


def holed(minute: int, seconds: float, hole: range) -> Footage:
    """The same film, of which neither picture nor sound of these milliseconds came."""
    return _code(minute * MINUTE_SECONDS * FRAMES_PER_SECOND, round(seconds * FRAMES_PER_SECOND), hole)


def silent(shot: Footage) -> Footage:
    """The same pictures without sound."""
    fragments = [replace(fragment, audio=[]) for fragment, _ in shot.fragments if fragment.video]
    return Footage(shot.video, mp4.header(shot.video, False), _pieces(fragments), shot.seconds, has_sound=False)


def _code(first: int, frames: int, hole: range = range(0)) -> Footage:
    encoder = _encoder()
    units: list[tuple[int, bool, list[bytes]]] = []
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(_picture(first + number), format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        units += [_unit(packet) for packet in encoder.encode(frame)]
    units += [_unit(packet) for packet in encoder.encode(None)]
    return _cut(units, frames / FRAMES_PER_SECOND, hole)


def _encoder() -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FRAMES_PER_SECOND), Fraction(FRAMES_PER_SECOND, 1)
    encoder.gop_size = KEY_SECONDS * FRAMES_PER_SECOND
    encoder.options = {
        "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "sc_threshold": "0", "crf": "30",
    }  # fmt: skip
    return encoder


def _picture(number: int) -> numpy.ndarray:
    """A picture that shows its time in black and white blocks, and below them a bar that wanders."""
    value = number * 1000 // FRAMES_PER_SECOND
    bits = [(value >> bit) & 1 for bit in range(31)]
    blocks = numpy.array([*bits, sum(bits) & 1], dtype=numpy.uint8).reshape(ROWS, COLUMNS) * 219 + 16
    picture = numpy.full((HEIGHT * 3 // 2, WIDTH), 128, dtype=numpy.uint8)
    picture[: HEIGHT // 2] = numpy.kron(blocks, numpy.ones((HEIGHT // 2 // ROWS, WIDTH // COLUMNS), dtype=numpy.uint8))
    at = number * 2 % (WIDTH - 16)
    picture[HEIGHT // 2 : HEIGHT] = 60
    picture[HEIGHT // 2 + 8 : HEIGHT - 8, at : at + 16] = 200
    return picture


def _unit(packet: av.Packet) -> tuple[int, bool, list[bytes]]:
    assert packet.pts is not None
    return packet.pts, packet.is_keyframe, list(H264Encoder._split_bitstream(bytes(packet)))


def _cut(units: Sequence[tuple[int, bool, list[bytes]]], seconds: float, hole: range) -> Footage:
    """As the recorder cuts it."""
    frames = [
        (round(number / FRAMES_PER_SECOND * 1e9), "video", is_key, b"".join(len(nal).to_bytes(4) + nal for nal in nals))
        for number, is_key, nals in units
    ]
    frames += [(round(unit.seconds * 1e9), "audio", True, unit.payloads[0]) for unit in tone(seconds)]
    assembly, cuts = Assembly(0, has_video=True), []
    for at_ns, kind, is_key, data in sorted(frames, key=lambda one: one[:2]):
        if at_ns // 1_000_000 in hole:
            continue
        frame = Frame(0, at_ns, data, is_key)
        if kind == "audio":
            assembly.add_audio(frame, at_ns)
        else:
            if is_key:
                assembly.expect_key(at_ns)
                if assembly.is_due(key_next=True):
                    cuts.append(assembly.cut())
            assembly.add_video(frame, at_ns)
        if assembly.is_due():
            cuts.append(assembly.cut())
    cuts.append(assembly.cut(is_last=True))
    video = _format(units[0][2])
    pieces = _pieces([one for one in cuts if one is not None])
    return Footage(video, mp4.header(video, True), pieces, seconds)


def _pieces(fragments: Sequence[Fragment]) -> tuple[tuple[Fragment, bytes], ...]:
    return tuple((one, mp4.fragment(number, one.video, one.audio)) for number, one in enumerate(fragments, start=1))


def _format(nals: Sequence[bytes]) -> VideoFormat:
    depacketiser = H264Depacketiser()
    for number, nal in enumerate(nals):
        depacketiser.push(RtpPacket(number, 0, number == len(nals) - 1, 0, 102, nal, 0))
    assert depacketiser.format is not None
    return depacketiser.format
