"""An error as RFC 9457 problem details: what every refused request is answered with."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.types import Send

from command_center.errors import CommandCenterError, TooMany

MEDIA_TYPE = "application/problem+json"


def problem_body(status: int, code: str, **parameters: str | int) -> bytes:
    """The JSON of one problem; `code` is stable, words are made by the reader's page."""
    body: dict[str, Any] = {
        **parameters,
        "type": f"urn:command-center:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def problem_headers(status: int, parameters: dict[str, str | int]) -> dict[str, str]:
    """What goes beside the body: never cached, and when to come again where that is known."""
    headers = {"cache-control": "no-store"}
    if status == TooMany.status and "retry_after" in parameters:
        headers["retry-after"] = str(parameters["retry_after"])
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(parameters.get("retry_after", 1))
    return headers


async def send_problem(send: Send, error: CommandCenterError, extra: dict[str, str] | None = None) -> None:
    """Answer an HTTP request with this error, below any framework."""
    body = problem_body(error.status, error.code, **error.parameters)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        **problem_headers(error.status, error.parameters),
        **(extra or {}),
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
