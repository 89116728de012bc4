"""Memory that looks like a folder, where there is enough: a disk takes milliseconds for each commit of a database."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 8 << 30
"""A run's databases and files, of all its processes, need less than half of it."""


def roomy_memory() -> Path | None:
    """A folder in memory, if this machine has one with enough room."""
    is_roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    return _MEMORY if is_roomy else None


def keep_files_in_memory() -> None:
    """Have this process and those that it starts make their temporary files there, unless told where to."""
    memory = roomy_memory()
    if memory is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)
