"""What a simulator shows of itself: health, its own truth, and the control page on which its manners are picked.

Only this machine's own pages may change anything: a site that a browser on it shows could post here too.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets.simulators.conduct import Conduct
from assets.simulators.lines import HoldState
from assets.simulators.manners import Kind, Trouble
from assets.simulators.page_html import page

LARGEST_FORM_BYTES = 20_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers would name no origin for the page's own forms, which then look foreign.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Behaviour(_Form):
    """A manner that somebody picked; "none" takes back what was picked before."""

    kind: Kind | None = None
    person: str = Field(default="", max_length=32)
    requests: int | None = Field(default=None, ge=1, le=1_000_000)
    times: int | None = Field(default=None, ge=1, le=1000)
    reason: str = Field(default="", max_length=200)


class Changes(_Form):
    """What else can be set."""

    seed: int | None = Field(default=None, ge=0, le=2**63)
    delay_seconds: float | None = Field(default=None, ge=0, le=600)
    most_seconds: float | None = Field(default=None, ge=0, le=600)
    days_ahead: int | None = Field(default=None, ge=0, le=36_500)


class Reference(_Form):
    """An account or thing."""

    reference: str = Field(min_length=1, max_length=64)


def add_pages(app: FastAPI, service: str, conduct: Conduct) -> None:
    """Add them to a simulator."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str | bool]:
        return {"ok": True, "service": service, "simulator": True}

    @app.get("/controls")
    async def controls(reference: str = "") -> list[dict[str, Any]]:
        return conduct.ledger.controls(reference)

    @app.get("/state")
    async def state() -> JSONResponse:
        return JSONResponse(state_of(service, conduct), headers=HEADERS)

    @app.get("/")
    async def show(lang: str = "zh") -> HTMLResponse:
        text = page(state_of(service, conduct), conduct.ledger.controls(), "en" if lang == "en" else "zh")
        return HTMLResponse(text, headers=HEADERS)

    for path, act in (("/behave", _behave), ("/change", _change), ("/release", _release)):
        app.add_api_route(path, _taking(act, service, conduct), methods=["POST"])


def _behave(conduct: Conduct, body: dict[str, Any]) -> None:
    picked = Behaviour.model_validate(body)
    manner = Trouble(kind=picked.kind, times=picked.times, reason=picked.reason) if picked.kind else None
    conduct.behave(manner, person=picked.person, requests=picked.requests)


def _change(conduct: Conduct, body: dict[str, Any]) -> None:
    changes = Changes.model_validate(body)
    if changes.seed is not None:
        conduct.reseed(changes.seed)
    for name in ("delay_seconds", "most_seconds", "days_ahead"):
        if (value := getattr(changes, name)) is not None:
            setattr(conduct, name, value)


def _release(conduct: Conduct, body: dict[str, Any]) -> None:
    """End what another court has there, so that those who wait take effect."""
    reference = Reference.model_validate(body).reference
    lines = conduct.ledger.lines
    for hold in lines.standing(reference)[:1]:
        if hold.is_scripted:
            lines.end(hold, HoldState.RELEASED, conduct.today(), lambda: conduct.room_of(reference))


def state_of(service: str, conduct: Conduct) -> dict[str, Any]:
    """How it is set, and what it was asked."""
    rules = {"": conduct.everybody} if conduct.everybody else {}
    return {
        "service": service,
        "simulator": True,
        "seed": conduct.seed,
        "delay_seconds": conduct.delay_seconds,
        "most_seconds": conduct.most_seconds,
        "days_ahead": conduct.days_ahead,
        "today": conduct.today().isoformat(),
        "picked": [
            {"person": person, "requests": rule.requests, **rule.manner.model_dump()}
            for person, rule in (rules | conduct.persons).items()
        ],
        "held_by_others": conduct.ledger.lines.held_by_others(),
        "asked": [asdict(one) for one in reversed(conduct.noted)],
    }


def _taking(
    act: Callable[[Conduct, dict[str, Any]], None], service: str, conduct: Conduct
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        if not _is_own(request):
            return JSONResponse({"error": "foreign"}, 403, headers=HEADERS)
        try:
            act(conduct, await _body(request))
        except (ValidationError, ValueError) as exc:
            fields = [error["loc"] for error in exc.errors()] if isinstance(exc, ValidationError) else []
            return JSONResponse({"error": "unusable", "fields": fields}, 400, headers=HEADERS)
        if _is_form(request):
            language = "en" if request.query_params.get("lang") == "en" else "zh"
            return RedirectResponse(f"/?lang={language}", 303, headers=HEADERS)
        return JSONResponse(state_of(service, conduct), headers=HEADERS)

    return take


def _is_own(request: Request) -> bool:
    host = urlsplit(f"//{request.headers.get('Host', '')}")
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    is_named_so = host.hostname in LOOPBACK or host.hostname == (request.scope.get("server") or ("",))[0]
    return is_named_so and (origin is None or urlsplit(origin).netloc == host.netloc)


def _is_form(request: Request) -> bool:
    return request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")


async def _body(request: Request) -> dict[str, Any]:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_FORM_BYTES:
            raise ValueError("too large")
    if not _is_form(request):
        body = json.loads(content)
        if not isinstance(body, dict):
            raise ValueError("no object")
        return body
    fields = parse_qs(content.decode("utf-8"), max_num_fields=50)
    # An empty field of a form says nothing.
    return {name: values[0] for name, values in fields.items() if values[0]}
