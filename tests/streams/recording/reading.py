"""Reading recordings back, as a player or an examiner would."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av

from streams.hub.topics import RecordingWritten
from streams.ledger import FIRST, is_signed_by, line_hash
from streams.recording.manifest import LEDGER, Closed, Manifest, Opened, Segment, read_manifest
from streams.recording.recording import Place
from streams.recording.recovery import manifests
from tests.support.signing import SIGNER


def place(root: Path, node: str = "node-1") -> Place:
    """Where a test's recordings go, signed with its key."""
    return Place(root, node, SIGNER, lambda: None)


def files(root: Path) -> list[Path]:
    """Every segment's file, oldest first."""
    return sorted(path for path in root.glob("*/*/*") if path.suffix in (".mp4", ".webm"))


def manifest_path_of(path: Path) -> Path:
    """Where the manifest of a segment's file lies."""
    return path.with_name(path.stem.rpartition("-")[0] + ".jsonl")


def manifest_of(path: Path) -> Manifest:
    """The manifest beside a segment's file."""
    manifest = read_manifest(manifest_path_of(path))
    assert manifest is not None
    return manifest


def segment_of(path: Path) -> Segment:
    """What the manifest tells of one file."""
    return next(one for one in manifest_of(path).segments if one.line.path.endswith(path.name))


def opened_in(events: list[RecordingWritten]) -> list[Opened]:
    """The recordings that were begun, as told."""
    return [event.line for event in events if isinstance(event.line, Opened)]


def closed_in(events: list[RecordingWritten]) -> list[Closed]:
    """The recordings that were completed, as told."""
    return [event.line for event in events if isinstance(event.line, Closed)]


def decode(path: Path) -> dict[str, list[float]]:
    """Decode every frame; the times of each track. Any damage raises."""
    times: dict[str, list[float]] = {}
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            streams = getattr(container.streams, kind)
            if not streams:
                continue
            streams[0].codec_context.options = {"err_detect": "explode"}
            found = [frame.pts * frame.time_base for frame in container.decode(streams[0])]
            times[kind] = [float(time) for time in found]
    return times


def check(root: Path, public: bytes = SIGNER.public) -> None:
    """Every manifest's chain holds, its seals are signed with this key, and every line is true of the files."""
    for path in manifests(root):
        _check_chain(path, public)
        manifest = read_manifest(path)
        assert manifest is not None
        for segment in manifest.segments:
            _check_segment(root, segment)


def _check_chain(path: Path, public: bytes) -> None:
    previous = FIRST
    for raw in path.read_bytes().splitlines():
        assert f'"previous":"{previous}"'.encode() in raw
        if raw.startswith((b'{"type":"sealed"', b'{"type":"closed"')):
            assert is_signed_by(raw, LEDGER, public)
        previous = line_hash(raw)


def _check_segment(root: Path, segment: Segment) -> None:
    data, line = (root / segment.line.path).read_bytes(), segment.line
    assert hashlib.sha256(data[: line.header_bytes]).hexdigest() == line.header_sha256
    position = line.header_bytes
    for number, fragment in enumerate(segment.fragments):
        assert (fragment.number, fragment.offset) == (number, position)
        position += fragment.length
        assert hashlib.sha256(data[fragment.offset : position]).hexdigest() == fragment.sha256
    sealed = segment.sealed
    if sealed is not None:
        assert (sealed.bytes, sealed.fragments) == (position, len(segment.fragments))
        assert hashlib.sha256(data[:position]).hexdigest() == sealed.sha256
