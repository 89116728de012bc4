"""What `/api/live` sends to a screen: one snapshot on connect, then changes of the same shapes.

Times are Unix milliseconds. A screen asks for nothing on this socket but `{"type":"watch","operation_id":…}`,
which is answered by a `Snapshot` of that operation and then its changes.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class LiveMessage(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(frozen=True)


class FeedView(LiveMessage):
    """A tile: one feed of the operation with the words to show on it."""

    type: Literal["feed"] = "feed"
    feed: str
    feed_id: UUID
    site_id: UUID
    site_ordinal: int
    site_zh: str
    site_en: str
    district_zh: str
    district_en: str
    officer_id: UUID
    officer: str
    phase: Literal["waiting", "connecting", "live", "stale", "lost", "ended"]
    """`waiting`: planned, nothing came yet; the others as `streams.hub.topics.FeedPhase`."""
    cause: Literal["network", "camera", "officer", "revoked", "node"] | None
    node: str | None = None
    """The media node that carries it; where there are several, the part `media-<node>` tells how that one is."""
    since: int | None
    last_frame_at: int | None
    video: str | None
    audio: bool
    recording: bool
    recording_trouble: Literal["disk_full", "disk_slow", "disk_failed"] | None = None
    """Why what comes isn't kept."""
    order: int
    """Tiles stand in this order and keep their place."""


class PositionView(LiveMessage):
    """A marker moved."""

    type: Literal["position"] = "position"
    feed: str
    latitude: float
    longitude: float
    accuracy_m: float
    heading_deg: float | None
    speed_mps: float | None
    taken_at: int
    """By the device's clock."""
    received_at: int
    at: int
    """When it was taken by our clock, as far as that is known: what was kept on the phone is older than received."""


class TrackView(LiveMessage):
    """The last minutes of one feed's positions, oldest first: [latitude, longitude, at]."""

    type: Literal["track"] = "track"
    feed: str
    points: list[tuple[float, float, int]]


class DeliveryView(LiveMessage):
    """Where one instruction stands at one officer."""

    delivery_id: UUID
    officer_id: UUID
    officer: str
    state: Literal["sent", "delivered", "seen", "accepted", "refused", "done"]
    reason: str
    sent_at: int
    delivered_at: int | None
    seen_at: int | None
    answered_at: int | None
    done_at: int | None
    overdue: bool = False
    """The deadline passed without an answer."""
    online: bool
    """Whether the officer's socket is open now: an undelivered instruction shows why it waits."""


class InstructionView(LiveMessage):
    """One instruction with all its deliveries."""

    type: Literal["instruction"] = "instruction"
    instruction_id: UUID
    number: int
    priority: Literal["routine", "urgent", "critical"]
    scope: Literal["officer", "site", "all"]
    target_zh: str
    target_en: str
    text: str
    sender: str
    issued_at: int
    deadline_at: int | None
    deliveries: list[DeliveryView]


class TalkView(LiveMessage):
    """Somebody of the centre talks to officers; told again each second while it lasts, and once when it is over."""

    type: Literal["talk"] = "talk"
    talk_id: UUID
    speaker_id: UUID | None
    speaker: str
    to: list[str]
    """The chosen feeds."""
    heard: list[str]
    """Those of them whose phones listen, at whichever node."""
    began_at: int
    is_over: bool


class AssetsView(LiveMessage):
    """The assets panel's data changed; the page reads it anew by its callback."""

    type: Literal["assets"] = "assets"
    case_id: UUID


class RecordingsView(LiveMessage):
    """The list of recordings changed."""

    type: Literal["recordings"] = "recordings"


class PartView(LiveMessage):
    """A part of the system (hub, media, worker, bank, registry …): what the connection strip shows."""

    type: Literal["part"] = "part"
    name: str
    state: Literal["running", "restarting", "stopped", "away", "unknown", "gone", "low", "critical", "faulty"]
    """`unknown`: nobody tells any more how it is, its launcher is gone. `gone`: it is no part any more. `low`,
    `critical`: of the room for recordings. `faulty`: the storage has other bytes than were recorded, or lacks some."""
    since: int
    hours: float | None = None
    """For how long there is room, at the rate of now; of the room for recordings alone."""


class Snapshot(LiveMessage):
    """All of it at once."""

    type: Literal["snapshot"] = "snapshot"
    server_time: int
    operation_id: UUID
    feeds: list[FeedView]
    positions: list[PositionView]
    tracks: list[TrackView]
    instructions: list[InstructionView]
    parts: list[PartView]


class Beat(LiveMessage):
    """Nothing changed for a while: the page hears that the line still stands, since a cut one closes no socket."""

    type: Literal["beat"] = "beat"
    server_time: int


class Ended(LiveMessage):
    """The session is over: stop the pictures, go to sign-in."""

    type: Literal["ended"] = "ended"
    code: str


ScreenMessage = (
    Snapshot
    | FeedView
    | PositionView
    | TrackView
    | InstructionView
    | TalkView
    | AssetsView
    | RecordingsView
    | PartView
    | Beat
    | Ended
)
SCREEN_MESSAGE: TypeAdapter[ScreenMessage] = TypeAdapter(Annotated[ScreenMessage, Field(discriminator="type")])


class Watch(LiveMessage):
    """The one thing that a screen asks."""

    type: Literal["watch"] = "watch"
    operation_id: UUID
