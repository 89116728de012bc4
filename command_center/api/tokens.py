"""Tokens for media: what a page needs to publish its own camera or to watch a feed."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.accounts.media_tokens import MediaTokens
from command_center.operations.feeds import Feeds


class TokenBody(BaseModel):
    """Which feed, and for what."""

    model_config = ConfigDict(extra="forbid")
    feed: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")
    right: Literal["publish", "view"]


class MediaTokenView(BaseModel):
    """A token, and where to post the offer with it."""

    access_token: str
    expires_in: int
    url: str
    ice_servers: list[dict[str, Any]]


def router(feeds: Feeds, tokens: MediaTokens) -> APIRouter:
    """The route of media tokens."""
    routes = APIRouter(prefix="/api", tags=["media"])

    @routes.post("/media-tokens", summary="A token to publish one's own feed or to view one")
    async def issue(body: TokenBody) -> MediaTokenView:
        identity = signed_in()
        is_publishing = body.right == "publish"
        look = feeds.for_publishing if is_publishing else feeds.for_viewing
        feed = await look(identity, body.feed)
        token = await tokens.issue(
            identity,
            feed.name,
            operation_id=feed.operation_id,
            court_id=feed.court_id,
            may_publish=is_publishing,
            may_view=not is_publishing,
        )
        road = "whip" if is_publishing else "whep"
        return MediaTokenView(
            access_token=token.access_token, expires_in=token.expires_in, url=f"/{road}/{feed.name}", ice_servers=[]
        )

    return routes
