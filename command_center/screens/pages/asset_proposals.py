"""The page of what officers on site propose to control: a judge orders it, notes it as a clue, or says why not."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import shell
from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The tables, empty; `asset_proposals.js` fills them from the API."""
    return html.Main(
        className="administration proposals-page",
        children=[
            html.Link(rel="stylesheet", href="/static/administration.css"),
            html.Link(rel="stylesheet", href="/static/field_dialog.css"),
            html.Link(rel="stylesheet", href="/static/asset_proposals.css"),
            asset_nav("proposals"),
            shell.panel(say("proposals.title"), None, name="proposals", module="asset_proposals"),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(  # type: ignore[no-untyped-call]
        __name__, path="/assets/proposals", layout=layout, title=say("page.proposals"), name="asset-proposals"
    )
