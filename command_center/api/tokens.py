"""Tokens for media: what a page needs to publish its own camera or to watch a feed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.accounts.media_tokens import MediaTokens
from command_center.live.nodes import Nodes
from command_center.operations.feeds import Feeds
from streams.signalling.turn import NO_TURN, TurnServers


class TokenBody(BaseModel):
    """Which feed, and for what."""

    model_config = ConfigDict(extra="forbid")
    feed: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")
    right: Literal["publish", "view"]


class IceServerView(BaseModel):
    """TURN relays, as `RTCPeerConnection` takes them."""

    urls: list[str]
    username: str
    credential: str


class MediaTokenView(BaseModel):
    """A token, where to post the offer with it, and the relays that the session may use.

    The relays stand here beside the `Link` headers of the session's own answer: a page that has them before it makes
    its connection gathers while its offer is on the way, and needs no second round for candidates.
    """

    access_token: str
    expires_in: int
    url: str
    """A path of this address; with scheme and host where the feed's own node is to be asked itself."""
    ice_servers: list[IceServerView]


def router(
    feeds: Feeds,
    tokens: MediaTokens,
    nodes: Nodes,
    turn: TurnServers = NO_TURN,
    media_origins: Collection[str] = (),
    wall_clock: Callable[[], float] = time.time,
) -> APIRouter:
    """The route of media tokens. Pages are led to nodes of these origins themselves, to others through this process."""
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
        base = _public_base(nodes, feed.name, media_origins, is_publishing=is_publishing)
        road = "whip" if is_publishing else "whep"
        return MediaTokenView(
            access_token=token.access_token,
            expires_in=token.expires_in,
            url=f"{base}/{road}/{feed.name}",
            ice_servers=_ice_servers(turn, token.token_id, wall_clock()),
        )

    return routes


def _public_base(nodes: Nodes, feed: str, media_origins: Collection[str], *, is_publishing: bool) -> str:
    """The node's own address, where pages may use it: the origins are in their policy, and a new one isn't at once."""
    node = next(iter(nodes.for_publisher(feed)), None) if is_publishing else nodes.of_feed(feed)
    if node is None or node.public_url is None or node.public_url not in media_origins:
        return ""
    if is_publishing:
        nodes.placed(feed, node.node)
    return node.public_url


def _ice_servers(turn: TurnServers, token_id: UUID, now: float) -> list[IceServerView]:
    if not turn.urls:
        return []
    own = turn.credentials(token_id, now)
    return [IceServerView(urls=list(turn.urls), username=own.username, credential=own.password)]
