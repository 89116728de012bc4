"""Tokens for media: what a page needs to publish its own camera or to watch a feed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.accounts.media_tokens import IssuedToken, MediaTokens
from command_center.live.nodes import NodeAddress, Nodes
from command_center.operations.feeds import Feeds
from streams.signalling.turn import NO_TURN, TurnServers
from streams.voice_protocol import grant_name, talk_line, talk_name, voice_name

NONCE_BYTES = 8
NO_NODE = NodeAddress("none", "")
"""Stands for the node while there is none: whoever asks there is told to come back."""


class TokenBody(BaseModel):
    """Which feed, and for what; who listens names the feed that its own phone publishes."""

    model_config = ConfigDict(extra="forbid")
    feed: str = Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")
    right: Literal["publish", "view", "listen"]


class TalkBody(BaseModel):
    """To the officers of which operation somebody wants to talk."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    right: Literal["talk"]


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
    urls: list[str]
    """Of somebody who talks one for each node that carries phones of the operation: each must be told. Else `url`."""
    ice_servers: list[IceServerView]


def router(
    feeds: Feeds,
    tokens: MediaTokens,
    nodes: Nodes,
    turn: TurnServers = NO_TURN,
    media_origins: Collection[str] = (),
    wall_clock: Callable[[], float] = time.time,
) -> APIRouter:
    """The route of media tokens; who talks is given a way to each node.

    Pages are led to nodes of these origins themselves, to others through this process.
    """
    routes = APIRouter(prefix="/api", tags=["media"])

    def view(token: IssuedToken, *urls: str) -> MediaTokenView:
        return MediaTokenView(
            access_token=token.access_token,
            expires_in=token.expires_in,
            url=urls[0],
            urls=list(urls),
            ice_servers=_ice_servers(turn, token.token_id, wall_clock()),
        )

    async def for_feed(body: TokenBody) -> MediaTokenView:
        identity = signed_in()
        is_publishing = body.right == "publish"
        look = feeds.for_viewing if body.right == "view" else feeds.for_publishing
        feed = await look(identity, body.feed)
        name = voice_name(feed.name) if body.right == "listen" else feed.name
        token = await tokens.issue(
            identity,
            name,
            operation_id=feed.operation_id,
            court_id=feed.court_id,
            may_publish=is_publishing,
            may_view=not is_publishing,
        )
        base = _public_base(nodes, feed.name, media_origins, is_publishing=is_publishing)
        return view(token, f"{base}/{'whip' if is_publishing else 'whep'}/{name}")

    async def for_talking(body: TalkBody) -> MediaTokenView:
        identity = signed_in()
        court_id = await feeds.for_talking(identity, body.operation_id)
        line = talk_line(body.operation_id, secrets.token_hex(NONCE_BYTES))
        token = await tokens.issue(
            identity,
            grant_name(line),
            operation_id=body.operation_id,
            court_id=court_id,
            may_publish=True,
            speaker=identity.display_name,
        )
        there = nodes.living() or [NO_NODE]
        return view(token, *(f"{_base_of(one, media_origins)}/whip/{talk_name(line, one.node)}" for one in there))

    @routes.post("/media-tokens", summary="A token to publish one's own feed, view one, listen, or talk to phones")
    async def issue(body: Annotated[TokenBody | TalkBody, Field(discriminator="right")]) -> MediaTokenView:
        return await (for_talking(body) if isinstance(body, TalkBody) else for_feed(body))

    return routes


def _public_base(nodes: Nodes, feed: str, media_origins: Collection[str], *, is_publishing: bool) -> str:
    """The own address of the feed's node, where pages may use it."""
    node = next(iter(nodes.for_publisher(feed)), None) if is_publishing else nodes.of_feed(feed)
    base = "" if node is None else _base_of(node, media_origins)
    if base and node is not None and is_publishing:
        nodes.placed(feed, node.node)
    return base


def _base_of(node: NodeAddress, media_origins: Collection[str]) -> str:
    """A node's own address if pages may use it: the origins are in their policy, and a new one isn't at once."""
    return node.public_url if node.public_url is not None and node.public_url in media_origins else ""


def _ice_servers(turn: TurnServers, token_id: UUID, now: float) -> list[IceServerView]:
    if not turn.urls:
        return []
    own = turn.credentials(token_id, now)
    return [IceServerView(urls=list(turn.urls), username=own.username, credential=own.password)]
