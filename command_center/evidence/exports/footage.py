"""Decodes recordings into pictures and sound, each with the wall-clock time at which it was."""

from __future__ import annotations

import bisect
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.error import FFmpegError

from command_center.evidence.exports.originals import Originals
from streams.recording.manifest import FragmentLine, Segment

logger = logging.getLogger(__name__)

SOUND_RATE = 48_000
SLACK_MS = 1500
"""So much earlier than asked for is decoded, so that a picture stands at the beginning."""


@dataclass(frozen=True, slots=True)
class Footage:
    """One segment's file: where it lies, and those fragments of it that count."""

    path: str
    header_bytes: int
    fragments: tuple[FragmentLine, ...]

    @property
    def since(self) -> int:
        """When it begins, Unix milliseconds."""
        return self.fragments[0].at

    @property
    def until(self) -> int:
        """When it ends."""
        last = self.fragments[-1]
        return last.at + round(last.seconds * 1000)

    def wall(self, seconds: float) -> float:
        """When what stands at `seconds` of the file was, in Unix milliseconds."""
        place = bisect.bisect_right(self.fragments, seconds + 1e-4, key=lambda one: one.start) - 1
        fragment = self.fragments[max(0, place)]
        return fragment.at + (seconds - fragment.start) * 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """One decoded picture; `at` in Unix milliseconds."""

    at: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Heard:
    """Decoded sound: one channel of 16-bit samples, SOUND_RATE a second."""

    at: float
    samples: bytes


def footage_of(segment: Segment, counted_bytes: int) -> Footage | None:
    """A segment as far as `counted_bytes` of its file count; None where that is nothing."""
    fragments = tuple(one for one in segment.fragments if one.offset + one.length <= counted_bytes)
    return Footage(segment.line.path, segment.line.header_bytes, fragments) if fragments else None


def decode(originals: Originals, footage: Footage, since: int, until: int) -> Iterator[Seen | Heard]:
    """What was to be seen and heard from shortly before `since` to `until`.

    It begins at a fragment that a player can start at. What can't be decoded is passed over.

    Raises:
        OriginalMissing: the store no longer holds it.
    """
    data = _from_key_on(originals, footage, since, until)
    if data is None:
        return
    try:
        with av.open(io.BytesIO(data), "r") as container:
            yield from _decoded(container, footage)
    except FFmpegError as error:
        logger.warning("%s: a part can't be decoded: %s", footage.path, type(error).__name__)


def _from_key_on(originals: Originals, footage: Footage, since: int, until: int) -> bytes | None:
    """The header, and the fragments from the last one before `since` that a player can start at."""
    fragments = footage.fragments
    keys = [number for number, one in enumerate(fragments) if one.is_key and one.at <= since - SLACK_MS]
    first = keys[-1] if keys else 0
    wanted = [one for one in fragments[first:] if one.at < until]
    if not wanted or footage.until <= since:
        return None
    header = originals.read(footage.path, 0, footage.header_bytes)
    begin, end = wanted[0].offset, wanted[-1].offset + wanted[-1].length
    return header + originals.read(footage.path, begin, end - begin)


def _decoded(container: av.container.InputContainer, footage: Footage) -> Iterator[Seen | Heard]:
    streams = [*container.streams.video[:1], *container.streams.audio[:1]]
    for stream in streams:
        # One thread: what a damaged picture becomes must not depend on which was faster.
        stream.codec_context.thread_count = 1
    resampler = av.AudioResampler("s16", "mono", SOUND_RATE)
    for packet in container.demux(streams):
        try:
            frames = packet.decode()
        except FFmpegError:
            continue
        for frame in frames:
            if not isinstance(frame, av.VideoFrame | av.AudioFrame) or frame.pts is None or frame.time_base is None:
                continue
            at = footage.wall(float(frame.pts * frame.time_base))
            if isinstance(frame, av.VideoFrame):
                yield Seen(at, frame)
            else:
                frame.pts = None
                for sound in resampler.resample(frame):
                    yield Heard(at, sound.to_ndarray().tobytes())
