"""The system administrator's page: which parts run; no case, no person."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The parts, empty; `system.js` asks for them again and again."""
    return html.Main(
        className="administration",
        children=[
            html.Link(rel="stylesheet", href="/static/administration.css"),
            shell.panel(say("system.title"), None, name="system-parts", module="system"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/system", layout=layout, title=say("page.system"), name="system")  # type: ignore[no-untyped-call]
