"""The page where cases are registered: who is under enforcement, for whom, for how much; numbers are checked."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The frame, empty; `cases.js` fills it from the API."""
    return html.Main(
        className="cases-page",
        children=[
            html.Link(rel="stylesheet", href="/static/field_dialog.css"),
            html.Link(rel="stylesheet", href="/static/cases.css"),
            asset_nav("cases", html.Div(id="cases-tools", className="cases-tools")),
            html.Div(className="cases", **attributes(data_module="cases")),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(  # type: ignore[no-untyped-call]
        __name__, path="/assets/cases", layout=layout, title=say("asset.nav.cases"), name="cases"
    )
