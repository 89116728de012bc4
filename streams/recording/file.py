"""One recording on the disk: its file, its manifest, and the running hash of what was written."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from streams.recording import mp4, webm
from streams.recording.assembly import Fragment
from streams.recording.identifiers import new_id
from streams.recording.manifest import (
    SUFFIX,
    Closed,
    CloseReason,
    Container,
    FragmentLine,
    GapLine,
    Line,
    Opened,
    write_line,
)

if TYPE_CHECKING:
    from _hashlib import HASH

    from streams.recording.frames import VideoFormat

logger = logging.getLogger(__name__)

SYNC_SECONDS = 1.0
"""How old may be what is written but not yet forced to the disk; with a fragment on its way: ≤ 2 s at risk."""
DAY_ZONE = ZoneInfo("Asia/Shanghai")
"""Whose calendar day names the folder."""
HEAD_BYTES = 8
CONTAINERS: dict[Container, ModuleType] = {"mp4": mp4, "webm": webm}


def feed_folder(feed: str) -> str:
    """The folder's name for a feed: its own, unless it would mean something to the file system."""
    return f"_{feed}" if feed.startswith((".", "_")) else feed


class RecordingFile:
    """A file that only grows: a header, then whole fragments, each written at once.

    Every method that writes may raise OSError; then `give_up` puts the file back to its last whole fragment.
    """

    def __init__(
        self,
        root: Path,
        feed: str,
        node: str,
        started_ns: int,
        video: VideoFormat | None,
        *,
        has_audio: bool,
        talk: UUID | None = None,
    ) -> None:
        container: Container = "webm" if video is not None and video.codec == "VP8" else "mp4"
        self._writer = CONTAINERS[container]
        self.id: UUID = new_id()
        self.started_ns = started_ns
        self.seconds = 0.0
        self.bytes = 0
        self.fragments = 0
        self.header = self._writer.header(video, has_audio)
        self._hash: HASH = hashlib.sha256()
        self._synced_at = time.monotonic()
        self._media = self._manifest = -1
        day = datetime.fromtimestamp(started_ns / 1e9, DAY_ZONE).date().isoformat()
        path = Path(feed_folder(feed)) / day / f"{self.id}.{container}"
        codecs = ([video.codec_string] if video else []) + (["opus"] if has_audio else [])
        self.opened = Opened(
            recording=self.id,
            feed=feed,
            node=node,
            path=path.as_posix(),
            container=container,
            video=video.codec if video else None,
            audio="opus" if has_audio else None,
            mime=f'{self._writer.MIME}; codecs="{",".join(codecs)}"',
            width=video.width if video else 0,
            height=video.height if video else 0,
            started_at=started_ns // 1_000_000,
            header_bytes=len(self.header),
            header_sha256=hashlib.sha256(self.header).hexdigest(),
            talk=talk,
        )
        self._path = root / path

    def create(self) -> None:
        """Make the manifest, then the file; under its name the file has its whole header from the first moment."""
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._manifest = os.open(self._path.with_suffix(SUFFIX), flags | os.O_APPEND, 0o640)
        _write(self._manifest, write_line(self.opened))
        draft = self._path.with_suffix(".new")
        self._media = os.open(draft, flags, 0o640)
        try:
            _write(self._media, self.header)
            os.fdatasync(self._media)
            os.fdatasync(self._manifest)
            draft.rename(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(folder)
        self._hash.update(self.header)
        self.bytes = len(self.header)

    def append(self, fragment: Fragment, wall_ns: int) -> None:
        """Write one fragment, then its line."""
        data: bytes = self._writer.fragment(self.fragments + 1, fragment.video, fragment.audio)
        # The fragment's first bytes come last: until they stand, a reader meets zeros where a box or an element
        # should begin, and ends there. So a crash never leaves half a fragment that a player would try.
        _write_at(self._media, data[HEAD_BYTES:], self.bytes + HEAD_BYTES)
        _write_at(self._media, data[:HEAD_BYTES], self.bytes)
        line = FragmentLine(
            number=self.fragments,
            offset=self.bytes,
            length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            start=round(fragment.start, 6),
            seconds=round(fragment.seconds, 6),
            at=(wall_ns + 500_000) // 1_000_000,
            is_key=fragment.is_key,
        )
        self._hash.update(data)
        self.bytes += len(data)
        self.fragments += 1
        self.seconds = max(self.seconds, fragment.start + fragment.seconds)
        _write(self._manifest, write_line(line))

    def note(self, gap: GapLine) -> None:
        """Write down that something is missing."""
        _write(self._manifest, write_line(gap))

    def sync(self, *, now: bool = False) -> bool:
        """Force to the disk what was written, if that is due; True where it was."""
        if not now and time.monotonic() - self._synced_at < SYNC_SECONDS:
            return False
        os.fdatasync(self._media)
        os.fdatasync(self._manifest)
        self._synced_at = time.monotonic()
        return True

    def close(self, reason: CloseReason, ended_ns: int) -> Closed:
        """Write the closing line and let go of the file."""
        closed = self._closing(reason, ended_ns)
        self.sync(now=True)
        self._finish(closed)
        return closed

    def give_up(self, ended_ns: int) -> Closed:
        """Close after a write that failed: cut off what was half written; the disk may refuse the closing line."""
        closed = self._closing("disk", ended_ns)
        if not self.bytes:
            self._forget()
            return closed
        with suppress(OSError):
            os.ftruncate(self._media, self.bytes)
        try:
            _write(self._manifest, b"\n")  # the line before may be torn
            self._finish(closed)
        except OSError as error:
            # The recovery at the next start finds the manifest without its end and writes it.
            logger.warning("recording %s: no closing line: %s", self.id, error)
            self._release()
        return closed

    def _closing(self, reason: CloseReason, ended_ns: int) -> Closed:
        return Closed(
            reason=reason,
            ended_at=ended_ns // 1_000_000,
            seconds=round(self.seconds, 3),
            bytes=self.bytes,
            sha256=self._hash.hexdigest(),
        )

    def _finish(self, closed: Line) -> None:
        _write(self._manifest, write_line(closed))
        os.fdatasync(self._manifest)
        self._release()

    def _forget(self) -> None:
        """Take away what never became a recording."""
        self._release()
        for path in (self._path, self._path.with_suffix(SUFFIX)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _release(self) -> None:
        for descriptor in (self._media, self._manifest):
            if descriptor >= 0:
                with suppress(OSError):
                    os.close(descriptor)
        self._media = self._manifest = -1


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it; on a disk that fills up a write may take only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        offset += written
        view = view[written:]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
