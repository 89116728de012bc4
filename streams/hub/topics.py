"""The names of channels, streams and keys on the hub, and the events that they carry."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from streams.protocol import CameraState, Position
from streams.recording.manifest import ManifestLine

LIVE_CHANNEL = "command:live"
"""Pub/sub: `LiveEvent`s, for screens. May lose anything; only wakes and paints."""
POSITIONS_STREAM = "command:positions"
"""Stream of `PositionTaken`; the worker's group `records` writes them to SQL and acknowledges."""
CAMERAS_STREAM = "command:cameras"
"""Stream of `CameraChanged` from the data channel; the worker's group `records` keeps each feed's latest."""
TALKS_STREAM = "command:talks"
"""Stream of `TalkChanged`, each node's begin and end of each talk; the worker's group `records` puts them
together for the audit."""
RECORDINGS_STREAM = "command:recordings"
"""Stream of `RecordingWritten`; the worker's group `records` indexes them."""
ANCHORS_STREAM = "command:anchors"
"""Stream of `Anchored`: where the court's ledgers stood, kept outside the database."""
ANCHOR_KEY = "command:anchor"
"""JSON of the newest `Anchored`; nodes take it into what they seal."""
REVOCATIONS_STREAM = "command:revocations"
"""Stream of `Revoked`; every node reads it from where it stopped, so a break of the hub loses none."""
STREAM_BOUND = 200_000
"""About how many entries a stream keeps: over two days of five officers at 1 Hz, unread."""

NODE_KEY = "command:node:{node}"
"""Key with a life of NODE_LIFE_SECONDS: JSON of `NodeState`, renewed each second by the node."""
NODE_LIFE_SECONDS = 4
FEEDS_KEY = "command:feeds:{node}"
"""Hash feed → JSON of `FeedState`, rewritten by its node; stale when the node's key is gone."""
PROCESS_KEY = "command:process:{name}"
"""Key kept by the launcher for a child process: JSON {name, state, restarts, since}."""
MEDIA_PART = "media"
"""As a part of the system: the media node, or all of them together."""
NODE_PART = "media-{node}"
"""One of several media nodes."""
SPACE_PART, STORAGE_PART = "space", "storage"
"""The room for recordings, and the storage behind their folder: the worker tells of them as of a process."""
WORKER_KEY = "command:worker:{name}"
"""Key with a life of WORKER_LIFE_SECONDS, renewed by each worker."""
WORKER_LIFE_SECONDS = 8
ONLINE_KEY = "command:online:{user}:{process}"
"""Key with a life of ONLINE_LIFE_SECONDS, renewed by a web process that holds a socket of this officer."""
ONLINE_LIFE_SECONDS = 8


class Event(BaseModel):
    """What every event has in common."""

    model_config = ConfigDict(frozen=True)


class FeedPhase(StrEnum):
    """Where a feed is in its life, as its node sees it."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """No frame for 2 s."""
    LOST = "lost"
    """No frame for 5 s; the node still waits for it."""
    ENDED = "ended"


class FeedCause(StrEnum):
    """Why there is no picture."""

    NETWORK = "network"
    CAMERA = "camera"
    OFFICER = "officer"
    REVOKED = "revoked"
    NODE = "node"


class FeedState(Event):
    """What a node knows of one feed. Times are Unix milliseconds by the node's clock."""

    type: Literal["feed"] = "feed"
    feed: str
    node: str
    phase: FeedPhase
    cause: FeedCause | None = None
    since: int
    published_at: int = 0
    """When its present publisher connected; 0 before. Of two nodes that tell of one feed, the later is right."""
    last_frame_at: int | None = None
    video: str | None = None
    """The video codec's name, `H264` or `VP8`."""
    audio: bool = False
    recording: bool = False
    recording_trouble: Literal["disk_full", "disk_slow", "disk_failed"] | None = None
    """Why what comes isn't being kept, where the recorder knows."""
    viewers: int = 0


class PositionTaken(Event):
    """A position, with what the node or web process adds on receipt. `clock_offset_ms` = received - taken."""

    type: Literal["position"] = "position"
    feed: str
    position: Position
    received_at: int
    clock_offset_ms: int
    road: Literal["channel", "socket"]


class CameraChanged(Event):
    """An officer's device told its camera's state."""

    type: Literal["camera"] = "camera"
    feed: str
    state: CameraState
    received_at: int


class TalkChanged(Event):
    """Somebody of the centre talks to phones, or has ended (`ended_at`). Told again and again while it lasts.

    `heard` are the chosen feeds whose phones listen at this node; at the end, those that did at any time.
    Times are Unix milliseconds by the node's clock.
    """

    type: Literal["talk"] = "talk"
    talk: UUID
    operation_id: UUID
    user_id: UUID | None
    speaker: str
    node: str
    recording_feed: str
    to: tuple[str, ...]
    heard: tuple[str, ...]
    began_at: int
    ended_at: int | None = None
    reason: str | None = None


class FeedsChanged(Event):
    """A feed of this operation was registered, moved to another site or revoked: read the database."""

    type: Literal["feeds"] = "feeds"
    operation_id: UUID


class InstructionChanged(Event):
    """An instruction was sent or one of its deliveries moved: read the database."""

    type: Literal["instruction"] = "instruction"
    operation_id: UUID
    instruction_id: UUID
    officer_ids: tuple[UUID, ...]


class AssetsChanged(Event):
    """A request or a measure of this case moved: read the database."""

    type: Literal["assets"] = "assets"
    case_id: UUID


class RecordingChanged(Event):
    """The index of recordings changed for this feed."""

    type: Literal["recording"] = "recording"
    feed: str


class ProcessChanged(Event):
    """A child of the launcher started, died or was restarted: read PROCESS_KEY."""

    type: Literal["process"] = "process"
    name: str
    state: Literal["running", "restarting", "stopped"]


class Revoked(Event):
    """These rights are over: end the media sessions and sockets that came from them at once.

    One of the four says whose: a sign-in session, one token, (with `operation_id`) a user's place in an operation, or
    a feed, which nobody publishes or views any more, whatever the token.
    """

    type: Literal["revoked"] = "revoked"
    session_id: UUID | None = None
    token_id: UUID | None = None
    user_id: UUID | None = None
    operation_id: UUID | None = None
    feed: str | None = None
    at: int


LiveEvent = (
    FeedState
    | PositionTaken
    | CameraChanged
    | TalkChanged
    | FeedsChanged
    | InstructionChanged
    | AssetsChanged
    | RecordingChanged
    | ProcessChanged
    | Revoked
)
LIVE_EVENT: TypeAdapter[LiveEvent] = TypeAdapter(Annotated[LiveEvent, Field(discriminator="type")])


class RecordingWritten(Event):
    """A line of a recording's manifest is on the disk, as the `ordinal`th; of fragments, each second's last is told.

    Lines of one recording come in order; each may come twice. `head` is the hash of the line.
    """

    type: Literal["recording-written"] = "recording-written"
    recording: UUID
    feed: str
    ordinal: int
    head: str
    line: Annotated[ManifestLine, Field(discriminator="type")]


class Anchored(Event):
    """The `sequence`th anchor was written; `hash` is that of its line."""

    sequence: int
    hash: str
    at: int


class NodeState(Event):
    """A node's heartbeat: where it is, and how much it carries."""

    node: str
    started_at: int
    at: int
    signalling_url: str
    """Where a web process reaches it."""
    public_url: str | None = None
    """Where phones, screens and programs reach its signalling themselves, if they can."""
    feeds: int
    viewers: int
    packets_per_second: int = 0
    """Received and sent, over the last seconds."""
    cpu_share: float = 0.0
    """Of one core, over the last seconds."""
    is_full: bool = False
    is_draining: bool = False
    """It is about to end, and takes nobody any more."""
