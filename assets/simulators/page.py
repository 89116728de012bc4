"""What a simulator shows of itself: health, its own truth, and the control page on which its manners are picked."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from assets.simulators.conduct import Conduct


def add_pages(app: FastAPI, service: str, conduct: Conduct) -> None:
    """Add them to a simulator."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str | bool]:
        return {"ok": True, "service": service, "simulator": True}

    @app.get("/controls")
    async def controls(reference: str = "") -> list[dict[str, Any]]:
        return conduct.ledger.controls(reference)
