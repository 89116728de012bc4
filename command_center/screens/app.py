"""The Dash application: one page container inside the shell, on the server that it is given."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import dash
import dash_mantine_components as dmc
from dash import Dash, dcc, set_props
from fastapi import FastAPI

from command_center.errors import CommandCenterError
from command_center.screens import ids, shell
from command_center.screens.pages import centre, not_found_404
from command_center.screens.shell import Installation
from command_center.screens.words import reader_language, say

logger = logging.getLogger(__name__)

STORES = (ids.OPERATION, ids.CASE, ids.ASSETS_VERSION)

_INDEX = """<!DOCTYPE html>
<html lang="{language}" data-mantine-color-scheme="dark">
<head>
{{%metas%}}
<meta name="color-scheme" content="dark">
<title>{{%title%}}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/theme.css">
<link rel="stylesheet" href="/static/centre.css">
{{%css%}}
</head>
<body>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


class _Screens(Dash):
    """Dash, with the page's language in its root element, and without sockets of its own.

    Those are shared by a browser's pages, outlive them, and keep the identity of the first.
    """

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = super()._config()  # type: ignore[no-untyped-call]
        config.pop("websocket", None)
        return config

    def interpolate_index(self, *_: Any, **parts: Any) -> str:
        page = _INDEX.format(language=reader_language())
        for name, html in parts.items():
            page = page.replace("{%" + name + "%}", html)
        return page


def build(server: FastAPI, installation: Installation, *registers: Callable[[Dash], None]) -> Dash:
    """Put the screens onto `server`.

    `registers` are the `register(app)` functions of further pages and components, with what they need bound in.
    The server's own routes must exist already: Dash answers all other GETs with its index.
    """
    app = _Screens(
        "command_center.screens",
        server=cast("Any", server),  # typed for Flask only
        backend="fastapi",
        use_pages=True,
        pages_folder="",
        assets_folder="static",
        assets_url_path="static",
        include_assets_files=False,
        external_scripts=[{"src": "/static/boot.js", "type": "module"}],
        title=installation.court_name_zh,
        update_title="",
        suppress_callback_exceptions=True,
        on_error=_failed,
        enable_mcp=False,
        add_log_handler=False,
    )
    centre.register(app)
    not_found_404.register(app)
    for register in registers:
        register(app)
    app.layout = partial(_layout, installation)
    _complete(app)
    return app


def _complete(app: Dash) -> None:
    """Do now what Dash leaves to the first request, so that its callbacks and inline scripts are all known."""
    backend: Any = app.backend
    for prepare in backend._before_request_funcs:
        pending = prepare()
        if inspect.iscoroutine(pending):
            try:
                pending.send(None)  # it awaits nothing
            except StopIteration:
                continue
            raise RuntimeError("Dash waits for something before its first request")


def _layout(installation: Installation) -> Any:
    return dmc.MantineProvider(
        forceColorScheme="dark",
        theme={"fontFamily": "var(--font)", "primaryColor": "blue", "defaultRadius": "sm"},
        children=[
            dmc.NotificationContainer(id=ids.NOTICES, position="top-center"),
            *[dcc.Store(id=store) for store in STORES],
            shell.header(installation),
            dash.page_container,
        ],
    )


def _failed(error: Exception) -> None:
    """Tell the person what a callback refused; log what it broke on."""
    if isinstance(error, CommandCenterError):
        message = say(f"error.{error.code}", **error.parameters)
    else:
        logger.error("a callback failed", exc_info=error)
        message = say("error.internal")
    set_props(ids.NOTICES, {"sendNotifications": [{"action": "show", "message": message, "color": "red"}]})
