"""How a simulated service behaves around an answer: late, silent, broken, garbled or refusing."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from assets.simulators.ledger import Ledger
from assets.simulators.people import Trouble
from assets.terms import SHANGHAI

SLOW_FACTOR = 3.0


class Conduct:
    """What the two services share: the delay, the seeded chance and the troubles."""

    def __init__(self, ledger: Ledger, *, delay_seconds: float, seed: int) -> None:
        self.ledger = ledger
        self._delay_seconds = delay_seconds
        self._random = random.Random(seed)

    async def answer(self, request: Request, number: str, body: dict[str, Any], trouble: Trouble | None) -> Response:
        """Send `body` after the usual delay, or whatever the trouble makes of it."""
        times = self.ledger.count_asking(number)
        if trouble is not None and trouble.times is not None and times > trouble.times:
            trouble = None
        delay = self._delay_seconds * self._random.uniform(0.6, 1.4)
        kind = trouble.kind if trouble else ""
        if kind == "silent":
            await _until_the_caller_gives_up(request)
            return Response(status_code=499)
        await asyncio.sleep(delay * (SLOW_FACTOR if kind == "slow" else 1.0))
        if kind == "server-error":
            return JSONResponse({"message": "internal error"}, status_code=self._random.choice((500, 502, 503)))
        if kind == "garbage":
            return self._garbage(body)
        if trouble is not None and kind == "refuses":
            return refusal(number, trouble.reason)
        return JSONResponse(body)

    def _garbage(self, body: dict[str, Any]) -> Response:
        text = json.dumps(body, ensure_ascii=False).encode()
        nonsense = (
            text[: len(text) // 2],
            b"<html><body>Gateway</body></html>",
            b"",
            b"[]",
            json.dumps({**body, **{name: "X" for name in ("bdhm", "CXQQDH") if name in body}}).encode(),
        )
        return Response(self._random.choice(nonsense), media_type="application/json")


def refusal(number: str, reason: str) -> Response:
    """A 422 with the reason in words."""
    return JSONResponse({"cwdm": "01", "cwxx": reason, "bdhm": number}, status_code=422)


def china_now() -> str:
    """The present time as messages carry it."""
    return f"{datetime.now(UTC).astimezone(SHANGHAI):%Y%m%d%H%M%S}"


def add_common_routes(app: FastAPI, service: str, ledger: Callable[[], Ledger]) -> None:
    """Health, and what was carried out: the other side's own truth, for tests and demonstrations."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str | bool]:
        return {"ok": True, "service": service, "simulator": True}

    @app.get("/controls")
    async def controls(reference: str = "") -> list[dict[str, Any]]:
        return ledger().controls(reference)


async def _until_the_caller_gives_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
