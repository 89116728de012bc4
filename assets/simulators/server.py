"""The web server of a simulator: it can also reset a connection, as no proper server would."""

from __future__ import annotations

from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FAREWELL_SECONDS = 1
"""How long an answer that is still owed may hold up the end; the silent ones never come."""


class ResettableProtocol(HttpToolsProtocol):
    """Lets an application break the connection that a request came by: `scope["extensions"]["abort"]()`."""

    def on_message_begin(self) -> None:
        """Put the way to do it beside the request."""
        super().on_message_begin()
        self.scope["extensions"] = {"abort": self.transport.abort}  # type: ignore[dict-item]


def server_config(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> uvicorn.Config:
    """How a simulator is served."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        ws="none",
        http=ResettableProtocol,
        timeout_graceful_shutdown=FAREWELL_SECONDS,
        **options,
    )
