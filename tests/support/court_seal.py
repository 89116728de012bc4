"""A court's seal for tests, made once for each process of the tests, or read where another has made it."""

from __future__ import annotations

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

from command_center.court_seal import CourtSeal

FOLDER_VARIABLE = "TEST_COURT_SEAL"
"""By this a test tells the processes that it starts where its seal lies."""
_FOLDER = tempfile.TemporaryDirectory(prefix="seal-")
atexit.register(_FOLDER.cleanup)


def seal_folder() -> Path:
    """Where the key lies."""
    return Path(os.environ.get(FOLDER_VARIABLE) or _FOLDER.name)


@cache
def court_seal() -> CourtSeal:
    """The real thing, with a key of its own."""
    return CourtSeal(seal_folder())
