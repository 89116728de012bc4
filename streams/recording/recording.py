"""One recording on the disk: its manifest, and its segments one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID
from zoneinfo import ZoneInfo

from streams.ledger import Signer
from streams.recording import mp4, webm
from streams.recording.assembly import Fragment
from streams.recording.descriptor import make_folder
from streams.recording.digest import RunningDigest, digest
from streams.recording.events import RecordingEvent
from streams.recording.frames import VideoFormat
from streams.recording.identifiers import new_id
from streams.recording.manifest import (
    SUFFIX,
    Closed,
    CloseReason,
    Container,
    FragmentLine,
    GapLine,
    Opened,
    Sealed,
    SegmentLine,
    SegmentReason,
)
from streams.recording.manifest_file import ManifestFile
from streams.recording.segment_file import SegmentFile
from streams.recording.timeline import NANOSECONDS

logger = logging.getLogger(__name__)

SYNC_SECONDS = 1.0
"""How old may be what is written but not yet forced to the disk; with a fragment on its way: ≤ 2 s at risk."""
DAY_ZONE = ZoneInfo("Asia/Shanghai")
"""Whose calendar day names the folder."""
CONTAINERS: dict[Container, ModuleType] = {"mp4": mp4, "webm": webm}

Anchor = tuple[int, str]
"""The sequence of an anchor, and the hash of its line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where recordings are kept and whose they are; `anchor` gives the newest anchor that is known."""

    root: Path
    node: str
    signer: Signer
    anchor: Callable[[], Anchor | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a segment has come; `ended_ns` is Unix time."""

    fragments: int
    seconds: float
    ended_ns: int
    bytes: int
    digest: RunningDigest


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment begins with: `start` is in seconds since the recording's beginning."""

    start: float
    video: VideoFormat | None
    has_audio: bool
    reason: SegmentReason


def manifest_path(feed: str, recording: UUID, started_at: int) -> Path:
    """Where a recording's manifest lies, relative to the recordings folder; `started_at` is Unix milliseconds."""
    # A feed's own name, unless it would mean something to the file system.
    folder = f"_{feed}" if feed.startswith((".", "_")) else feed
    day = datetime.fromtimestamp(started_at / 1000, DAY_ZONE).date().isoformat()
    return Path(folder) / day / f"{recording}{SUFFIX}"


class RecordingFiles:
    """A manifest and its segments; `emit` is given each line once it has reached the disk.

    Every method that writes may raise OSError; then `give_up` completes it with what is whole.
    """

    def __init__(
        self, place: Place, feed: str, started_ns: int, emit: Callable[[RecordingEvent], None], talk: UUID | None = None
    ) -> None:
        self.id: UUID = new_id()
        self.started_ns = started_ns
        self.ended_ns = started_ns
        self.segments = 0
        self._place = place
        self._emit = emit
        self._opened = Opened(
            recording=self.id, feed=feed, node=place.node, started_at=started_ns // 1_000_000, talk=talk
        )
        self._path = manifest_path(feed, self.id, self._opened.started_at)
        self._manifest = ManifestFile(place.root / self._path, self.id, feed, place.signer)
        self._segment: SegmentFile | None = None
        self._writer: ModuleType = mp4
        self._start = 0.0
        self._seconds = 0.0
        self._fragments = 0
        self._lasting: Standing | None = None
        """Of the present segment, what the disk has taken for good."""
        self._is_cut = self._is_closed = False
        self._synced_at = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self._start + self._seconds

    def begin_segment(self, header: Header, fragment: Fragment, wall_ns: int) -> int:
        """Begin a file with its first fragment; the first file begins the manifest too. Gives its length in bytes."""
        container: Container = "webm" if header.video is not None and header.video.codec == "VP8" else "mp4"
        writer = CONTAINERS[container]
        head: bytes = writer.header(header.video, header.has_audio)
        data: bytes = writer.fragment(1, fragment.video, fragment.audio)
        number = self.segments + 1
        path = self._path.with_name(f"{self.id}-{number:04d}.{container}")
        if not self.segments:
            make_folder((self._place.root / path).parent)
            self._manifest.create(self._opened)
        segment = SegmentFile(self._place.root / path)
        # The file first, so that no line tells of one that isn't there.
        segment.create(head + data)
        try:
            self._manifest.write(
                _segment_line(header, head, number, path.as_posix(), container, wall_ns),
                _fragment_line(fragment, data, number, 0, len(head), wall_ns),
            )
        except OSError:
            segment.release()
            segment.path.unlink(missing_ok=True)
            raise
        self._segment, self._writer = segment, writer
        self.segments, self._fragments = number, 1
        self._start, self._seconds = header.start, 0.0
        self._grew(fragment, wall_ns)
        self._lasting = self._standing()
        return len(head) + len(data)

    def append(self, fragment: Fragment, wall_ns: int) -> int:
        """Write one fragment, then its line; gives its length in bytes."""
        assert self._segment is not None  # noqa: S101 - as `begin_segment` has left it
        data: bytes = self._writer.fragment(self._fragments + 1, fragment.video, fragment.audio)
        offset = self._segment.append(data)
        try:
            self._manifest.write(_fragment_line(fragment, data, self.segments, self._fragments, offset, wall_ns))
        except OSError:
            self._segment.take_back()
            raise
        self._fragments += 1
        self._grew(fragment, wall_ns)
        return len(data)

    def _grew(self, fragment: Fragment, wall_ns: int) -> None:
        self._seconds = max(self._seconds, fragment.start + fragment.seconds)
        self.ended_ns = max(self.ended_ns, wall_ns + int(fragment.seconds * NANOSECONDS))

    def _standing(self) -> Standing:
        assert self._segment is not None  # noqa: S101 - as the callers have seen
        segment = self._segment
        return Standing(self._fragments, self._seconds, self.ended_ns, segment.bytes, segment.digest.copy())

    def note(self, gap: GapLine) -> None:
        """Write down that something is missing."""
        self._manifest.write(gap)

    def sync(self, *, now: bool = False) -> None:
        """Force to the disk what was written, if that is due, and tell it."""
        if not now and time.monotonic() - self._synced_at < SYNC_SECONDS:
            return
        # The pictures first: a line must not outlive what it tells of.
        if self._segment is not None:
            self._segment.sync()
            self._lasting = self._standing()
        for event in self._manifest.sync():
            self._emit(event)
        self._synced_at = time.monotonic()

    def seal(self, device_offset_ms: int | None) -> None:
        """Complete the present segment and sign it."""
        segment = self._segment
        if segment is None:
            return
        # All before it lasts first: so no crash can tear anything before a line that is signed.
        self.sync(now=True)
        hashes = segment.digest.value
        self._manifest.write(
            Sealed(
                segment=self.segments,
                ended_at=self.ended_ns // 1_000_000,
                seconds=round(self._seconds, 3),
                bytes=segment.bytes,
                sha256=hashes.sha256,
                sm3=hashes.sm3,
                fragments=self._fragments,
                device_offset_ms=device_offset_ms,
                anchor=self._place.anchor(),
                is_recovered=self._is_cut,
            )
        )
        self._segment = self._lasting = None
        segment.release()
        self.sync(now=True)

    def close(self, reason: CloseReason, device_offset_ms: int | None) -> None:
        """Seal what is open, write the closing line and let go."""
        self.seal(device_offset_ms)
        if not self._is_closed:
            self._manifest.write(
                Closed(
                    reason=reason,
                    ended_at=self.ended_ns // 1_000_000,
                    seconds=round(self.seconds, 3),
                    segments=self.segments,
                )
            )
            self._is_closed = True
        self.sync(now=True)
        self._manifest.release()

    def fall_back(self) -> None:
        """Let only that count which the disk has taken for good: of the rest nobody knows what it made."""
        segment, lasting = self._segment, self._lasting
        if segment is None or lasting is None:
            return
        self._is_cut = lasting.fragments < self._fragments
        self._fragments, self._seconds, self.ended_ns = lasting.fragments, lasting.seconds, lasting.ended_ns
        segment.bytes, segment.digest = lasting.bytes, lasting.digest

    def give_up(self, device_offset_ms: int | None) -> bool:
        """Complete it after a write that failed; False while the disk refuses even that: try again later."""
        if self._segment is not None:
            self._segment.shrink()
        if not self.segments:
            self._forget()
            return True
        try:
            self.close("disk", device_offset_ms)
        except OSError as error:
            logger.warning("recording %s can't be completed yet: %s", self.id, error)
            return False
        return True

    def release(self) -> None:
        """Let go of what can't be completed; the recovery at the next start does it."""
        if self._segment is not None:
            self._segment.release()
        self._manifest.release()

    def _forget(self) -> None:
        """Take away what never became a recording."""
        self.release()
        with suppress(OSError):
            (self._place.root / self._path).unlink(missing_ok=True)


def _segment_line(
    header: Header, head: bytes, number: int, path: str, container: Container, wall_ns: int
) -> SegmentLine:
    video, hashes = header.video, digest(head)
    codecs = ([video.codec_string] if video else []) + (["opus"] if header.has_audio else [])
    return SegmentLine(
        number=number,
        path=path,
        container=container,
        video=video.codec if video else None,
        audio="opus" if header.has_audio else None,
        mime=f'{CONTAINERS[container].MIME}; codecs="{",".join(codecs)}"',
        width=video.width if video else 0,
        height=video.height if video else 0,
        started_at=wall_ns // 1_000_000,
        start=round(header.start, 6),
        header_bytes=len(head),
        header_sha256=hashes.sha256,
        header_sm3=hashes.sm3,
        reason=header.reason,
    )


def _fragment_line(
    fragment: Fragment, data: bytes, segment: int, number: int, offset: int, wall_ns: int
) -> FragmentLine:
    hashes = digest(data)
    return FragmentLine(
        segment=segment,
        number=number,
        offset=offset,
        length=len(data),
        sha256=hashes.sha256,
        sm3=hashes.sm3,
        start=round(fragment.start, 6),
        seconds=round(fragment.seconds, 6),
        at=(wall_ns + 500_000) // 1_000_000,
        is_key=fragment.is_key,
    )
