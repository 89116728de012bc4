"""`/api/positions`: where one feed's device was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.api.moments import Moment
from command_center.api.paging import Page, cursor_of, place_of
from command_center.operations.positions import PAGE, Positions


class PositionItem(BaseModel):
    """One fix, WGS-84; `taken_at` is the device's time, `received_at` ours, the offset is ours less the device's."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    latitude: float
    longitude: float
    accuracy_m: float
    heading_deg: float | None
    speed_mps: float | None
    taken_at: datetime
    received_at: datetime
    clock_offset_ms: int
    road: str


def router(positions: Positions) -> APIRouter:
    """The route of positions."""
    routes = APIRouter(prefix="/api/positions", tags=["positions"])

    @routes.get("", summary="A feed's positions by the device's time, oldest first")
    async def listed(
        feed: Annotated[str, Query(pattern=r"^[A-Za-z0-9._-]{1,128}$")],
        since: Moment | None = None,
        until: Moment | None = None,
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Page[PositionItem]:
        rows = await positions.history(signed_in(), feed, since=since, until=until, after=place_of(cursor), limit=limit)
        return Page(
            items=[PositionItem.model_validate(row) for row in rows],
            next=cursor_of(rows[-1].taken_at, rows[-1].id) if len(rows) == limit else None,
        )

    return routes
