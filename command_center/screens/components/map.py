"""The map of one page, in a frame of its own so that Leaflet and Dash leave each other alone."""

from __future__ import annotations

from typing import Any

from dash import html

from command_center.screens import ids, shell
from command_center.screens.words import say


def frame(kind: str, *, name: str = "map-frame") -> Any:
    """The frame with the map of `kind` (`centre` or `review`); scripts talk to it by `postMessage`."""
    return html.Iframe(id=name, src=f"/map/{kind}", className="map-frame", title=say("map.title"))


def centre_map() -> Any:
    """The map panel of the centre."""
    return shell.panel(say("map.title"), frame("centre"), name=ids.MAP, module="map")
