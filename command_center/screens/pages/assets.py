"""The judge's asset page: cases, what each institution said, every asset with its measures, what may be done now."""

from __future__ import annotations

from typing import Any

from dash import Dash, dcc, html, register_page

from command_center.screens.components.asset_nav import asset_nav
from command_center.screens.components.assets_parts import blank_layout
from command_center.screens.shell import attributes
from command_center.screens.words import say

CHART = "asset-chart"
GRAPH_CONFIG: Any = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "responsive": True}


def layout(**_query: str) -> Any:
    """The frame, which says that it is being read; `asset_page.js` fills it from the API."""
    return html.Main(
        className="asset-page",
        children=[
            html.Link(rel="stylesheet", href="/static/retention.css"),
            html.Link(rel="stylesheet", href="/static/field_dialog.css"),
            html.Link(rel="stylesheet", href="/static/asset_page.css"),
            asset_nav("assets", html.P(id="asset-news", className="asset-told", role="status")),
            html.Div(
                className="asset-page-body",
                **attributes(data_module="asset_page"),
                children=[_side(), _middle(), _chosen()],
            ),
        ],
    )


def _side() -> Any:
    return html.Div(
        className="asset-side",
        children=[
            _section("cases", say("asset.cases"), html.Div(_reading(), id="asset-cases")),
            _section("answers", say("asset.answers"), html.Div(_reading(), id="asset-answers")),
        ],
    )


def _middle() -> Any:
    graph = dcc.Graph(
        id=CHART,
        config=GRAPH_CONFIG,
        figure={"data": [], "layout": blank_layout()},
        responsive=True,
        style={"height": "100%"},
    )
    return html.Div(
        className="asset-middle",
        children=[
            html.P(id="asset-stale", className="asset-stale", role="alert", hidden=True),
            html.Div(
                className="asset-top panel",
                children=[
                    html.Div(_reading(), id="asset-head", className="asset-head"),
                    html.Figure(
                        className="asset-chart",
                        children=[html.Figcaption(say("asset.chart.controlled-of-claim")), html.Div(graph)],
                    ),
                ],
            ),
            html.Div(_reading(), id="asset-grid", className="asset-grid panel"),
        ],
    )


def _chosen() -> Any:
    label = attributes(aria_label=say("asset.chosen"))
    return html.Section(_reading(), id="asset-chosen", className="asset-chosen panel", **label)


def _reading() -> Any:
    """What stands in each part until it has been read."""
    return html.P(say("asset.actions.reading"), className="asset-blank")


def _section(name: str, title: str, body: Any) -> Any:
    return html.Section(
        className=f"asset-section-{name} panel",
        **attributes(aria_labelledby=f"asset-{name}-title"),
        children=[html.H2(title, id=f"asset-{name}-title", className="asset-section-title"), body],
    )


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/assets", layout=layout, title=say("page.assets"), name="assets")  # type: ignore[no-untyped-call]
