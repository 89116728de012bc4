"""The centre: wall, map, instructions and assets of one operation on one screen."""

from __future__ import annotations

from typing import Any

from dash import Dash, html, register_page

from command_center.screens import ids, shell
from command_center.screens.components import assets_panel
from command_center.screens.components.instructions import instructions
from command_center.screens.components.map import centre_map
from command_center.screens.components.wall import wall
from command_center.screens.words import say


def layout(**_query: str) -> Any:
    """The panels, empty; scripts and callbacks fill them for the operation that is chosen."""
    alarm = html.Div(
        className="storage-alarm", hidden=True, role="alert", **shell.attributes(data_module="storage_alarm")
    )
    panels = html.Main(
        id=ids.CENTRE,
        className="centre",
        children=[
            wall(),
            centre_map(),
            shell.panel(
                say("assets.title"), assets_panel.layout(), name=ids.ASSETS_PANEL, notes=assets_panel.age_mark()
            ),
            instructions(),
        ],
    )
    return html.Div([alarm, panels])


def register(app: Dash) -> None:
    """Add the page to `app`."""
    register_page(__name__, path="/", layout=layout, title=say("page.centre"), name="centre")  # type: ignore[no-untyped-call]
