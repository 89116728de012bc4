"""`/api/feeds`: the cameras of operations, their registration by officers' devices, and shutting out a lost phone."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.api.paging import Page
from command_center.live.board import Board
from command_center.live.messages import FeedView
from command_center.operations.service import Operations

FeedName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,128}$")]


class FeedBody(BaseModel):
    """Which device of the officer, at which site."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    site_id: UUID
    device: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    source: Literal["camera"] = "camera"


class RegisteredFeed(BaseModel):
    """The name to publish under."""

    feed: str
    feed_id: UUID


def router(operations: Operations, board: Board) -> APIRouter:
    """The routes of feeds."""
    routes = APIRouter(prefix="/api/feeds", tags=["feeds"])

    @routes.get("", summary="The feeds in one's scope, as tiles")
    async def listed(operation_id: UUID | None = None) -> Page[FeedView]:
        return Page(items=board.feed_views(await operations.feeds.listed(signed_in(), operation_id)))

    @routes.post("", summary="The feed of this device; asked again, the same one")
    async def register(body: FeedBody) -> RegisteredFeed:
        feed = await operations.feeds.register(signed_in(), body.operation_id, body.site_id, body.device, body.source)
        return RegisteredFeed(feed=feed.name, feed_id=feed.id)

    @routes.delete("/{name}", summary="Shut a lost phone out, at once and for good", status_code=204)
    async def revoke(name: FeedName) -> Response:
        await operations.feeds.revoke(signed_in(), name)
        return Response(status_code=204)

    return routes
