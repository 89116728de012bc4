"""`/local-ca.crt`: the local authority's certificate, for phones that are to trust this installation."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from command_center.errors import NotFound


def router(path: Path) -> APIRouter:
    """The route of the certificate in `path`, which is not there where the court has its own."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/local-ca.crt")
    async def certificate() -> Response:
        if not path.exists():  # noqa: ASYNC240 - one look at a small local folder
            raise NotFound("no-local-authority")
        return FileResponse(path, media_type="application/x-x509-ca-cert", filename="local-ca.crt")

    return routes
