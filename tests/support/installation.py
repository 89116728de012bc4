"""What a page has to know of an installation, whichever way a test has started it."""

from __future__ import annotations

from typing import Protocol


class Installation(Protocol):
    """Where the web process and the node are, and who may sign in."""

    url: str
    media_port: int

    def accounts(self, role: str) -> list[dict[str, str]]:
        """The demonstration's accounts of one role: `username`, `password`, `role`."""
        ...
