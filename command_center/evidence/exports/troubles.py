"""Why a package isn't there."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """Why a package wasn't built; the screen shows these words."""

    NO_ROOM = "export-no-room"
    MISSING = "export-recording-missing"
    GONE = "operation-not-found"
    FAILED = "export-failed"
    AWAY = "export-store-away"
    """Later it may go."""
    DELETED = "export-recording-deleted"
    """Two people had a recording deleted of which something was in it."""
    BUSY = "export-busy"
    """Another process is building this very package."""


TRANSIENT = frozenset({Trouble.AWAY, Trouble.BUSY})
