"""Completes the recordings that a crash left open, with their true length."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from streams.ledger import TORN_SUFFIX, NotALedger, cut_torn_end, head_of, keep_torn
from streams.recording import version_1
from streams.recording.digest import RunningDigest, digest
from streams.recording.events import RecordingEvent, thinned, written_lines
from streams.recording.manifest import SUFFIX, Closed, Sealed, Segment, read_manifest
from streams.recording.manifest_file import ManifestFile
from streams.recording.recording import Place
from streams.recording.segment_file import DRAFT_SUFFIX

logger = logging.getLogger(__name__)

TAIL_BYTES = 4096
YOUNG_SECONDS = 60.0
UNSYNCED_MS = 3000
"""What was written earlier before the last line has been synced."""
CHUNK_BYTES = 1 << 20
LONGEST_TORN = 64 << 20
"""So much of what is cut off a file is kept; seconds of a picture are far less."""
CLOSED_MARK = b'{"type":"closed"'
OPENED_MARK = b'{"type":"opened"'
MEDIA_SUFFIXES = (".mp4", ".webm")


def manifests(root: Path) -> list[Path]:
    """Every manifest that there is now."""
    return sorted(root.glob(f"*/*/*{SUFFIX}"))


def close_unfinished(place: Place, paths: list[Path], stopping: threading.Event) -> Iterator[RecordingEvent]:
    """Complete those recordings that are this node's and have no closing line; none of them may be under way.

    For each all lines are told, but of fragments the last: the crash may have come before they were. What counts is
    what a line tells of and the disk has. A fragment whose line was lost has nothing that vouches for its bytes, and
    goes, as does what a power cut left of those that weren't synced.
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
                    _set_aside_empty(path)
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
    _set_aside_beginning(path, len(manifest.segments))
    file = ManifestFile(path, manifest.opened.recording, manifest.opened.feed, place.signer, head_of(path))
    file.resume()
    try:
        last = manifest.segments[-1]
        if last.sealed is None:
            _seal(place, file, last)
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


def _seal(place: Place, file: ManifestFile, segment: Segment) -> None:
    media = place.root / segment.line.path
    kept = _whole(media, segment)
    del segment.fragments[kept:]
    with media.open("rb") as whole:
        running, left = RunningDigest(), segment.bytes
        while left > 0 and (data := whole.read(min(left, CHUNK_BYTES))):
            running.update(data)
            left -= len(data)
    hashes = running.value
    segment.sealed = Sealed(
        segment=segment.line.number,
        ended_at=_ended_at(segment),
        seconds=round(segment.seconds, 3),
        bytes=segment.bytes,
        sha256=hashes.sha256,
        sm3=hashes.sm3,
        fragments=kept,
        anchor=place.anchor(),
        is_recovered=True,
    )
    file.write(segment.sealed)
    if kept:
        _cut(media, segment.bytes)


def _ended_at(segment: Segment) -> int:
    last = segment.fragments[-1] if segment.fragments else None
    return segment.line.started_at if last is None else last.at + int(last.seconds * 1000)


def _whole(media: Path, segment: Segment) -> int:
    """How many of the fragments count: all before the first of the last seconds whose bytes a power cut took.

    One that is damaged earlier was on the disk long before the crash: that is for a verification to say, and no
    reason to give up what came after it.
    """
    with media.open("rb") as file:
        file.seek(segment.line.header_bytes)
        bad = [line for line in segment.fragments if digest(file.read(line.length)).sha256 != line.sha256]
    if not bad:
        return len(segment.fragments)
    late = segment.fragments[-1].at - UNSYNCED_MS
    lost = [line.number for line in bad if line.at >= late]
    if len(lost) < len(bad):
        logger.error("%s: %d fragments are damaged", media.name, len(bad) - len(lost))
    return min(lost, default=len(segment.fragments))


def _cut(media: Path, size: int) -> None:
    """Let the file end where what counts ends, so that it plays, and its hash is the one that was signed."""
    with media.open("r+b") as file:
        file.seek(size)
        rest = file.read(LONGEST_TORN)
        if rest:
            keep_torn(media, rest)
            file.truncate(size)
            os.fsync(file.fileno())


def _set_aside_beginning(path: Path, segments: int) -> None:
    """Set aside the file of a segment that no line tells of yet: nothing vouches for the moment that it holds."""
    for suffix in MEDIA_SUFFIXES:
        media = path.with_name(f"{path.stem}-{segments + 1:04d}{suffix}")
        if media.exists():
            media.rename(media.with_name(media.name + TORN_SUFFIX))
    path.with_name(f"{path.stem}-{segments + 1:04d}{DRAFT_SUFFIX}").unlink(missing_ok=True)


def _set_aside_empty(path: Path) -> None:
    """A manifest whose first segment never came to be tells of nothing; one that tells of more is left alone."""
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    if len(whole) > 1 or (whole and not whole[0].startswith(OPENED_MARK)):
        raise NotALedger(f"{path.name} was changed")
    if any(path.with_suffix(suffix).exists() for suffix in MEDIA_SUFFIXES):  # as version 1 named them
        return
    _set_aside_beginning(path, 0)
    path.unlink(missing_ok=True)
