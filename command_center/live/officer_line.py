"""What is said on one officer's socket, apart from the socket: messages in, messages out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from command_center.clock import Clock, now
from command_center.errors import CommandCenterError
from command_center.operations.feeds import Feeds
from command_center.operations.instructions import Instructions, Outcome
from command_center.operations.positions import Positions
from command_center.operations.records import OfficerDelivery, to_ms
from streams.hub.hub import Hub
from streams.hub.topics import CameraChanged, PositionTaken
from streams.protocol import (
    DEVICE_MESSAGE,
    Ack,
    CameraStatus,
    Hello,
    InstructionDelivery,
    Position,
    Receipt,
    Refusal,
    id_of,
)

logger = logging.getLogger(__name__)

RESEND_SECONDS = 5.0
"""How long a sent instruction waits for its receipt before it is sent again."""
FEED_SECONDS = 2.0
"""How long it is believed which feed this device works for, before the register is asked again."""
REMEMBERED = 1_000
_STEPS = ("sent", "delivered", "seen", "refused", "accepted", "done")
"""What the device knows may be further than a reading that began before its receipt was kept."""

Answer = Ack | Refusal


class OfficerLine:
    """One device of one officer. Nothing here is kept that the database doesn't have: a new line goes on as this."""

    def __init__(
        self,
        officer_id: UUID,
        device: str,
        *,
        instructions: Instructions,
        positions: Positions,
        feeds: Feeds,
        hub: Hub,
        clock: Clock = now,
    ) -> None:
        self._officer_id = officer_id
        self._device = device
        self._instructions = instructions
        self._positions = positions
        self._feeds = feeds
        self._hub = hub
        self._clock = clock
        self._told: dict[UUID, tuple[str, int]] = {}
        """Delivery → the state that the device knows, and when it was sent (Unix ms)."""
        self._feed: tuple[str, int] | None = None

    async def due(self, *, is_whole: bool) -> list[InstructionDelivery]:
        """What the device is to be sent now, in order: new, unconfirmed for too long, or changed elsewhere.

        `is_whole` looks at what was answered, too; otherwise only at what waits for its receipt.
        """
        rows = (
            await self._instructions.for_officer(self._officer_id)
            if is_whole
            else await self._instructions.undelivered(self._officer_id)
        )
        now = to_ms(self._clock())
        due = [row for row in rows if self._is_due(row, now)]
        for row in due:
            self._told[row.id] = (row.state, now)
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return [_delivery(row) for row in due]

    async def take(self, texts: Sequence[str]) -> list[Answer]:
        """Deal with what the device said, in order, and answer what is kept safe or can't be taken.

        What gets no answer (no feed registered yet) the device says again.

        Raises:
            OperationalError, InterfaceError: the records are away; everything is said again.
        """
        try:
            return await self._take(texts)
        except (OperationalError, InterfaceError):
            raise
        except SQLAlchemyError:
            if len(texts) == 1:
                logger.exception("officer %s: a message can't be kept", self._officer_id)
                return [Refusal(id=id_of(texts[0]), code="not-valid")]
        # One of them can't be kept: the others must not be repeated for ever with it.
        return [answer for text in texts for answer in await self.take([text])]

    async def _take(self, texts: Sequence[str]) -> list[Answer]:
        answers: list[Answer] = []
        positions: list[Position] = []
        for text in texts:
            try:
                message = DEVICE_MESSAGE.validate_json(text)
            except ValidationError:
                answers.append(Refusal(id=id_of(text), code="not-valid"))
                continue
            if isinstance(message, Position):
                positions.append(message)
            elif isinstance(message, CameraStatus):
                answers += await self._camera(message)
            elif isinstance(message, Receipt):
                answers.append(await self._receipt(message))
            elif isinstance(message, Hello):
                answers.append(Refusal(id=None, code="hello-twice"))
        return answers + await self._take_positions(positions)

    def _is_due(self, row: OfficerDelivery, now: int) -> bool:
        told = self._told.get(row.id)
        if told is None:
            return True
        state, at = told
        if _STEPS.index(row.state) > _STEPS.index(state):
            return True
        return row.state == "sent" and now - at >= RESEND_SECONDS * 1000

    async def _receipt(self, receipt: Receipt) -> Answer:
        try:
            outcome = await self._instructions.apply(self._officer_id, receipt)
        except CommandCenterError as error:
            return Refusal(id=receipt.id, code=error.code)
        if outcome is Outcome.APPLIED:
            self._told[receipt.delivery_id] = (receipt.state.value, to_ms(self._clock()))
        return Ack(id=receipt.id)

    async def _take_positions(self, positions: list[Position]) -> list[Answer]:
        feed = await self._feed_name() if positions else None
        if feed is None:
            return []
        received_at = to_ms(self._clock())
        batch = [
            PositionTaken(
                feed=feed,
                position=position,
                received_at=received_at,
                clock_offset_ms=received_at - position.taken_at,
                road="socket",
            )
            for position in positions
        ]
        await self._positions.insert(batch)
        for event in batch:
            if not await self._hub.publish(event):
                break
        return [Ack(id=position.id) for position in positions]

    async def _camera(self, status: CameraStatus) -> list[Answer]:
        feed = await self._feed_name()
        if feed is None:
            return []
        received_at = to_ms(self._clock())
        await self._feeds.camera_changed(feed, status.state, received_at)
        await self._hub.publish(CameraChanged(feed=feed, state=status.state, received_at=received_at))
        return [Ack(id=status.id)]

    async def _feed_name(self) -> str | None:
        now = to_ms(self._clock())
        if self._feed is None or now - self._feed[1] >= FEED_SECONDS * 1000:
            record = await self._feeds.of_device(self._officer_id, self._device)
            self._feed = None if record is None else (record.name, now)
        return None if self._feed is None else self._feed[0]


def _delivery(row: OfficerDelivery) -> InstructionDelivery:
    return InstructionDelivery.model_validate(
        {
            "delivery_id": row.id,
            "sequence": row.sequence,
            "number": row.number,
            "priority": row.priority.value,
            "text": row.text,
            "sender": row.sender,
            "issued_at": to_ms(row.issued_at),
            "deadline_at": None if row.deadline_at is None else to_ms(row.deadline_at),
            "state": row.state,
        }
    )
