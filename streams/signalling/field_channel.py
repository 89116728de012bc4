"""The `field` data channel of a publisher: its positions and camera states in, what its camera need send out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from aiortc import RTCDataChannel
from pydantic import BaseModel, ValidationError

from streams.protocol import (
    CHANNEL_MESSAGE,
    DATA_CHANNEL_LABEL,
    MAX_MESSAGE_BYTES,
    Ack,
    CameraStatus,
    Layers,
    Position,
    Refusal,
    id_of,
)
from streams.sfu.track import Layer
from streams.signalling.limits import Bucket
from streams.signalling.texts import send_text

BURST, PER_SECOND = 400, 50
"""A phone that was away sends what it kept; beyond this its messages go unacknowledged and are repeated."""
ANSWERS_BOUND_BYTES = 256 * 1024
"""Acknowledgements that may wait for a peer that doesn't take them."""

KeepPosition = Callable[[Position, int, Callable[[], None]], None]
KeepCamera = Callable[[CameraStatus, int, Callable[[], None]], None]


class FieldChannel:
    """Takes messages of one session's channel.

    `keep_position(position, received_at, on_kept)` makes a position durable and calls `on_kept` then;
    `keep_camera` does so with the camera's state. Times are Unix milliseconds.
    """

    def __init__(
        self, keep_position: KeepPosition, keep_camera: KeepCamera, counts: Counter[str] | None = None
    ) -> None:
        self._keep_position = keep_position
        self._keep_camera = keep_camera
        self._bucket = Bucket(BURST, PER_SECOND)
        self._channel: RTCDataChannel | None = None
        self._layers: tuple[Layer, ...] = ()
        self.counts = Counter() if counts is None else counts
        """What became of the messages of all channels that share this: taken, refused, dropped, unanswered."""

    def opened(self, channel: RTCDataChannel) -> None:
        """Listen on the channel if it is ours; the latest one that the device opened is answered."""
        if channel.label != DATA_CHANNEL_LABEL:
            channel.close()
            return
        self._channel = channel
        channel.on("message", self._received)
        if self._layers:
            self._answer(Layers(wanted=self._layers))

    def want_layers(self, layers: Sequence[Layer]) -> None:
        """Tell the device which of its layers it need send."""
        self._layers = tuple(layers)
        self._answer(Layers(wanted=self._layers))

    def _received(self, data: str | bytes) -> None:
        if not self._bucket.take(time.monotonic()):
            self.counts["dropped"] += 1
            return
        if len(data) > MAX_MESSAGE_BYTES:
            self._refuse(id_of(data), "message-too-large")
            return
        try:
            message = CHANNEL_MESSAGE.validate_json(data)
        except ValidationError:
            self._refuse(id_of(data), "message-invalid")
            return
        self.counts["taken"] += 1
        received_at = int(time.time() * 1000)
        if isinstance(message, Position):
            self._keep_position(message, received_at, lambda: self._acknowledge(message.id))
        else:
            self._keep_camera(message, received_at, lambda: self._acknowledge(message.id))

    def _acknowledge(self, message_id: UUID) -> None:
        self._answer(Ack(id=message_id))

    def _refuse(self, message_id: UUID | None, code: str) -> None:
        self.counts["refused"] += 1
        self._answer(Refusal(id=message_id, code=code))

    def _answer(self, message: BaseModel) -> None:
        channel = self._channel
        if channel is None or channel.bufferedAmount > ANSWERS_BOUND_BYTES:
            self.counts["unanswered"] += 1
            return
        send_text(channel, message, ANSWERS_BOUND_BYTES)
