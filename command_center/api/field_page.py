"""The officer's page: the static files of `field_agent/page`, which sign in by themselves."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WORKER_FILE = "worker.js"


class FieldPage(StaticFiles):
    """Files that a browser asks for anew each time (an unchanged one is answered 304), so that no phone stays behind.

    The service worker lies below the page that it serves, so it needs leave to serve it.
    """

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """One file with its headers."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        if Path(full_path).name == WORKER_FILE:
            response.headers["service-worker-allowed"] = "/field"
        return response
