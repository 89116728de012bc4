"""One WHIP or WHEP session: whose it is, what was agreed, its link."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from streams.sfu.tile import Tile
from streams.sfu.track import Layer, Track
from streams.sfu.viewer import Viewer
from streams.signalling.limits import Bucket
from streams.signalling.negotiation import Agreement
from streams.signalling.offer import Offer
from streams.signalling.tokens import Grant
from streams.transport.link import Link, ignore

REQUEST_BURST, REQUESTS_PER_SECOND = 40, 10
NODE_MARK = "~"
"""Between the node's id and the part of a session's id that can't be guessed; neither holds it."""


class Right(StrEnum):
    """What a session does; also the word in its URL."""

    PUBLISH = "whip"
    VIEW = "whep"

    def is_granted_by(self, grant: Grant) -> bool:
        """Whether a token carries this right."""
        return grant.may_publish if self is Right.PUBLISH else grant.may_view


def _new_id() -> str:
    return secrets.token_urlsafe(24)


def _new_tag() -> str:
    return f'"{secrets.token_hex(8)}"'


@dataclass(slots=True, eq=False)
class Session:
    """One session. Its id can't be guessed; its ETag names the present ICE generation (RFC 9725 §4.3)."""

    feed: str
    right: Right
    grant: Grant
    link: Link
    agreement: Agreement
    offer: Offer
    viewer: Viewer | None = None
    tile: Tile | None = None
    """Of a connected viewer: its place on its page."""
    want_layers: Callable[[Sequence[Layer]], None] = ignore
    """Of a publisher: tells it which of its layers it need send."""
    id: str = field(default_factory=_new_id)
    etag: str = field(default_factory=_new_tag)
    requests: Bucket = field(default_factory=lambda: Bucket(REQUEST_BURST, REQUESTS_PER_SECOND))
    ended_because: str | None = None

    def name_node(self, node: str) -> None:
        """Put the node's id before its own: whoever passes requests on finds the node without remembering."""
        self.id = f"{node}{NODE_MARK}{self.id}"

    @property
    def log_name(self) -> str:
        """Enough of its id to tell sessions apart in a log, and too little to use it."""
        return self.id.rpartition(NODE_MARK)[2][:6]

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What was agreed on."""
        return self.agreement.tracks

    @property
    def path(self) -> str:
        """Its URL's path."""
        return f"/{self.right}/{self.feed}/{self.id}"

    def renew_tag(self) -> None:
        """A new ICE generation begins."""
        self.etag = _new_tag()
