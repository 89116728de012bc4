"""Every error of a route as problem details with a stable code."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from command_center.errors import CommandCenterError
from command_center.problem import MEDIA_TYPE, problem_body, problem_headers

logger = logging.getLogger(__name__)


def problem(status: int, code: str, **parameters: str | int) -> Response:
    """One problem as a response."""
    return Response(
        problem_body(status, code, **parameters),
        status,
        problem_headers(status, parameters),
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Have `app` answer every error so."""
    app.exception_handler(CommandCenterError)(_refused)
    app.exception_handler(RequestValidationError)(_not_valid)
    app.exception_handler(HTTPException)(_http)
    app.add_exception_handler(OperationalError, _records_away)
    app.add_exception_handler(Exception, _broken)


async def _refused(_request: Request, error: CommandCenterError) -> Response:
    return problem(error.status, error.code, **error.parameters)


async def _not_valid(_request: Request, error: RequestValidationError) -> Response:
    # Where and why, never what: the value may be a password or somebody's data.
    first = error.errors()[0] if error.errors() else {}
    place = ".".join(str(part) for part in first.get("loc", ()))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "not-valid", place=place[:200], reason=str(first.get("type", "")))


async def _http(_request: Request, error: HTTPException) -> Response:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    response = problem(error.status_code, code)
    response.headers.update(error.headers or {})
    return response


async def _records_away(request: Request, error: Exception) -> Response:
    logger.error("records don't answer to %s", request.url.path, exc_info=error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "records-away")


async def _broken(_request: Request, _error: Exception) -> Response:
    # The server logs it with its traceback; nothing of that goes out.
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
