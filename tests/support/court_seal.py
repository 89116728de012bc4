"""A court's seal for tests, made once for each process of the tests."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from command_center.court_seal import CourtSeal

_FOLDER = tempfile.TemporaryDirectory(prefix="seal-")
atexit.register(_FOLDER.cleanup)


@cache
def court_seal() -> CourtSeal:
    """The real thing, with a key of its own."""
    return CourtSeal(Path(_FOLDER.name))
