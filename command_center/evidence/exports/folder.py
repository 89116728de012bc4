"""The folder in which an export is built: one process at a time works in it, or removes it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.recording.descriptor import sync_folder

LOCK_FILE = "lock"


class Busy(RuntimeError):
    """Another process is building this very package."""


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Be the only one that works in this folder, which is made where there is none.

    Raises:
        Busy: another process is.
    """
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (work / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(str(work)) from error
        yield


def remove(work: Path) -> None:
    """Remove the folder with all that is in it, so that no power cut brings it back.

    Raises:
        Busy: a process is building there.
        OSError: the disk refuses; doing it again settles it.
    """
    if not work.exists():
        return
    with alone_in(work):
        shutil.rmtree(work)
    sync_folder(work.parent)
