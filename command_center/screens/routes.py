"""The routes of the screens that are not Dash's: sign-in, first set-up, words for the scripts, the map, Leaflet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

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

    return routes
