"""The audit: who did or saw what, and whether the chain is whole; for supervisors what of it is of operations."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The table, empty; `audit_log.js` fills it from the API."""
    return html.Main(
        className="administration",
        children=[
            html.Link(rel="stylesheet", href="/static/administration.css"),
            shell.panel(say("audit.title"), None, name="audit-log", module="audit_log"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/audit", layout=layout, title=say("page.audit"), name="audit")  # type: ignore[no-untyped-call]
