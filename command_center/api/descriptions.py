"""What OpenAPI says of refusals: every route answers them as problem details with a stable code (RFC 9457)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from command_center.problem import MEDIA_TYPE

REFUSALS = {
    "400": "Not understood",
    "401": "Nobody is signed in, or the session is over",
    "403": "The role or the state of things doesn't allow it",
    "404": "There is no such thing, or none that one may know of",
    "409": "The state of the thing doesn't allow it now, or the key was used for something else",
    "413": "Too large",
    "422": "A value that can't be what it claims to be",
    "429": "Too often; `retry-after` says when to come again",
    "503": "Records or another part don't answer now; `retry-after` says when to come again",
}
"""By status. Which of them a route can give depends on the reader as well, so each is told of them all."""

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "Why it was refused: `code` is stable, what stands beside it are its parameters.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
    },
}


def describe_refusals(app: FastAPI) -> None:
    """Have the description of `app` tell them; what FastAPI says of its own of unfit values is never answered so."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _add(described())
        schema: dict[str, Any] = described()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add(schema: dict[str, Any]) -> None:
    shapes = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    shapes["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, methods in schema["paths"].items():
        if not path.startswith("/api/"):
            continue
        for operation in methods.values():
            refusals = {status: {"description": words, "content": content} for status, words in REFUSALS.items()}
            operation["responses"] = {**refusals, **_own(operation["responses"])}


def _own(responses: dict[str, Any]) -> dict[str, Any]:
    return {status: told for status, told in responses.items() if status != "422"}
