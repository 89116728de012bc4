"""Makes derived copies, a minute at a time: pictures on the wall clock, dark cards where nothing was recorded.

The same plan gives the same bytes: one thread, no dates, and each minute by itself, so that one which was finished
before a crash needn't be made again.
"""

from __future__ import annotations

import fractions
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from command_center.evidence.exports import drawing
from command_center.evidence.exports.filters import LANGUAGE, Picture, PictureFilter, clock_text, filters_of
from command_center.evidence.exports.footage import SOUND_RATE, Footage, Heard, Seen, decode
from command_center.evidence.exports.originals import Originals
from command_center.evidence.exports.plan import (
    FRAME_MS,
    PIECE_FRAMES,
    CameraPart,
    Plan,
    SpanPart,
    keep_whole,
    write_whole,
)
from command_center.translations import translate

logger = logging.getLogger(__name__)

RATE = 1000 // FRAME_MS
SAMPLES_A_FRAME = SOUND_RATE // RATE
SOUND_BITS = 64_000
CONTINUOUS_SAMPLES = SOUND_RATE // 25
"""Sound that comes by so little early or late follows the sound before it without a step."""
X264 = {
    "preset": "veryfast",
    "profile": "main",
    "threads": "1",
    "qp": "25",
    "bf": "0",
    "g": "50",
    "x264-params": "scenecut=0:weightp=0:rc-lookahead=0:mbtree=0:aq-mode=0",
}
"""Nothing that looks ahead or weighs parts of a picture: there x264 now and then reads what nobody wrote, and the last
block of a picture came out otherwise once in some hundred films."""
BARE = {"fflags": "+bitexact", "movflags": "faststart"}
"""An MP4 without a writer's name or date, whose index stands before its pictures."""
SHORTEST_CARD_MS = 500
"""While less is missing, the last picture stays."""
VIDEO_TIME = fractions.Fraction(1, RATE)
SOUND_TIME = fractions.Fraction(1, SOUND_RATE)


def make_piece(plan: Plan, camera: CameraPart, number: int, originals: Originals, sources: Sequence[Footage],
               folder: Path) -> None:  # fmt: skip
    """Make piece `number` (from 0) of a camera's copy, where it isn't there yet.

    Raises:
        OriginalMissing: the store no longer holds what the plan counts on.
        OSError: it can't be written.
    """
    video, sound = _piece_paths(folder, number)
    if video.exists():
        return
    first = number * PIECE_FRAMES
    count = min(PIECE_FRAMES, plan.frames - first)
    since = plan.wanted.since + first * FRAME_MS
    until = since + count * FRAME_MS
    heard = _Sound(since, count * SAMPLES_A_FRAME)
    shown = _in_order(originals, sources, since, until, heard)
    draft = video.with_suffix(".part")
    _encode(draft, camera, _pictures(camera, shown, since, count))
    write_whole(sound, heard.bytes())
    keep_whole(draft, video)


def join(plan: Plan, folder: Path, path: Path) -> None:
    """Put a camera's pieces together, their sound coded in one go.

    Raises:
        OSError: they can't be read or it can't be written.
    """
    draft = path.with_name(path.name + ".part")
    with av.open(str(draft), "w", format="mp4", options=BARE) as out:
        with av.open(str(_piece_paths(folder, 0)[0])) as first:
            video = out.add_stream_from_template(first.streams.video[0])
        audio = out.add_stream("aac", rate=SOUND_RATE)
        assert isinstance(audio, av.AudioStream)  # noqa: S101 - as its codec says
        audio.codec_context.layout, audio.codec_context.format = "mono", "fltp"
        audio.bit_rate = SOUND_BITS
        audio.codec_context.thread_count = 1
        audio.codec_context.flags |= av.codec.context.Flags.bitexact
        resampler = av.AudioResampler("fltp", "mono", SOUND_RATE, frame_size=1024)
        for number in range(plan.pieces):
            start = number * PIECE_FRAMES
            pictures, sound = _piece_paths(folder, number)
            with av.open(str(pictures)) as piece:
                for packet in piece.demux(piece.streams.video[0]):
                    if packet.pts is None or packet.dts is None or packet.time_base is None:
                        continue
                    shift = round(start * VIDEO_TIME / packet.time_base)
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, video
                    out.mux(packet)
            samples = np.frombuffer(sound.read_bytes(), np.int16)
            for sounds in _coded(audio, resampler, samples, start * SAMPLES_A_FRAME):
                out.mux(sounds)
        for frame in resampler.resample(None):
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))
    keep_whole(draft, path)


def _piece_paths(folder: Path, number: int) -> tuple[Path, Path]:
    return folder / f"{number:05}.mp4", folder / f"{number:05}.pcm"


def _coded(
    audio: av.AudioStream, resampler: av.AudioResampler, samples: np.ndarray, start: int
) -> Iterator[list[av.Packet[av.AudioStream]]]:
    """The sound of a piece, coded a second at a time."""
    for place in range(0, len(samples), SOUND_RATE):
        frame = av.AudioFrame.from_ndarray(samples[None, place : place + SOUND_RATE], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start + place, SOUND_TIME
        for ready in resampler.resample(frame):
            yield audio.encode(ready)


def _in_order(
    originals: Originals, sources: Sequence[Footage], since: int, until: int, heard: _Sound
) -> Iterator[Seen]:
    """The pictures of these files from shortly before `since` to `until`; their sound is laid aside."""
    for source in sources:
        if source.until <= since or source.since >= until:
            continue
        for one in decode(originals, source, since, until):
            if isinstance(one, Heard):
                heard.take(one)
            else:
                yield one


class _Sound:
    """One piece's sound, silent where there is none."""

    def __init__(self, since: int, samples: int) -> None:
        self._since = since
        self._samples = np.zeros(samples, np.int16)
        self._next: int | None = None

    def take(self, heard: Heard) -> None:
        """Lay it where it belongs."""
        new = np.frombuffer(heard.samples, np.int16)
        place = round((heard.at - self._since) * SOUND_RATE / 1000)
        if self._next is not None and abs(place - self._next) <= CONTINUOUS_SAMPLES:
            place = self._next
        self._next = place + len(new)
        begin, end = max(0, place), min(len(self._samples), place + len(new))
        if begin < end:
            self._samples[begin:end] = new[begin - place : end - place]

    def bytes(self) -> bytes:
        """All of it."""
        return self._samples.tobytes()


def _pictures(camera: CameraPart, shown: Iterator[Seen], since: int, count: int) -> Iterator[Picture]:
    """One picture for each moment: the newest that was there, or a card."""
    filters = filters_of(camera)
    current: Seen | None = None
    coming = next(shown, None)
    plain: tuple[Seen, Picture] | None = None
    for number in range(count):
        at = since + number * FRAME_MS
        while coming is not None and coming.at <= at + FRAME_MS / 2:
            current, coming = coming, next(shown, None)
        span = camera.span_at(at)
        is_missing = span.kind != "covered" and span.until - span.since >= SHORTEST_CARD_MS
        if is_missing or current is None:
            picture = _card(camera, span, at)
        else:
            if plain is None or plain[0] is not current:
                plain = (current, _fitted(current.frame, camera))
            picture = _copy(plain[1], at)
        yield _filtered(picture, filters)
    for _ in shown:  # the sound behind the last picture
        pass


def _filtered(picture: Picture, filters: Iterable[PictureFilter]) -> Picture:
    for each in filters:
        each.apply(picture)
    return picture


def _card(camera: CameraPart, span: SpanPart, at: int) -> Picture:
    kind: str = span.kind
    if kind == "covered":
        kind = "voice" if camera.is_voice else "no-picture"
    words = translate(f"export.gap.{kind}", LANGUAGE)
    seconds = (span.until - span.since) / 1000
    length = translate(
        "export.card.span", LANGUAGE, since=clock_text(span.since), until=clock_text(span.until)[11:],
        seconds=f"{seconds:.1f}",
    )  # fmt: skip
    if span.deletion is None:
        shade = drawing.card(camera.width, camera.height, words, length)
    else:
        deciders = translate(
            "export.card.deleted", LANGUAGE, at=clock_text(span.deletion.at),
            proposed=span.deletion.proposed_by, approved=span.deletion.approved_by,
        )  # fmt: skip
        shade = drawing.card(camera.width, camera.height, words, deciders, length)
    return _grey(camera, at, shade)


def _grey(camera: CameraPart, at: int, shade: drawing.Plane) -> Picture:
    half = (camera.height // 2, camera.width // 2)
    return Picture(at, shade.copy(), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8))


def _copy(picture: Picture, at: int) -> Picture:
    return Picture(at, picture.y.copy(), picture.u.copy(), picture.v.copy())


def _fitted(frame: av.VideoFrame, camera: CameraPart) -> Picture:
    """A decoded picture in the middle of the copy's size, as large as it goes."""
    scale = min(camera.width / frame.width, camera.height / frame.height)
    width = min(camera.width, max(2, round(frame.width * scale / 2) * 2))
    height = min(camera.height, max(2, round(frame.height * scale / 2) * 2))
    planes = frame.reformat(width=width, height=height, format="yuv420p", threads=1).to_ndarray().astype(np.uint8)
    y, chroma = planes[:height], planes[height:].reshape(2, height // 2, width // 2)
    if (width, height) == (camera.width, camera.height):
        return Picture(0, y, chroma[0], chroma[1])
    picture = _grey(camera, 0, np.full((camera.height, camera.width), 16, np.uint8))
    left, top = (camera.width - width) // 4 * 2, (camera.height - height) // 4 * 2
    picture.y[top : top + height, left : left + width] = y
    for plane, part in ((picture.u, chroma[0]), (picture.v, chroma[1])):
        plane[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = part
    return picture


def _encode(path: Path, camera: CameraPart, pictures: Iterator[Picture]) -> None:
    with av.open(str(path), "w", format="mp4", options=BARE) as out:
        stream = out.add_stream("libx264", rate=RATE, options=X264)
        assert isinstance(stream, av.VideoStream)  # noqa: S101 - as its codec says
        stream.width, stream.height, stream.pix_fmt = camera.width, camera.height, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = VIDEO_TIME
        for number, picture in enumerate(pictures):
            whole = np.concatenate([plane.ravel() for plane in (picture.y, picture.u, picture.v)])
            frame = av.VideoFrame.from_ndarray(whole.reshape(camera.height * 3 // 2, camera.width), format="yuv420p")
            frame.pts, frame.time_base = number, VIDEO_TIME
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
