"""The wall: live pictures of the operation; `wall.js` fills it."""

from __future__ import annotations

from typing import Any

from command_center.screens import ids, shell
from command_center.screens.words import say


def wall() -> Any:
    """An empty wall; tiles come and go with the feeds."""
    return shell.panel(say("wall.title"), [], name=ids.WALL, module="wall")
