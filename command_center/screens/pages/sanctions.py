"""The page of credit sanctions: who is or is to be listed or limited, what bars it, what must be deleted until when."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The frame, empty; `sanctions.js` fills it from the API."""
    return html.Main(
        className="sanctions-page",
        children=[
            html.Link(rel="stylesheet", href="/static/field_dialog.css"),
            html.Link(rel="stylesheet", href="/static/sanctions.css"),
            asset_nav("sanctions", html.Div(id="sanctions-tools")),
            html.Div(className="sanctions", **attributes(data_module="sanctions")),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(  # type: ignore[no-untyped-call]
        __name__, path="/assets/sanctions", layout=layout, title=say("asset.nav.sanctions"), name="sanctions"
    )
