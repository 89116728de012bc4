"""The page of case money: what arrived, for whom it is, what was computed, approved and paid, what is due."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The frame, empty; `case_accounts.js` fills it from the API."""
    return html.Main(
        className="money-page",
        children=[
            html.Link(rel="stylesheet", href="/static/field_dialog.css"),
            html.Link(rel="stylesheet", href="/static/case_accounts.css"),
            asset_nav("accounts", html.Div(id="money-tools", className="money-tools")),
            html.Div(className="money", **attributes(data_module="case_accounts")),
        ],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(  # type: ignore[no-untyped-call]
        __name__, path="/assets/accounts", layout=layout, title=say("asset.nav.accounts"), name="case-accounts"
    )
