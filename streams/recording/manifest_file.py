"""A manifest on the disk: lines go in chained and, where it matters, signed; what is synced is told."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from streams.hub.topics import RecordingWritten
from streams.ledger import Chain, Head, Signer
from streams.recording.descriptor import MODE, NEW_FILE, write_all
from streams.recording.events import RecordingEvent
from streams.recording.manifest import LEDGER, Closed, FragmentLine, ManifestLine, Opened, Sealed


class ManifestFile:
    """One manifest, open for appending.

    Every method that writes may raise OSError; the chain then stands as before, and the next line goes where the
    failed one would have been.
    """

    def __init__(self, path: Path, recording: UUID, feed: str, signer: Signer, head: Head | None = None) -> None:
        self.path = path
        self._recording = recording
        self._feed = feed
        self._signer = signer
        self._chain = Chain(LEDGER, head)
        self._descriptor = -1
        self._size = 0
        self._is_torn = False
        self._untold: list[RecordingEvent] = []

    def create(self, opened: Opened) -> None:
        """Begin a new one with its first line."""
        self._descriptor = os.open(self.path, NEW_FILE | os.O_APPEND, MODE)
        try:
            self.write(opened)
        except OSError:
            self.release()
            self.path.unlink(missing_ok=True)
            raise

    def resume(self) -> None:
        """Go on with one that a crash left, whose torn end has been cut off."""
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = os.fstat(self._descriptor).st_size

    def write(self, *lines: ManifestLine) -> None:
        """Add lines, all or none; those that complete something are signed."""
        self._mend()
        before, data = self._chain.head, b""
        untold = list(self._untold)
        for line in lines:
            signer = self._signer if isinstance(line, Sealed | Closed) else None
            data += self._chain.line(line.model_dump(mode="json"), signer)
            if isinstance(line, FragmentLine) and untold and isinstance(untold[-1].line, FragmentLine):
                untold.pop()
            untold.append(self._event(line))
        try:
            write_all(self._descriptor, data)
        except OSError:
            self._chain.head = before
            self._is_torn = True
            raise
        self._size += len(data)
        self._untold = untold

    def _event(self, line: ManifestLine) -> RecordingEvent:
        head = self._chain.head
        return RecordingWritten(
            recording=self._recording, feed=self._feed, ordinal=head.lines, head=head.hash, line=line
        )

    def sync(self) -> list[RecordingEvent]:
        """Force to the disk what was written; gives what may be told now, of fragments in a row the last."""
        os.fdatasync(self._descriptor)
        told, self._untold = self._untold, []
        return told

    def release(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _mend(self) -> None:
        """Cut off what a write that failed has left."""
        if self._is_torn:
            os.ftruncate(self._descriptor, self._size)
            self._is_torn = False
