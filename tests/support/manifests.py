"""Recordings made at once: real fragments of a clip in segments, with a manifest of version 2 or 1 beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streams.hub.topics import RecordingWritten
from streams.ledger import Chain, Signer
from streams.recording import mp4, webm
from streams.recording.assembly import Assembly, Fragment
from streams.recording.frames import Frame, VideoFormat
from streams.recording.identifiers import new_id
from streams.recording.manifest import (
    LEDGER,
    Closed,
    CloseReason,
    FragmentLine,
    GapLine,
    ManifestLine,
    Opened,
    Sealed,
    SegmentLine,
)
from streams.recording.packets import read_rtp
from streams.recording.stream import Stream
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone

START_MS = 1_800_000_000_000
NODE_KEY = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
"""The key of the nodes that these recordings are of."""
Codec = Literal["H264", "VP8"]
SIGNED = ("sealed", "closed")


@dataclass
class Made:
    """A recording that was written, and what its node told of it."""

    recording: UUID
    feed: str
    manifest: Path
    segments: list[Path]
    opened: Opened
    lines: list[ManifestLine] = field(default_factory=list)
    events: list[RecordingWritten] = field(default_factory=list)


@dataclass(frozen=True)
class Footage:
    """A file's header, and its fragments with their bytes."""

    video: VideoFormat
    header: bytes
    fragments: tuple[tuple[Fragment, bytes], ...]
    seconds: float
    has_sound: bool = True


@lru_cache(maxsize=8)
def footage(codec: Codec, seconds: float) -> Footage:
    """A clip with a tone, coded and cut as the recorder does it."""
    frames, video = _frames(codec, seconds)
    assembly, fragments = Assembly(0, has_video=True), []
    for kind, frame, at_ns in frames:
        if kind == "audio":
            assembly.add_audio(frame, at_ns)
        else:
            if frame.is_key:
                assembly.expect_key(at_ns)
                if assembly.is_due(key_next=True):
                    fragments.append(assembly.cut())
            assembly.add_video(frame, at_ns)
        if assembly.is_due():
            fragments.append(assembly.cut())
    fragments.append(assembly.cut(is_last=True))
    writer = mp4 if codec == "H264" else webm
    whole = [one for one in fragments if one is not None]
    made = [(one, writer.fragment(number, one.video, one.audio)) for number, one in enumerate(whole, start=1)]
    return Footage(video, writer.header(video, True), tuple(made), max(one.start + one.seconds for one in whole))


def _frames(codec: Codec, seconds: float) -> tuple[list[tuple[str, Frame, int]], VideoFormat]:
    track = H264 if codec == "H264" else VP8
    publisher = Publisher([*clip(codec, seconds), *tone(seconds)], start_ns=0)
    publisher.video_payload_type = track.codec.payload_type
    frames: list[tuple[str, Frame, int]] = []
    streams = {
        kind: Stream(which, lambda kind, frame: frames.append((kind, frame, frame.arrival_ns)))
        for kind, which in (("video", track), ("audio", OPUS))
    }
    for kind, data, arrival_ns in publisher.packets():
        packet = read_rtp(data, arrival_ns)
        assert packet is not None
        streams[kind].reorder.push(packet)
    video = streams["video"].depacketiser.format
    assert video is not None
    exact = [(kind, frame, _at_ns(publisher, kind, frame)) for kind, frame, _ in frames]
    return sorted(exact, key=lambda one: one[2]), video


def _at_ns(publisher: Publisher, kind: str, frame: Frame) -> int:
    rate = 90_000 if kind == "video" else 48_000
    return round(((frame.timestamp - publisher.base[kind]) & 0xFFFFFFFF) / rate * 1e9)  # type: ignore[index]


class ManifestWriter:
    """Writes one recording, step by step; `make_recording` does it all at once."""

    def __init__(
        self,
        root: Path,
        feed: str = "feed-1",
        *,
        node: str = "node-1",
        begins: float = 0.0,
        talk: UUID | None = None,
        signer: Signer = NODE_KEY,
    ) -> None:
        recording, started_at = new_id(), START_MS + round(begins * 1000)
        self._root = root
        self._folder = f"{feed}/{_day(started_at)}"
        self._signer = signer
        self._chain = Chain(LEDGER)
        self._start = 0.0
        opened = Opened(recording=recording, feed=feed, node=node, started_at=started_at, talk=talk)
        path = root / self._folder / f"{recording}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.made = Made(recording, feed, path, [], opened)
        self._tell(opened)

    def segment(
        self,
        codec: Codec = "H264",
        seconds: float = 2.0,
        *,
        is_sealed: bool = True,
        fragments: int = 10_000,
        shot: Footage | None = None,
    ) -> None:
        """A segment of so many seconds, or of so many fragments of it; `shot` is other footage than the usual clip."""
        shot, number = shot or footage(codec, seconds), len(self.made.segments) + 1
        container: Literal["mp4", "webm"] = "mp4" if codec == "H264" else "webm"
        path = f"{self._folder}/{self.made.recording}-{number:04}.{container}"
        started_at = self.made.opened.started_at + round(self._start * 1000)
        self._tell(
            SegmentLine(
                number=number,
                path=path,
                container=container,
                video=codec,
                audio="opus" if shot.has_sound else None,
                mime=_mime(container, shot),
                width=shot.video.width,
                height=shot.video.height,
                started_at=started_at,
                start=round(self._start, 6),
                header_bytes=len(shot.header),
                header_sha256=_sha256(shot.header),
                reason="start" if number == 1 else "length",
            )
        )
        data = shot.header
        chosen = shot.fragments[:fragments]
        for count, (fragment, piece) in enumerate(chosen):
            line = FragmentLine(
                segment=number,
                number=count,
                offset=len(data),
                length=len(piece),
                sha256=_sha256(piece),
                start=round(fragment.start, 6),
                seconds=round(fragment.seconds, 6),
                at=started_at + round(fragment.start * 1000),
                is_key=fragment.is_key,
            )
            data += piece
            self._tell(line, is_told=count % 2 == 1 or count + 1 == len(chosen))
        (self._root / path).write_bytes(data)
        self.made.segments.append(self._root / path)
        length = max((round(one.start + one.seconds, 6) for one, _ in chosen), default=0.0)
        self._start += length
        if is_sealed:
            self._tell(
                Sealed(
                    segment=number,
                    ended_at=started_at + round(length * 1000),
                    seconds=length,
                    bytes=len(data),
                    sha256=_sha256(data),
                    fragments=len(chosen),
                )
            )

    def gap(self, gap: GapLine) -> None:
        """Something is missing."""
        self._tell(gap)

    def wait(self, seconds: float) -> None:
        """The next segment begins later than the last one ended."""
        self._start += seconds

    def close(self, reason: CloseReason = "ended") -> Made:
        """The recording's end."""
        seconds = round(self._start, 6)
        ended_at = self.made.opened.started_at + round(seconds * 1000)
        self._tell(Closed(reason=reason, ended_at=ended_at, seconds=seconds, segments=len(self.made.segments)))
        return self.made

    def _tell(self, line: ManifestLine, *, is_told: bool = True) -> None:
        fields = line.model_dump(mode="json")
        data = self._chain.line(fields, self._signer if line.type in SIGNED else None)
        with self.made.manifest.open("ab") as file:
            file.write(data)
        self.made.lines.append(line)
        if is_told:
            head = self._chain.head
            self.made.events.append(
                RecordingWritten(
                    recording=self.made.recording, feed=self.made.feed, ordinal=head.lines, head=head.hash, line=line
                )
            )


def make_recording(
    root: Path,
    feed: str = "feed-1",
    *,
    seconds: Sequence[float] = (2.0, 2.0),
    codec: Codec = "H264",
    node: str = "node-1",
    begins: float = 0.0,
    talk: UUID | None = None,
    gaps: Sequence[GapLine] = (),
    reason: CloseReason | None = "ended",
    signer: Signer = NODE_KEY,
) -> Made:
    """A recording with segments of these lengths; without `reason` it has no end, and its last segment no seal.

    It begins so many seconds after `START_MS`.
    """
    writer = ManifestWriter(root, feed, node=node, begins=begins, talk=talk, signer=signer)
    for number, length in enumerate(seconds, start=1):
        writer.segment(codec, length, is_sealed=reason is not None or number < len(seconds))
    for gap in gaps:
        writer.gap(gap)
    return writer.made if reason is None else writer.close(reason)


def make_recording_of_version_1(root: Path, feed: str = "feed-1", *, seconds: float = 2.0, begins: float = 0.0) -> Made:
    """A recording as the first version kept it: one file, neither chain nor signature."""
    shot, recording, started_at = footage("H264", seconds), new_id(), START_MS + round(begins * 1000)
    path = f"{feed}/{_day(started_at)}/{recording}.mp4"
    opened = {
        "type": "opened", "version": 1, "recording": str(recording), "feed": feed, "node": "node-1", "path": path,
        "container": "mp4", "video": "H264", "audio": "opus", "mime": _mime("mp4", shot),
        "width": 320, "height": 240, "started_at": started_at, "header_bytes": len(shot.header),
        "header_sha256": _sha256(shot.header), "talk": None,
    }  # fmt: skip
    lines: list[dict[str, Any]] = [opened]
    data = shot.header
    for number, (fragment, piece) in enumerate(shot.fragments):
        lines.append({
            "type": "fragment", "number": number, "offset": len(data), "length": len(piece), "sha256": _sha256(piece),
            "start": round(fragment.start, 6), "seconds": round(fragment.seconds, 6),
            "at": started_at + round(fragment.start * 1000), "is_key": fragment.is_key,
        })  # fmt: skip
        data += piece
    lines.append({
        "type": "gap", "kind": "loss", "track": "video", "since": started_at, "until": started_at + 40, "packets": 3,
    })  # fmt: skip
    lines.append({
        "type": "closed", "reason": "ended", "ended_at": started_at + round(shot.seconds * 1000),
        "seconds": round(shot.seconds, 3), "bytes": len(data), "sha256": _sha256(data),
    })  # fmt: skip
    media = root / path
    media.parent.mkdir(parents=True, exist_ok=True)
    media.write_bytes(data)
    manifest = media.with_suffix(".jsonl")
    manifest.write_bytes(b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines))
    opened_line = Opened(version=1, recording=recording, feed=feed, node="node-1", started_at=started_at)
    return Made(recording, feed, manifest, [media], opened_line)


def told(made: Sequence[Made]) -> Iterator[RecordingWritten]:
    """What the nodes told of these."""
    for one in made:
        yield from one.events


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, ZoneInfo("Asia/Shanghai")).date().isoformat()


def _mime(container: str, shot: Footage) -> str:
    sound = ",opus" if shot.has_sound else ""
    return f'video/{container}; codecs="{shot.video.codec_string}{sound}"'


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
