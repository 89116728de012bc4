"""`/api/operations/{id}/timeline`: what of each feed's time is recorded, what is missing, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.api.moments import within_time
from command_center.errors import Invalid
from command_center.evidence.spans import SpanKind
from command_center.evidence.timeline import TimeLines

Instant = Annotated[str | None, Query(max_length=40, description="Unix milliseconds, or ISO 8601 with its zone")]


class SpanItem(BaseModel):
    """From `since` to before `until` (Unix ms): `covered`, or missing for this cause."""

    model_config = ConfigDict(from_attributes=True)
    kind: SpanKind
    since: int
    until: int
    recording: UUID | None


class SilenceItem(BaseModel):
    """From `since` to before `until` (Unix ms) a camera's pictures go on without sound, for this cause."""

    model_config = ConfigDict(from_attributes=True)
    kind: SpanKind
    since: int
    until: int


class LaneItem(BaseModel):
    """One feed; its spans follow each other without a hole, and `covered_ms` with all of `gaps_ms` is their length.

    Of the centre's voice (`kind` is `voice`, one lane for each who spoke) `officer` gaps are when nobody spoke.
    """

    model_config = ConfigDict(from_attributes=True)
    feed: str
    kind: Literal["camera", "voice"]
    officer_id: UUID | None
    officer: str
    site_ordinal: int
    site_zh: str
    site_en: str
    spans: list[SpanItem]
    silences: list[SilenceItem]
    covered_ms: int
    gaps_ms: dict[str, int]


class TimeLineItem(BaseModel):
    """The lanes of an operation, site by site, and what they span together."""

    model_config = ConfigDict(from_attributes=True)
    since: int
    until: int
    lanes: list[LaneItem]


def router(timelines: TimeLines) -> APIRouter:
    """The route of time lines."""
    routes = APIRouter(prefix="/api/operations", tags=["recordings"])

    @routes.get("/{operation_id}/timeline", summary="What of each feed is recorded, what is missing, and why")
    async def timeline(operation_id: UUID, since: Instant = None, until: Instant = None) -> TimeLineItem:
        found = await timelines.of(signed_in(), operation_id, since=_milliseconds(since), until=_milliseconds(until))
        return TimeLineItem.model_validate(found)

    return routes


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        at = datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Invalid("time-not-valid") from None
    return round(within_time(at).timestamp() * 1000)
