"""What is said between the centre's page, a node and the phones while somebody talks, and how such feeds are named.

A centre's page that may talk keeps one WHIP session with each node, `talk.<operation>.<nonce>.<node>`, sound only,
with a data channel (label `talk`, JSON texts). It says to whom it talks, the same with the same id to each node, and
a node forwards its sound to those alone, and nothing of it to anybody while it talks to nobody. A phone listens by one
WHEP session `voice.<its feed>` with its feed's node; a data channel (label `voice`) tells it who speaks.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from streams.protocol import Message

TALK_LABEL = "talk"
VOICE_LABEL = "voice"
TALK_PREFIX = "talk."
VOICE_PREFIX = "voice."
MAX_TARGETS = 256
MAX_TALK_SECONDS = 120
"""A key that is stuck ends its talk by itself."""
WARNING_SECONDS = 15
"""How long before that end the talker is told."""
NAME_BOUND = 64
"""A longer name of a speaker is cut."""

FeedName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,122}$")]


def talk_line(operation_id: UUID, nonce: str) -> str:
    """What the feeds of one talker have in common; the nonce holds no dot."""
    return f"{TALK_PREFIX}{operation_id.hex}.{nonce}"


def line_of_talk(feed: str) -> str:
    """The line that a talker's feed belongs to."""
    return ".".join(feed.split(".")[:3])


def grant_name(line: str) -> str:
    """What the talker's token names: the line's feeds at all nodes."""
    return f"{line}.*"


def talk_name(line: str, node: str) -> str:
    """What a talker publishes to this node."""
    return f"{line}.{node}"


def node_of_talk(feed: str) -> str:
    """The node that a talker's feed is for."""
    return feed.split(".", 3)[3] if feed.count(".") >= 3 else ""


def operation_of_talk(feed: str) -> UUID | None:
    """The operation that a talker's feed belongs to; None of any other feed."""
    if not feed.startswith(TALK_PREFIX):
        return None
    try:
        return UUID(hex=feed[len(TALK_PREFIX) :].partition(".")[0])
    except ValueError:
        return None


def voice_name(feed: str) -> str:
    """What the phone that publishes `feed` listens to."""
    return VOICE_PREFIX + feed


def is_talk(feed: str) -> bool:
    """Whether a talker publishes under this name."""
    return feed.startswith(TALK_PREFIX)


def is_voice(feed: str) -> bool:
    """Whether a phone listens under this name."""
    return feed.startswith(VOICE_PREFIX)


def camera_of(feed: str) -> str:
    """The feed of the phone that listens to `feed`; of every other feed itself."""
    return feed.removeprefix(VOICE_PREFIX)


class Talk(Message):
    """Page → node: the key is down. The talk's id is the page's own."""

    type: Literal["talk"] = "talk"
    id: UUID
    to: tuple[FeedName, ...] = Field(min_length=1, max_length=MAX_TARGETS)


class Hush(Message):
    """Page → node: the key is up."""

    type: Literal["hush"] = "hush"
    id: UUID


TALKER_MESSAGE: TypeAdapter[Talk | Hush] = TypeAdapter(Annotated[Talk | Hush, Field(discriminator="type")])
"""What the channel of a talker takes."""


class Busy(Message):
    """Somebody else talks to this phone."""

    feed: str
    speaker: str


class Talking(Message):
    """Node → page: the talk is under way, said at its begin and whenever `heard` changes.

    `heard` are the chosen phones that listen at this node, `busy` those that somebody else talks to.
    """

    type: Literal["talking"] = "talking"
    id: UUID
    heard: tuple[str, ...]
    busy: tuple[Busy, ...] = ()
    seconds_left: int


class Ending(Message):
    """Node → page: it has lasted so long that it will be ended."""

    type: Literal["ending"] = "ending"
    id: UUID
    seconds_left: int


HushReason = Literal["released", "replaced", "silent", "limit", "gone"]


class Hushed(Message):
    """Node → page: it is over."""

    type: Literal["hushed"] = "hushed"
    id: UUID
    reason: HushReason


class TalkRefused(Message):
    """Node → page: it doesn't begin."""

    type: Literal["refused"] = "refused"
    id: UUID | None
    code: Literal["message-invalid", "not-in-operation", "busy", "no-sound"]
    busy: tuple[Busy, ...] = ()


class Speaking(Message):
    """Node → phone: somebody begins to speak to it, or has ended; said also when the channel opens."""

    type: Literal["speaking"] = "speaking"
    id: UUID | None
    speaker: str = ""
