"""The way between the pages about assets: one strip that each of them carries under the header."""

from __future__ import annotations

from typing import Any

import dash
from dash import html

from command_center.accounts.doors import SignedIn, find_door
from command_center.accounts.identity import Identity, current_identity
from command_center.errors import CommandCenterError
from command_center.screens.shell import attributes
from command_center.screens.words import say

_PAGES = ("assets", "terms", "approvals", "accounts", "sanctions", "cases", "proposals")
"""By the last part of their paths; the first is `/assets` itself."""


def path_of(name: str) -> str:
    """Where the page of this name stands."""
    return "/assets" if name == "assets" else f"/assets/{name}"


def asset_nav(here: str, *further: Any) -> Any:
    """The links to the asset pages that exist and that the reader may open; `here` is the name of the present one.

    `further` stand at the right end of the strip.
    """
    identity, existing = current_identity.get(), {page["path"] for page in dash.page_registry.values()}
    links = [
        html.A(
            say(f"asset.nav.{name}"),
            href=path_of(name),
            **attributes(**({"aria_current": "page"} if name == here else {})),
        )
        for name in _PAGES
        if path_of(name) in existing and _may_open(path_of(name), identity)
    ]
    return html.Div(
        className="asset-nav",
        children=[
            html.Link(rel="stylesheet", href="/static/asset_nav.css"),
            html.Nav(links, **attributes(aria_label=say("asset.nav"))),
            *further,
        ],
    )


def _may_open(path: str, identity: Identity | None) -> bool:
    try:
        access = find_door(path, "GET").access
    except CommandCenterError:
        return False
    if identity is None or not isinstance(access, SignedIn):
        return False
    return not access.any_of or any(identity.may(permission) for permission in access.any_of)
