"""`/api/docs`: what the API offers, drawn from its OpenAPI description without any script or other host."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Response

_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
details{border:1px solid #8886;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}code,pre{font-family:ui-monospace,monospace;font-size:13px}pre{overflow:auto}
.method{display:inline-block;min-width:4.5em;font-weight:700}table{border-collapse:collapse}
td,th{border:1px solid #8886;padding:.2rem .6rem;text-align:left}
"""


def router(app: FastAPI) -> APIRouter:
    """The description as JSON and as a page."""
    routes = APIRouter(prefix="/api", include_in_schema=False)

    @routes.get("/openapi.json")
    async def description() -> dict[str, Any]:
        return app.openapi()

    @routes.get("/docs")
    async def page() -> Response:
        return Response(_page(app.openapi()), media_type="text/html")

    return routes


def _page(schema: dict[str, Any]) -> str:
    title = escape(str(schema["info"]["title"]))
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in sorted(schema["paths"].items())
        for method, operation in methods.items()
    )
    shapes = "".join(
        f"<details><summary><code>{escape(name)}</code></summary>{_json(shape)}</details>"
        for name, shape in sorted(schema.get("components", {}).get("schemas", {}).items())
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><h1>{title}</h1><p><a href="/api/openapi.json">openapi.json</a></p>'
        f"<h2>Operations</h2>{operations}<h2>Shapes</h2>{shapes}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{'required' if parameter.get('required') else ''}</td>"
        f"<td><code>{escape(json.dumps(parameter.get('schema', {}), ensure_ascii=False))}</code></td></tr>"
        for parameter in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {})
    answers = {code: answer.get("content", {}) for code, answer in operation.get("responses", {}).items()}
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span><code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary>"
        + (f"<table><tr><th>name</th><th>in</th><th></th><th>shape</th></tr>{rows}</table>" if rows else "")
        + (f"<h4>Body</h4>{_json(body)}" if body else "")
        + f"<h4>Answers</h4>{_json(answers)}</details>"
    )


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"
