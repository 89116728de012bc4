"""`/api/recordings`: the recordings of an operation, their media and their index."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.api.custody import Reviewing
from command_center.api.file_parts import SentFile, is_of_beginning, send_file
from command_center.api.paging import Page, cursor_of, place_of
from command_center.evidence.recordings import PAGE, Recordings
from command_center.evidence.records import RecordingState
from streams.recording.manifest import GapKind, TrackName

MAX_NUMBER = 2**31 - 1
"""Of segments: what the records can hold."""


class RecordingItem(BaseModel):
    """One recording with its site and officer; `ended_at` is null while it grows.

    The centre's voice (`kind` is `voice`) has no site, its number is 0, and `officer` is who spoke.
    """

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: Literal["camera", "voice"]
    feed: str
    operation_id: UUID
    site_id: UUID | None
    site_ordinal: int
    site_zh: str
    site_en: str
    officer_id: UUID | None
    officer: str
    video: str | None
    audio: str | None
    started_at: datetime
    ended_at: datetime | None
    seconds: float
    bytes: int
    state: RecordingState
    version: int
    segments: int
    lines: int
    """Of its manifest: where there are more than a verification has read, it has grown since."""
    is_signed: bool
    deletion: GoneItem | None
    """Where `state` is `deleted`."""


class GoneItem(BaseModel):
    """Who had it deleted, when that took effect, and why."""

    model_config = ConfigDict(from_attributes=True)
    at: datetime
    retention_class: str
    reason: str
    proposed_by: UUID
    proposed_by_name: str
    approved_by: UUID
    approved_by_name: str


class SegmentItem(BaseModel):
    """One file: `start` in seconds of the recording, `at` in Unix ms; its own media time begins at 0."""

    model_config = ConfigDict(from_attributes=True)
    number: int
    start: float
    at: int
    container: str
    mime: str
    width: int
    height: int
    has_sound: bool
    header_bytes: int
    bytes: int
    seconds: float
    is_sealed: bool
    is_missing: bool
    """Nobody has accounted for it."""
    is_deleted: bool
    """Two people had it deleted."""


class FragmentItem(BaseModel):
    """Where a fragment lies in its segment, and when it was: seconds of the recording, Unix ms of the wall clock."""

    model_config = ConfigDict(from_attributes=True)
    segment: int
    offset: int
    length: int
    start: float
    seconds: float
    at: int
    is_key: bool


class GapItem(BaseModel):
    """What is missing, since and until (Unix ms), and why."""

    model_config = ConfigDict(from_attributes=True)
    kind: GapKind
    track: TrackName
    since: int
    until: int
    packets: int


class IndexItem(BaseModel):
    """What a player needs to fetch a recording piece by piece; the segments are always all of them."""

    model_config = ConfigDict(from_attributes=True)
    version: int
    is_complete: bool
    started_at: datetime
    seconds: float
    segments: list[SegmentItem]
    fragments: list[FragmentItem]
    gaps: list[GapItem]


def router(recordings: Recordings) -> APIRouter:
    """The routes of recordings."""
    routes = APIRouter(prefix="/api/recordings", tags=["recordings"])

    @routes.get("", summary="The recordings of an operation, the newest first")
    async def listed(
        operation_id: UUID,
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Page[RecordingItem]:
        rows = await recordings.listed(signed_in(), operation_id, after=place_of(cursor), limit=limit)
        return Page(
            items=[RecordingItem.model_validate(row) for row in rows],
            next=cursor_of(rows[-1].started_at, rows[-1].id) if len(rows) == limit else None,
        )

    @routes.get("/{recording_id}", summary="One recording")
    async def one(recording_id: UUID) -> RecordingItem:
        return RecordingItem.model_validate(await recordings.recording(signed_in(), recording_id))

    @routes.get("/{recording_id}/index", summary="Where its fragments lie, from number `after` on")
    async def index(recording_id: UUID, after: Annotated[int, Query(ge=0)] = 0, review: Reviewing = None) -> IndexItem:
        found = await recordings.index(signed_in(), recording_id, after=after, review_id=review)
        return IndexItem.model_validate(found)

    @routes.head("/{recording_id}/segments/{number}", include_in_schema=False)
    @routes.get(
        "/{recording_id}/segments/{number}",
        summary="A segment's file, or with `Range` a part of it; one that grows is sent as far as it is now",
        response_class=Response,
        responses={206: {"description": "the part asked for"}, 416: {"description": "there is no such part"}},
    )
    async def segment(
        recording_id: UUID,
        number: Annotated[int, Path(ge=1, le=MAX_NUMBER)],
        request: Request,
        review: Reviewing = None,
    ) -> Response:
        is_start = number == 1 and is_of_beginning(request)
        media = await recordings.segment(signed_in(), recording_id, number, is_start=is_start, review_id=review)
        file = SentFile(media.mime, media.bytes, media.etag)
        return await send_file(file, request, lambda part: recordings.open(media, part.first, part.last))

    return routes
