"""What the hub is told of recordings: the lines of their manifests, once they are on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from streams.hub.topics import RecordingWritten
from streams.ledger import line_hash
from streams.recording.manifest import MANIFEST_LINE, FragmentLine, Opened

RecordingEvent = RecordingWritten


def written_lines(path: Path) -> Iterator[RecordingWritten]:
    """Every line of a manifest of today's version, as it was told when it was written.

    Raises:
        OSError, ValueError: it can't be read, or a line of it can't.
    """
    opened: Opened | None = None
    with path.open("rb") as file:
        for ordinal, raw in enumerate(file, 1):
            line = MANIFEST_LINE.validate_json(raw)
            if isinstance(line, Opened):
                opened = opened or line
            if opened is None:
                raise ValueError(f"{path.name} doesn't say whose it is")
            head = line_hash(raw.removesuffix(b"\n"))
            yield RecordingWritten(recording=opened.recording, feed=opened.feed, ordinal=ordinal, head=head, line=line)


def thinned(events: Iterable[RecordingWritten]) -> Iterator[RecordingWritten]:
    """Of fragments that follow each other only the last, as the hub is told."""
    waiting: RecordingWritten | None = None
    for event in events:
        if isinstance(event.line, FragmentLine):
            waiting = event
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        yield event
    if waiting is not None:
        yield waiting
