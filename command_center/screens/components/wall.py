"""The wall: live pictures of the operation, and the key to talk to its officers; `wall.js`, `talk.js` fill it."""

from __future__ import annotations

from typing import Any

from dash import html

from command_center.screens import ids, shell
from command_center.screens.words import say


def wall() -> Any:
    """An empty wall; tiles come and go with the feeds."""
    talk = html.Div(id=ids.TALK, **shell.attributes(data_module="talk"))
    return shell.panel(say("wall.title"), [], name=ids.WALL, notes=talk, module="wall")
