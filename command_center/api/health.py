"""Whether the web process and what it needs are well: `/healthz` for watchers, `/metrics` for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Literal

import httpx
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from command_center.database import Database
from streams.hub.hub import Hub

PART_SECONDS = 2.0

State = Literal["running", "away"]


class HealthView(BaseModel):
    """The process is up when this answers at all; `ok` says whether every part that it needs is."""

    ok: bool
    parts: dict[str, State]


class Health:
    """Asks the parts."""

    def __init__(self, database: Database, hub: Hub, node: httpx.AsyncClient) -> None:
        self._database = database
        self._hub = hub
        self._node = node

    async def look(self) -> HealthView:
        """Ask all parts at once."""
        names = ("records", "hub", "media")
        found = await asyncio.gather(self._records(), self._hub.ping(), self._media())
        parts: dict[str, State] = {
            name: "running" if is_well else "away" for name, is_well in zip(names, found, strict=True)
        }
        return HealthView(ok=all(found), parts=parts)

    async def _records(self) -> bool:
        try:
            async with asyncio.timeout(PART_SECONDS), self._database.read() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _media(self) -> bool:
        try:
            return (await self._node.get("/healthz", timeout=PART_SECONDS)).is_success
        except httpx.HTTPError:
            return False


def router(health: Health, registry: CollectorRegistry) -> APIRouter:
    """The routes of health."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether all parts are well")
    async def healthz() -> HealthView:
        return await health.look()

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
