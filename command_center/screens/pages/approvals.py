"""The second person's page: what waits for approval with its papers, objections that are due, what is overdue."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.shell import attributes
from command_center.screens.words import say

LISTS = ("waiting", "objections", "overdue")


def layout(**_query: str) -> Any:
    """The frame, empty; `approvals.js` fills it from the API."""
    return html.Main(
        className="approvals",
        children=[
            html.Link(rel="stylesheet", href="/static/retention.css"),
            html.Link(rel="stylesheet", href="/static/approvals.css"),
            asset_nav("approvals", html.P(id="approval-news", className="approval-news", role="status")),
            html.Div(
                className="approvals-body",
                **attributes(data_module="approvals"),
                children=[
                    html.Div(className="approval-lists", children=[_list(name) for name in LISTS]),
                    html.Section(
                        id="approval-chosen",
                        className="approval-chosen panel",
                        **attributes(aria_label=say("approval.chosen")),
                    ),
                ],
            ),
        ],
    )


def _list(name: str) -> Any:
    return html.Section(
        id=f"approval-{name}",
        className=f"approval-list approval-list-{name} panel",
        **attributes(aria_label=say(f"approval.{name}")),
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(  # type: ignore[no-untyped-call]
        __name__, path="/assets/approvals", layout=layout, title=say("page.approvals"), name="approvals"
    )
