"""Closes the recordings that a crash left open, with their true length."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.hub.topics import RecordingClosed, RecordingOpened
from streams.recording import scan
from streams.recording.events import closed_event, opened_event
from streams.recording.manifest import SUFFIX, Closed, FragmentLine, Manifest, read_manifest, write_line

logger = logging.getLogger(__name__)

TAIL_BYTES = 4096
YOUNG_SECONDS = 60.0
CLOSED_MARK = b'{"type":"closed"'


@dataclass(slots=True)
class _Found:
    """What of a file is whole."""

    fragments: list[FragmentLine]
    bytes: int
    sha256: str


def manifests(root: Path) -> list[Path]:
    """Every manifest that there is now."""
    return sorted(root.glob(f"*/*/*{SUFFIX}"))


def close_unfinished(
    root: Path, paths: list[Path], node: str, stopping: threading.Event
) -> Iterator[RecordingOpened | RecordingClosed]:
    """Close those recordings that are this node's and have no closing line; none of them may be under way.

    For each, both events are given: the crash may have come before the first was told. The file itself is not touched;
    bytes after its last whole fragment simply don't count.
    """
    for path in paths:
        if stopping.is_set():
            return
        try:
            if _is_closed(path):
                continue
            manifest = read_manifest(path)
            if manifest is None:
                # Whose it is nobody can tell; another node may be writing its first line in this moment.
                if time.time() - path.stat().st_mtime > YOUNG_SECONDS:
                    _remove_empty(path)
                continue
            if manifest.opened.node != node:
                continue
            closed = _close(root, path, manifest)
        except OSError as error:
            logger.error("recording %s can't be closed: %s", path.stem, error)
            continue
        if closed is not None:
            yield opened_event(manifest.opened)
            yield closed_event(manifest.opened, closed)


def _is_closed(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().splitlines()
    return bool(lines) and lines[-1].startswith(CLOSED_MARK)


def _close(root: Path, path: Path, manifest: Manifest) -> Closed | None:
    media = root / manifest.opened.path
    if not media.exists():
        _remove_empty(path)
        return None
    found = _read_media(media, manifest)
    last = found.fragments[-1] if found.fragments else None
    seconds = max((line.start + line.seconds for line in found.fragments[-2:]), default=0.0)
    closed = Closed(
        reason="node",
        ended_at=manifest.opened.started_at if last is None else last.at + int(last.seconds * 1000),
        seconds=round(seconds, 3),
        bytes=found.bytes,
        sha256=found.sha256,
    )
    known = len(manifest.fragments)
    with path.open("ab") as file:
        file.write(b"\n")  # the last line may be torn
        for line in found.fragments[known:]:
            file.write(write_line(line))
        file.write(write_line(closed))
        file.flush()
        os.fsync(file.fileno())
    logger.info("recording %s closed after a crash: %.1f s", manifest.opened.recording, closed.seconds)
    return closed


def _read_media(media: Path, manifest: Manifest) -> _Found:
    """Hash the file as far as it is whole: what the manifest tells of and the disk has, then what it has beyond."""
    digest = hashlib.sha256()
    found = _Found([], manifest.opened.header_bytes, "")
    with media.open("rb") as file:
        digest.update(file.read(manifest.opened.header_bytes))
        for line in manifest.fragments:
            data = file.read(line.length)
            if hashlib.sha256(data).hexdigest() != line.sha256:
                # A power cut kept the line and lost the bytes.
                found.sha256 = digest.hexdigest()
                return found
            digest.update(data)
            found.fragments.append(line)
            found.bytes += line.length
        file.seek(found.bytes)
        for piece in scan.fragments(manifest.opened.container, file.read()):
            digest.update(piece.data)
            found.fragments.append(_line(piece, manifest, len(found.fragments), found.bytes))
            found.bytes += len(piece.data)
    found.sha256 = digest.hexdigest()
    return found


def _line(piece: scan.Piece, manifest: Manifest, number: int, offset: int) -> FragmentLine:
    before = manifest.fragments[-1] if manifest.fragments else None
    zero = manifest.opened.started_at if before is None else before.at - int(before.start * 1000)
    return FragmentLine(
        number=number,
        offset=offset,
        length=len(piece.data),
        sha256=hashlib.sha256(piece.data).hexdigest(),
        start=round(piece.start, 6),
        seconds=round(piece.seconds, 6),
        at=zero + int(piece.start * 1000),
        is_key=piece.is_key,
    )


def _remove_empty(path: Path) -> None:
    """A manifest whose file never came to be tells of nothing."""
    if not any(path.with_suffix(suffix).exists() for suffix in (".mp4", ".webm")):
        path.unlink(missing_ok=True)
        path.with_suffix(".new").unlink(missing_ok=True)
