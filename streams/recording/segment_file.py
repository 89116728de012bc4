"""A segment's file on the disk: a header, then whole fragments, one at least; it only grows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from streams.recording.descriptor import MODE, NEW_FILE, sync_folder, write_all, write_all_at
from streams.recording.digest import RunningDigest

HEAD_BYTES = 8
DRAFT_SUFFIX = ".new"


class SegmentFile:
    """Every method that writes may raise OSError; then `shrink` puts the file back to its last whole fragment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self.digest = RunningDigest()
        self._before = (0, self.digest)
        self._descriptor = -1

    def create(self, data: bytes) -> None:
        """Make it; under its name the file has its header and first fragment from the first moment, and lasts."""
        draft = self.path.with_suffix(DRAFT_SUFFIX)
        draft.unlink(missing_ok=True)
        self._descriptor = os.open(draft, NEW_FILE, MODE)
        try:
            write_all(self._descriptor, data)
            os.fdatasync(self._descriptor)
            draft.rename(self.path)
            sync_folder(self.path.parent)
        except OSError:
            self.release()
            draft.unlink(missing_ok=True)
            raise
        self.digest.update(data)
        self.bytes = len(data)

    def append(self, data: bytes) -> int:
        """Write one whole fragment; gives where it begins.

        Its first bytes come last: until they stand, a reader meets zeros where a box or an element should begin, and
        ends there. So a crash never leaves half a fragment that a player would try.
        """
        offset = self.bytes
        self._before = (offset, self.digest.copy())
        write_all_at(self._descriptor, memoryview(data)[HEAD_BYTES:], offset + HEAD_BYTES)
        write_all_at(self._descriptor, data[:HEAD_BYTES], offset)
        self.digest.update(data)
        self.bytes += len(data)
        return offset

    def take_back(self) -> None:
        """Let the last fragment not count."""
        self.bytes, self.digest = self._before

    def sync(self) -> None:
        """Force to the disk what was written."""
        os.fdatasync(self._descriptor)

    def shrink(self) -> None:
        """Cut off what was half written."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.bytes)

    def release(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1
