"""The messages that an officer's device exchanges with the node and the centre.

Two roads carry them: the WebRTC data channel (label `field`, JSON texts) to the media node, and the
officer's WebSocket (`/api/officer`) to the web process. `Position` and `CameraStatus` may take either road;
each carries an id made by the device, and is repeated until an `Ack` names it, so that repeating changes nothing.

Times of a device are Unix milliseconds by the device's own clock.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PROTOCOL_VERSION = 1
"""A device that speaks another version is told to reload."""

DATA_CHANNEL_LABEL = "field"
MAX_MESSAGE_BYTES = 16_384
PLAIN_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]*$"
"""What people write holds no control characters but line ends and tabs, which a database may be unable to keep, and

none of those that nobody sees: they turn around what is read of an order.
"""


class Message(BaseModel):
    """What every message has in common: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReceiptState(StrEnum):
    """What a device can say of an instruction."""

    DELIVERED = "delivered"
    SEEN = "seen"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"


class CameraState(StrEnum):
    """What a device can say of its camera; the tile shows it beside the frozen picture."""

    LIVE = "live"
    STOPPED_BY_OFFICER = "stopped_by_officer"
    STOPPED_BY_SYSTEM = "stopped_by_system"
    """The phone took the camera away: a call, a lock, a revoked permission, a pulled cable."""


class Position(Message):
    """One GPS fix, WGS-84."""

    type: Literal["position"] = "position"
    id: UUID
    taken_at: int = Field(ge=0, le=1 << 53)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    accuracy_m: float = Field(ge=0, le=1e6)
    heading_deg: float | None = Field(default=None, ge=0, le=360)
    speed_mps: float | None = Field(default=None, ge=0, le=1000)


class CameraStatus(Message):
    """The camera's state, told at each change."""

    type: Literal["camera"] = "camera"
    id: UUID
    at: int = Field(ge=0, le=1 << 53)
    state: CameraState


class Hello(Message):
    """The first message of a device on its WebSocket; answered by `Welcome` or `Reload`."""

    type: Literal["hello"] = "hello"
    version: int
    device: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")


class Receipt(Message):
    """A step of one instruction at one officer; REFUSED needs a reason."""

    type: Literal["receipt"] = "receipt"
    id: UUID
    delivery_id: UUID
    state: ReceiptState
    at: int = Field(ge=0, le=1 << 53)
    reason: str = Field(default="", max_length=500, pattern=PLAIN_TEXT)


DeviceMessage = Annotated[Hello | Position | CameraStatus | Receipt, Field(discriminator="type")]
DEVICE_MESSAGE: TypeAdapter[Hello | Position | CameraStatus | Receipt] = TypeAdapter(DeviceMessage)
"""What the officer's WebSocket takes."""

ChannelMessage = Annotated[Position | CameraStatus, Field(discriminator="type")]
CHANNEL_MESSAGE: TypeAdapter[Position | CameraStatus] = TypeAdapter(ChannelMessage)
"""What the data channel takes."""


def id_of(data: str | bytes) -> UUID | None:
    """The id of a message that is otherwise not valid: refused by it, the device stops repeating it."""
    try:
        return UUID(json.loads(data)["id"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


class Ack(Message):
    """The message of this id is kept safe, or was before."""

    type: Literal["ack"] = "ack"
    id: UUID


class Refusal(Message):
    """The message of this id can't be taken and must not be repeated; `code` says why."""

    type: Literal["refusal"] = "refusal"
    id: UUID | None
    code: str


class Welcome(Message):
    """The device may go on; `server_time` (Unix ms) lets it show its clock's error."""

    type: Literal["welcome"] = "welcome"
    version: int = PROTOCOL_VERSION
    server_time: int


class Reload(Message):
    """The device's page is of another version: load it anew."""

    type: Literal["reload"] = "reload"
    version: int = PROTOCOL_VERSION


class InstructionDelivery(Message):
    """One instruction for this officer; sent again, in order, until a receipt says delivered.

    `number` counts the operation's instructions; `sequence` this officer's deliveries. `state` is what the
    centre has on record, so a page that was reloaded shows what was answered before.
    """

    type: Literal["instruction"] = "instruction"
    delivery_id: UUID
    sequence: int
    number: int
    priority: Literal["routine", "urgent", "critical"]
    text: str
    sender: str
    issued_at: int
    deadline_at: int | None
    state: Literal["sent", "delivered", "seen", "accepted", "refused", "done"]


class Layers(Message):
    """Which of its layers a device need send now, on its data channel; the others it may leave out to save power.

    Never empty. A device that sends one layer, or doesn't know the message, goes on as before.
    """

    type: Literal["layers"] = "layers"
    wanted: tuple[Literal["low", "middle", "high"], ...] = Field(min_length=1, max_length=3)


class SignedOut(Message):
    """The session is over (signed out, revoked, removed from the operation); wipe and go to sign-in."""

    type: Literal["signed-out"] = "signed-out"
    code: str


ServerMessage = Annotated[
    Ack | Refusal | Welcome | Reload | InstructionDelivery | Layers | SignedOut, Field(discriminator="type")
]
SERVER_MESSAGE: TypeAdapter[Ack | Refusal | Welcome | Reload | InstructionDelivery | Layers | SignedOut] = TypeAdapter(
    ServerMessage
)
"""What a device may be sent."""
