"""The security administrator's page: people's accounts, made, disabled, and their sessions ended."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The list and the form, empty; `accounts.js` fills them from the API."""
    return html.Main(
        className="administration",
        children=[
            html.Link(rel="stylesheet", href="/static/administration.css"),
            shell.panel(say("accounts.title"), None, name="accounts", module="accounts"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/accounts", layout=layout, title=say("page.accounts"), name="accounts")  # type: ignore[no-untyped-call]
