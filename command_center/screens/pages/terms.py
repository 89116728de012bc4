"""The page of terms: which measures lapse next, with the alarms that somebody has to answer."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The frame, empty; `asset_terms.js` fills it from the API."""
    return html.Main(
        className="asset-page term-page",
        children=[
            html.Link(rel="stylesheet", href="/static/asset_page.css"),
            html.Link(rel="stylesheet", href="/static/asset_terms.css"),
            asset_nav("terms", html.Div(id="term-tools", className="asset-tools")),
            html.Div(id="term-table", className="term-table", **attributes(data_module="asset_terms")),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/assets/terms", layout=layout, title=say("page.terms"), name="terms")  # type: ignore[no-untyped-call]
