"""Reading recordings back, as a player or an examiner would."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av

from streams.recording.manifest import Manifest, read_manifest


def files(root: Path) -> list[Path]:
    """Every recording's file, oldest first."""
    return sorted(path for path in root.glob("*/*/*") if path.suffix in (".mp4", ".webm"))


def manifest_of(path: Path) -> Manifest:
    """The manifest beside a file."""
    manifest = read_manifest(path.with_suffix(".jsonl"))
    assert manifest is not None
    return manifest


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


def check(path: Path) -> None:
    """Every line of the manifest is true of the file, and the closing line of the whole."""
    manifest, data = manifest_of(path), path.read_bytes()
    assert hashlib.sha256(data[: manifest.opened.header_bytes]).hexdigest() == manifest.opened.header_sha256
    position = manifest.opened.header_bytes
    for line in manifest.fragments:
        assert line.offset == position
        position += line.length
        assert hashlib.sha256(data[line.offset : position]).hexdigest() == line.sha256
    if manifest.closed is not None:
        assert manifest.closed.bytes == position
        assert hashlib.sha256(data[:position]).hexdigest() == manifest.closed.sha256
