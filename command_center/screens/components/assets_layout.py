"""The assets panel as it is before anything is known: its parts in their places, and the order dialog."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from command_center.accounts.identity import current_identity
from command_center.accounts.permissions import Permission
from command_center.screens.components.assets_parts import GROUP_LOOK, blank_layout
from command_center.screens.shell import attributes
from command_center.screens.words import say

GRID = "assets-grid"
ASKED, ORDERED = "assets-asked", "assets-ordered"
"""`dcc.Store`s that change when this page itself asked or ordered something."""

GRAPH_CONFIG: Any = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False, "responsive": True}
_THEME = (
    "themeQuartz.withParams({backgroundColor: 'var(--surface)', foregroundColor: 'var(--text)',"
    " headerBackgroundColor: 'var(--surface)', headerTextColor: 'var(--text-soft)', borderColor: 'var(--line)',"
    " rowHoverColor: 'var(--raised)', selectedRowBackgroundColor: 'var(--raised-2)', accentColor: 'var(--accent)',"
    " oddRowBackgroundColor: 'var(--surface)', fontFamily: 'inherit', fontSize: 13, rowHeight: 28, headerHeight: 30,"
    " wrapperBorder: false, wrapperBorderRadius: 0, browserColorScheme: 'dark', cellHorizontalPadding: 7})"
)
_AMOUNT = {"function": "params.value == null ? '—' : d3.format(',.2f')(params.value / 100)"}

_NARROW = "params.api.setColumnsVisible(['kind', 'answered'], params.clientWidth >= 680)"
"""Where there is little room, class and time go into the description's title; what is controlled stays seen."""
_NARROWEST = "params.api.setColumnsVisible(['value'], params.clientWidth >= 524)"
"""Below the columns' widths together, the balance goes too: how much of it is held says more."""
_NARROWEST_OF_ALL = "params.api.setColumnsVisible(['person'], params.clientWidth >= 420)"
"""And the person, who is told in the description's title, before anybody has to look for what is held."""


def layout() -> Any:
    """The panel's body, empty; `register` has it filled for the case on the screen."""
    return html.Div(
        className="assets",
        children=[
            html.Link(rel="stylesheet", href="/static/assets.css"),
            dcc.Store(id=ASKED),
            dcc.Store(id=ORDERED),
            html.Div(
                className="assets-head",
                children=[
                    html.Div(id="assets-headline", className="assets-headline"),
                    html.Div(_graph("assets-money"), className="assets-meter", title=say("asset.money.title")),
                ],
            ),
            html.Div(id="assets-strip", className="assets-strip"),
            html.Div(
                className="assets-left",
                children=[
                    html.Div(id="assets-answers", className="assets-answers"),
                    html.H3([say("asset.chart.title"), *_keys()], className="assets-caption"),
                    html.Div(_graph("assets-graph"), className="assets-chart"),
                ],
            ),
            html.Div(
                className="assets-right",
                children=[
                    _grid(),
                    html.Div(
                        className="assets-act",
                        children=[
                            html.Span(say("asset.chosen.none"), id="assets-chosen"),
                            html.Button(
                                say("asset.action.freeze.open"),
                                id="assets-open",
                                disabled=True,
                                className="primary",
                                hidden=not _may_control(),
                            ),
                        ],
                    ),
                ],
            ),
            _order_dialog(),
        ],
    )


def age_mark() -> Any:
    """Beside the panel's title; `assets_age.js` shows there that a refresh failed."""
    return html.Span(id="assets-age", hidden=True, **attributes(data_module="assets_age"))


def _keys() -> list[Any]:
    """What the chart's colours and patterns mean, beside its title: a legend inside would take its room."""
    return [html.Span(say(f"asset.chart.{name}"), className=f"assets-key assets-key-{name}") for name in GROUP_LOOK]


def _graph(name: str) -> Any:
    return dcc.Graph(
        id=name,
        config=GRAPH_CONFIG,
        figure={"data": [], "layout": blank_layout()},
        responsive=True,
        style={"height": "100%"},
    )


def _grid() -> Any:
    columns: list[dict[str, Any]] = [
        {"field": "person", "width": 74, "tooltipField": "person"},
        {"field": "kind", "width": 80},
        {"field": "description", "flex": 1, "minWidth": 90, "tooltipField": "description_full"},
        {
            "field": "state",
            "width": 146,
            "cellClass": {"function": "'mark mark-' + params.data.mark"},
            "tooltipField": "note",
        },
        {"field": "value", "width": 104, "valueFormatter": _AMOUNT, "cellClass": "is-number", "type": "rightAligned"},
        {
            "field": "controlled",
            "width": 106,
            "valueFormatter": _AMOUNT,
            "cellClass": "is-number",
            "type": "rightAligned",
        },
        {"field": "answered", "width": 74, "tooltipField": "answered_full"},
    ]
    for column in columns:
        column["headerName"] = say(f"asset.column.{column['field']}")
    return dag.AgGrid(
        id=GRID,
        className="assets-grid",
        style={"height": None, "width": "100%"},
        columnDefs=columns,
        rowData=[],
        eventListeners={"gridSizeChanged": [_NARROW, _NARROWEST, _NARROWEST_OF_ALL]},
        rowClassRules={"assets-row-unknown": "params.data.is_unknown"},
        getRowId="params.data.id",
        defaultColDef={"resizable": True, "sortable": True, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "theme": {"function": _THEME},
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "tooltipShowDelay": 300,
            "animateRows": False,
            "localeText": {"noRowsToShow": say("asset.empty")},
        },
    )


def _order_dialog() -> Any:
    return dmc.Modal(
        id="assets-order",
        opened=False,
        centered=True,
        styles={
            "content": {"backgroundColor": "var(--raised)"},
            "header": {
                "backgroundColor": "var(--raised)",
                "borderBottom": "1px solid var(--line)",
                "marginBottom": "12px",
            },
            "title": {"fontWeight": 600},
        },
        closeButtonProps={"aria-label": say("asset.order.cancel")},
        children=html.Div(
            className="assets-order",
            children=[
                dcc.Store(id="assets-order-key"),
                html.Dl(id="assets-order-facts"),
                dmc.TextInput(
                    id="assets-order-ruling",
                    label=say("asset.order.ruling"),
                    placeholder=say("asset.order.ruling.placeholder"),
                    required=True,
                ),
                dmc.TextInput(
                    id="assets-order-amount",
                    label=say("asset.order.amount"),
                    placeholder=say("asset.order.amount.placeholder"),
                    required=True,
                    mt="xs",
                ),
                html.P(id="assets-order-error", className="assets-order-error", role="alert"),
                html.Div(html.Button(id="assets-order-confirm", className="primary"), className="assets-order-buttons"),
            ],
        ),
    )


def _may_control() -> bool:
    identity = current_identity.get()
    return identity is not None and identity.may(Permission.CONTROL_ASSETS)
