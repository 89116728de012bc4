"""Completes the recordings that a crash left open, with their true length."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.ledger import cut_torn_end, head_of
from streams.recording import scan, version_1
from streams.recording.digest import RunningDigest, digest
from streams.recording.events import RecordingEvent, thinned, written_lines
from streams.recording.manifest import SUFFIX, Closed, FragmentLine, Manifest, Sealed, Segment, read_manifest
from streams.recording.manifest_file import ManifestFile
from streams.recording.recording import Place
from streams.recording.segment_file import DRAFT_SUFFIX

logger = logging.getLogger(__name__)

TAIL_BYTES = 4096
YOUNG_SECONDS = 60.0
CLOSED_MARK = b'{"type":"closed"'
MEDIA_SUFFIXES = (".mp4", ".webm")


@dataclass(slots=True)
class _Found:
    """What of a segment's file is whole; `more` are fragments that the manifest doesn't tell of."""

    kept: int
    more: list[FragmentLine]
    bytes: int
    digest: RunningDigest


def manifests(root: Path) -> list[Path]:
    """Every manifest that there is now."""
    return sorted(root.glob(f"*/*/*{SUFFIX}"))


def close_unfinished(place: Place, paths: list[Path], stopping: threading.Event) -> Iterator[RecordingEvent]:
    """Complete those recordings that are this node's and have no closing line; none of them may be under way.

    For each all lines are told, but of fragments the last: the crash may have come before they were. Media files
    aren't touched; bytes after the last whole fragment simply don't count.
    """
    for path in paths:
        if stopping.is_set():
            return
        try:
            if _is_closed(path):
                continue
            manifest = read_manifest(path)
            if manifest is None or (not manifest.segments and manifest.opened.node == place.node):
                # Whose it is nobody can tell; another node may be writing its first line in this moment.
                if manifest is not None or time.time() - path.stat().st_mtime > YOUNG_SECONDS:
                    _remove_empty(path)
                continue
            if manifest.opened.node != place.node:
                continue
            yield from _complete(place, path)
        except (OSError, ValueError) as error:
            logger.error("recording %s can't be completed: %s", path.stem, error)


def _is_closed(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().splitlines()
    return bool(lines) and lines[-1].startswith(CLOSED_MARK)


def _complete(place: Place, path: Path) -> Iterator[RecordingEvent]:
    manifest = read_manifest(path)
    if manifest is not None and manifest.opened.version == 1:
        version_1.close(place.root, path)
        return
    cut = cut_torn_end(path)
    if cut:
        logger.warning("recording %s: %d bytes of a torn line cut off", path.stem, cut)
    manifest = read_manifest(path)
    if manifest is None or not manifest.segments:
        return
    _remove_beginning(path, len(manifest.segments))
    file = ManifestFile(path, manifest.opened.recording, manifest.opened.feed, place.signer, head_of(path))
    file.resume()
    try:
        last = manifest.segments[-1]
        if last.sealed is None:
            _seal(place, file, manifest, last)
        seconds = last.line.start + last.seconds
        file.write(
            Closed(
                reason="node",
                ended_at=_ended_at(last),
                seconds=round(seconds, 3),
                segments=len(manifest.segments),
                is_recovered=True,
            )
        )
        file.sync()
    finally:
        file.release()
    logger.info("recording %s completed after a crash: %.1f s", path.stem, seconds)
    yield from thinned(written_lines(path))


def _seal(place: Place, file: ManifestFile, manifest: Manifest, segment: Segment) -> None:
    found = _read_media(place.root / segment.line.path, segment)
    for line in found.more:
        file.write(line)
    segment.fragments = segment.fragments[: found.kept] + found.more
    hashes = found.digest.value
    segment.sealed = Sealed(
        segment=segment.line.number,
        ended_at=_ended_at(segment),
        seconds=round(segment.seconds, 3),
        bytes=found.bytes,
        sha256=hashes.sha256,
        sm3=hashes.sm3,
        fragments=len(segment.fragments),
        anchor=place.anchor(),
        is_recovered=True,
    )
    file.write(segment.sealed)


def _ended_at(segment: Segment) -> int:
    last = segment.fragments[-1] if segment.fragments else None
    return segment.line.started_at if last is None else last.at + int(last.seconds * 1000)


def _read_media(media: Path, segment: Segment) -> _Found:
    """Hash the file as far as it is whole: what the manifest tells of and the disk has, then what it has beyond."""
    with media.open("rb") as file:
        found = _Found(0, [], segment.line.header_bytes, RunningDigest(file.read(segment.line.header_bytes)))
        for line in segment.fragments:
            data = file.read(line.length)
            if digest(data).sha256 != line.sha256:
                return found  # a power cut kept the line and lost the bytes
            found.digest.update(data)
            found.kept += 1
            found.bytes += line.length
        for piece in scan.fragments(segment.line.container, file.read()):
            found.digest.update(piece.data)
            found.more.append(_line(piece, segment, found.kept + len(found.more), found.bytes))
            found.bytes += len(piece.data)
    return found


def _line(piece: scan.Piece, segment: Segment, number: int, offset: int) -> FragmentLine:
    before = segment.fragments[-1] if segment.fragments else None
    zero = segment.line.started_at if before is None else before.at - int(before.start * 1000)
    hashes = digest(piece.data)
    return FragmentLine(
        segment=segment.line.number,
        number=number,
        offset=offset,
        length=len(piece.data),
        sha256=hashes.sha256,
        sm3=hashes.sm3,
        start=round(piece.start, 6),
        seconds=round(piece.seconds, 6),
        at=zero + int(piece.start * 1000),
        is_key=piece.is_key,
    )


def _remove_beginning(path: Path, segments: int) -> None:
    """Take away the file of a segment that no line tells of yet: it holds a header only."""
    for suffix in (*MEDIA_SUFFIXES, DRAFT_SUFFIX):
        path.with_name(f"{path.stem}-{segments + 1:04d}{suffix}").unlink(missing_ok=True)


def _remove_empty(path: Path) -> None:
    """A manifest whose first segment never came to be tells of nothing."""
    if not any(path.with_suffix(suffix).exists() for suffix in MEDIA_SUFFIXES):  # as version 1 named them
        _remove_beginning(path, 0)
        path.unlink(missing_ok=True)
