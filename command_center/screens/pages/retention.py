"""The page of those who decide how long recordings are kept: what is due, what is held, what two people decided."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The tables, empty; `retention.js` fills them from the API."""
    return html.Main(
        className="administration",
        children=[
            html.Link(rel="stylesheet", href="/static/administration.css"),
            html.Link(rel="stylesheet", href="/static/retention.css"),
            shell.panel(say("retention.title"), None, name="retention", module="retention"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/retention", layout=layout, title=say("page.retention"), name="retention")  # type: ignore[no-untyped-call]
