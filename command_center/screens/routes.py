"""The routes of the screens that are not Dash's: sign-in, first set-up, words for the scripts, the map, Leaflet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from command_center.asset_looks import looks
from command_center.screens import map_page
from command_center.screens.pages.setup import setup_page
from command_center.screens.pages.sign_in import sign_in_page
from command_center.screens.shell import Installation
from command_center.translations import Language, catalogue, language_of

STATIC = Path(__file__).parent / "static"
NOT_KEPT = {"Cache-Control": "no-store"}
ASKED_ANEW = {"Cache-Control": "no-cache"}


def install(server: FastAPI, installation: Installation, setup_is_open: Callable[[str], Awaitable[bool]]) -> None:
    """Add the routes to `server`; `setup_is_open` says whether the secret of a set-up link still works."""
    server.include_router(_entry(installation, setup_is_open))
    server.include_router(map_page.router())
    server.mount("/vendor/leaflet", map_page.leaflet())
    server.mount("/static", _OwnFiles(directory=STATIC))


class _OwnFiles(StaticFiles):
    """The screens' own files; a browser asks each time whether its copy is still good, so that an upgrade is whole."""

    def file_response(self, *given: Any, **options: Any) -> Response:
        response = super().file_response(*given, **options)
        response.headers.update(ASKED_ANEW)
        return response


def _entry(installation: Installation, setup_is_open: Callable[[str], Awaitable[bool]]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign-in")
    async def sign_in(language: str | None = None) -> HTMLResponse:
        return HTMLResponse(sign_in_page(installation, language_of(language)), headers=NOT_KEPT)

    @routes.get("/setup/{secret}")
    async def setup(secret: str, language: str | None = None) -> HTMLResponse:
        is_open = await setup_is_open(secret)
        html = setup_page(installation, language_of(language), is_open=is_open)
        return HTMLResponse(html, status_code=200 if is_open else 404, headers=NOT_KEPT)

    @routes.get("/static/words/{language}.json")
    async def words(language: Language) -> JSONResponse:
        return JSONResponse(dict(catalogue(language)), headers=ASKED_ANEW)

    @routes.get("/static/asset_looks.json")
    async def asset_looks() -> JSONResponse:
        return JSONResponse(looks(), headers=ASKED_ANEW)

    return routes
