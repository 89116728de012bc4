"""The map: a folium page of its own, shown in a frame of the centre and of the review.

Scripts outside talk to it by `postMessage`; `static/map_frame.js` says in which words.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files

import folium
from branca.element import MacroElement
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Template
from starlette.staticfiles import StaticFiles

from command_center.screens.words import reader_language
from command_center.translations import Language

HOHHOT = (40.62, 111.45)
NONCE = "@nonce@"
"""Stands in the rendered page where each answer puts its own nonce."""


class Kind(StrEnum):
    """Which page the map belongs to; the review's time is the recording's."""

    CENTRE = "centre"
    REVIEW = "review"


class _Bridge(MacroElement):
    """Hands the Leaflet map to the script that moves markers by messages from the page around."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        window.commandMap = {{ this._parent.get_name() }};
        import("/static/map_frame.js").then((frame) => frame.start(window.commandMap, {{ this.kind|tojson }}));
        {% endmacro %}
        """
    )

    def __init__(self, kind: Kind) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "bridge"
        self.kind = kind.value


def router() -> APIRouter:
    """`/map/{kind}`, and Leaflet's own files at `/vendor/leaflet`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/map/{kind}")
    async def show(kind: Kind, request: Request) -> HTMLResponse:
        nonce: str = request.state.csp_nonce  # made by the gate, which names it in the policy of this answer
        html = render(kind, reader_language()).replace(NONCE, nonce)
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    return routes


def leaflet() -> StaticFiles:
    """Leaflet as the installed wheel carries it, to be mounted at `/vendor/leaflet`."""
    return StaticFiles(directory=str(files("js_lib_leaflet") / "static" / "js_lib_leaflet"))


@cache
def render(kind: Kind, language: Language) -> str:
    """The page of one kind in one language, without a nonce."""
    page = folium.Map(
        location=HOHHOT, zoom_start=9, tiles=None, zoom_control=False, control_scale=False, attributionControl=False
    )
    page.default_js = [("leaflet", "/vendor/leaflet/leaflet.js")]
    page.default_css = [("leaflet_css", "/vendor/leaflet/leaflet.css"), ("map", "/static/map.css")]
    page.add_child(_Bridge(kind))
    html: str = page.get_root().render()
    return html.replace("<html>", f'<html lang="{language}">').replace("<script>", f'<script nonce="{NONCE}">')
