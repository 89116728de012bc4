"""What screens are shown of feeds, positions and instructions, made from records and the hub's state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from command_center.live.messages import DeliveryView, FeedView, InstructionView, PositionView
from command_center.operations.records import DeliveryRecord, FeedRecord, InstructionRecord, to_ms
from command_center.operations.tables import PositionRecord
from streams.hub.topics import FeedCause, FeedPhase, FeedState, PositionTaken
from streams.protocol import CameraState

_CAMERA_CAUSES = {
    CameraState.STOPPED_BY_OFFICER: FeedCause.OFFICER,
    CameraState.STOPPED_BY_SYSTEM: FeedCause.CAMERA,
}

Phase = Literal["waiting", "connecting", "live", "stale", "lost", "ended"]
Cause = Literal["network", "camera", "officer", "revoked", "node"]
Step = Literal["sent", "delivered", "seen", "accepted", "refused", "done"]


@dataclass(frozen=True, slots=True)
class CameraWord:
    """A device's own last word on its camera, and when the centre had it (Unix ms)."""

    state: CameraState
    at: int


def feed_view(
    record: FeedRecord, order: int, state: FeedState | None, word: CameraWord | None, node_lost_at: int | None
) -> FeedView:
    """One tile. A revoked phone, a node that is gone and the device's own word go before what the node last said."""
    phase, cause, since = _phase(record, state, word, node_lost_at)
    return FeedView(
        feed=record.name,
        feed_id=record.id,
        site_id=record.site_id,
        site_ordinal=record.site_ordinal,
        site_zh=record.site_zh,
        site_en=record.site_en,
        district_zh=record.district_zh,
        district_en=record.district_en,
        officer_id=record.officer_id,
        officer=record.officer,
        phase=phase,
        cause=cause,
        node=state.node if state else None,
        since=since,
        last_frame_at=state.last_frame_at if state else None,
        video=state.video if state else None,
        audio=state.audio if state else False,
        recording=state.recording if state else False,
        recording_trouble=state.recording_trouble if state else None,
        order=order,
    )


def _phase(
    record: FeedRecord, state: FeedState | None, word: CameraWord | None, node_lost_at: int | None
) -> tuple[Phase, Cause | None, int | None]:
    if record.revoked_at is not None:
        return "ended", "revoked", to_ms(record.revoked_at)
    if state is None:
        return "waiting", None, None
    if node_lost_at is not None and state.phase is not FeedPhase.ENDED:
        return "lost", "node", node_lost_at
    phase: Phase = state.phase.value
    cause: Cause | None = state.cause.value if state.cause else None
    if word is not None and word.state in _CAMERA_CAUSES and _still_holds(word, state):
        cause = _CAMERA_CAUSES[word.state].value
        if state.phase in (FeedPhase.LIVE, FeedPhase.CONNECTING):
            # A muted track still sends black frames: packets flow, but nobody is shown anything.
            return "stale", cause, word.at
    return phase, cause, state.since


def _still_holds(word: CameraWord, state: FeedState) -> bool:
    """A feed that came to life after the camera was stopped shows that it was started again."""
    return state.phase is not FeedPhase.LIVE or word.at >= state.since


def position_of_event(event: PositionTaken, at: int) -> PositionView:
    """A marker, from the hub; `at` is when it was taken by our clock."""
    position = event.position
    return PositionView(
        feed=event.feed,
        latitude=position.latitude,
        longitude=position.longitude,
        accuracy_m=position.accuracy_m,
        heading_deg=position.heading_deg,
        speed_mps=position.speed_mps,
        taken_at=position.taken_at,
        received_at=event.received_at,
        at=at,
    )


def position_of_record(feed: str, row: PositionRecord, at: int) -> PositionView:
    """A marker, from the database."""
    return PositionView(
        feed=feed,
        latitude=row.latitude,
        longitude=row.longitude,
        accuracy_m=row.accuracy_m,
        heading_deg=row.heading_deg,
        speed_mps=row.speed_mps,
        taken_at=to_ms(row.taken_at),
        received_at=to_ms(row.received_at),
        at=at,
    )


def instruction_view(record: InstructionRecord, online: Collection[UUID]) -> InstructionView:
    """One instruction, with who of its officers can be reached now."""
    return InstructionView(
        instruction_id=record.id,
        number=record.number,
        priority=record.priority.value,
        scope=record.scope.value,
        target_zh=record.target_zh,
        target_en=record.target_en,
        text=record.text,
        sender=record.sender,
        issued_at=to_ms(record.issued_at),
        deadline_at=_ms(record.deadline_at),
        deliveries=[_delivery_view(one, one.officer_id in online) for one in record.deliveries],
    )


def _delivery_view(record: DeliveryRecord, online: bool) -> DeliveryView:
    return DeliveryView(
        delivery_id=record.id,
        officer_id=record.officer_id,
        officer=record.officer,
        state=cast("Step", record.state),
        reason=record.reason,
        sent_at=to_ms(record.sent_at),
        delivered_at=_ms(record.delivered_at),
        seen_at=_ms(record.seen_at),
        answered_at=_ms(record.answered_at),
        done_at=_ms(record.done_at),
        overdue=record.escalated_at is not None,
        online=online,
    )


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)
