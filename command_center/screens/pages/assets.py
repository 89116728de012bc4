"""The judge's asset page: cases, what each institution said, every asset with its measures, what may be done now."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The frame, empty; `asset_page.js` fills it from the API."""
    return html.Main(
        className="asset-page",
        children=[
            html.Link(rel="stylesheet", href="/static/asset_page.css"),
            asset_nav("assets", html.Div(id="asset-tools", className="asset-tools")),
            html.Div(id="asset-page", className="asset-page-body", **attributes(data_module="asset_page")),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/assets", layout=layout, title=say("page.assets"), name="assets")  # type: ignore[no-untyped-call]
