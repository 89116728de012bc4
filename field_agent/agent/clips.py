"""Clips that stand in for a camera: made once, kept encoded in a folder, loaded as frames ready to be sent."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image, ImageDraw, ImageFont

from field_agent.agent import nal_units, scenes, speech

VideoCodec = Literal["H264", "VP8"]

FORMAT = 1
"""Changes when a clip made before must be made anew."""
FRAME_RATE = 15
KEY_FRAME_SECONDS = 2
SECONDS = scenes.LOOP_SECONDS
VIDEO_CLOCK, AUDIO_CLOCK = 90_000, 48_000
AUDIO_FRAME_SAMPLES = 960
"""20 ms."""
VIDEO_BITRATE, AUDIO_BITRATE = 600_000, 24_000

_CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """Which clip is wanted: the scene, the codec, and the site's names for the picture (empty: the scene's own)."""

    scene: str
    codec: VideoCodec
    title_zh: str = ""
    title_en: str = ""

    def path(self, folder: Path) -> Path:
        """Where it is kept."""
        mark = hashlib.sha256(f"{FORMAT} {self.title_zh} {self.title_en}".encode()).hexdigest()[:10]
        return folder / f"{self.scene}-{self.codec.lower()}-{mark}.mkv"


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded video frame or audio packet; `at` is its RTP time from the clip's start."""

    at: int
    is_key: bool
    units: tuple[bytes, ...]
    """H.264: NAL units, parameter sets before each key frame; VP8 and Opus: the one frame."""


@dataclass(frozen=True, slots=True)
class Clip:
    """An endless loop of encoded sound and picture."""

    codec: VideoCodec
    seconds: int
    video: tuple[Frame, ...]
    audio: tuple[Frame, ...]


@lru_cache(maxsize=4)
def _font(size: int) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, bool]:
    """A font, and whether it has Chinese characters."""
    for path in _CJK_FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, size), True
    return ImageFont.load_default(size), False


def _write_on(frame: Image.Image, order: ClipOrder, index: int) -> None:
    """The site's name, the clip's elapsed time and the mark that says what this is."""
    scene = scenes.SCENES[order.scene]
    draw = ImageDraw.Draw(frame)
    (small, is_chinese), (large, _) = _font(22), _font(30)
    title = (order.title_zh or scene.title_zh) if is_chinese else (order.title_en or scene.title_en)
    elapsed = index / FRAME_RATE
    clock = f"{int(elapsed) // 60:02d}:{elapsed % 60:04.1f}"
    mark = "模拟 DEMO" if is_chinese else "DEMO"
    wide = max(draw.textlength(title, large), 260) + 28
    draw.rectangle([12, 12, 12 + wide, 92], fill=(8, 14, 24))
    draw.rectangle([12, 12, 18, 92], fill=(255, 179, 2))
    draw.text((30, 14), title, fill=(240, 244, 250), font=large)
    draw.text((30, 58), mark, fill=(255, 196, 60), font=small)
    draw.text((160, 58), clock, fill=(214, 224, 236), font=small)


def _draw(order: ClipOrder, background: Image.Image, index: int) -> Image.Image:
    frame = background.copy()
    scenes.SCENES[order.scene].animate(frame, index / (SECONDS * FRAME_RATE))
    _write_on(frame, order, index)
    return frame


def _set_up(stream: VideoStream, codec: VideoCodec) -> None:
    interval = KEY_FRAME_SECONDS * FRAME_RATE
    stream.width, stream.height, stream.pix_fmt = scenes.WIDTH, scenes.HEIGHT, "yuv420p"
    stream.codec_context.time_base = Fraction(1, FRAME_RATE)
    stream.gop_size = interval
    stream.bit_rate = VIDEO_BITRATE
    stream.codec_context.thread_count = 1
    if codec == "H264":
        # Constrained baseline without B frames: what every phone and browser decodes in hardware.
        vbv = f"vbv-maxrate={VIDEO_BITRATE // 1000}:vbv-bufsize={VIDEO_BITRATE // 1000}"
        stream.options = {
            "profile": "baseline",
            "preset": "veryfast",
            "x264-params": f"keyint={interval}:min-keyint={interval}:scenecut=0:bframes=0:{vbv}",
        }
    else:
        stream.options = {
            "deadline": "realtime",
            "cpu-used": "6",
            "keyint_min": str(interval),
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
        }


def make_clip(order: ClipOrder, folder: Path) -> Path:
    """Draw, speak and encode one clip into `folder`; an interrupted run leaves nothing that looks finished."""
    path = order.path(folder)
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    with av.open(str(unfinished), "w", format="matroska") as container:
        video: VideoStream = container.add_stream("libx264" if order.codec == "H264" else "libvpx", FRAME_RATE)
        _set_up(video, order.codec)
        audio: AudioStream = container.add_stream("libopus", AUDIO_CLOCK, layout="mono")
        audio.bit_rate = AUDIO_BITRATE
        audio.options = {"application": "voip", "frame_duration": "20"}
        background = scenes.SCENES[order.scene].background()
        for index in range(SECONDS * FRAME_RATE):
            frame = av.VideoFrame.from_ndarray(np.asarray(_draw(order, background, index)), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        sound = speech.babble(SECONDS, sorted(scenes.SCENES).index(order.scene))
        for start in range(0, len(sound), AUDIO_FRAME_SAMPLES):
            piece = np.ascontiguousarray(sound[start : start + AUDIO_FRAME_SAMPLES].reshape(1, -1))
            chunk = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = AUDIO_CLOCK, start, Fraction(1, AUDIO_CLOCK)
            container.mux(audio.encode(chunk))
        container.mux(audio.encode(None))
    unfinished.replace(path)
    return path


def make_clips(orders: list[ClipOrder], folder: Path) -> None:
    """Make those that aren't there yet, on as many processes as the machine has cores, telling the progress."""
    missing = [order for order in dict.fromkeys(orders) if not order.path(folder).exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    print(f"making {len(missing)} demonstration clips …", flush=True)  # noqa: T201 - progress for who waits
    with ProcessPoolExecutor(max_workers=min(len(missing), os.cpu_count() or 1)) as pool:
        for number, path in enumerate(pool.map(make_clip, missing, [folder] * len(missing)), start=1):
            print(f"clip {number}/{len(missing)}: {path.name}", flush=True)  # noqa: T201


def load_clip(order: ClipOrder, folder: Path) -> Clip:
    """Read a finished clip back as frames ready to be packetised."""
    video: list[Frame] = []
    audio: list[Frame] = []
    with av.open(str(order.path(folder))) as container:
        header = container.streams.video[0].codec_context.extradata or b""
        parameter_sets = nal_units.of_configuration(header) if order.codec == "H264" else ()
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            body, seconds = bytes(packet), packet.pts * packet.time_base
            if isinstance(packet.stream, AudioStream):
                # The encoder's look-ahead makes the first times negative; order is what counts, 20 ms each.
                audio.append(Frame(len(audio) * AUDIO_FRAME_SAMPLES, True, (body,)))
                continue
            units = nal_units.of_sample(body) if order.codec == "H264" else (body,)
            if packet.is_keyframe and parameter_sets:
                units = (*parameter_sets, *(unit for unit in units if unit[0] & 31 not in {6, 7, 8}))
            video.append(Frame(round(seconds * FRAME_RATE) * (VIDEO_CLOCK // FRAME_RATE), packet.is_keyframe, units))
    whole = SECONDS * AUDIO_CLOCK // AUDIO_FRAME_SAMPLES
    return Clip(order.codec, SECONDS, tuple(video), tuple(audio[:whole]))
