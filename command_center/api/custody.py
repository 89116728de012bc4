"""`/api/reviews`: who reviews an operation's recordings, and what for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.evidence.custody import Custody, Purpose
from command_center.evidence.examinations import Examinations
from command_center.evidence.verdicts import EvidenceVerdict
from streams.protocol import PLAIN_TEXT

Reviewing = Annotated[
    UUID | None,
    Header(alias="X-Review", description="The review that the request belongs to; who must state a purpose needs one"),
]
MOST_FEEDS = 16
LATEST_MS = 4_102_444_800_000
"""The year 2100."""


class NewReviewBody(BaseModel):
    """What somebody is about to look at, and what for."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    purpose: Purpose
    note: str = Field(default="", max_length=200, pattern=PLAIN_TEXT)


class ReviewView(BaseModel):
    """The review; its id goes into the header `X-Review` of what belongs to it."""

    id: UUID


class SeekBody(BaseModel):
    """To where on the time line the reviewer went (Unix ms), and which feeds were on the screen."""

    model_config = ConfigDict(extra="forbid")
    at: int = Field(ge=0, le=LATEST_MS)
    feeds: list[Annotated[str, Field(max_length=128, pattern=PLAIN_TEXT)]] = Field(default=[], max_length=MOST_FEEDS)


class ExaminationBody(BaseModel):
    """Which recording of the review's operation."""

    model_config = ConfigDict(extra="forbid")
    recording_id: UUID


class FindingView(BaseModel):
    """What was found so many times, in the reader's words: `about` the recording, or the ledgers that prove more."""

    model_config = ConfigDict(from_attributes=True)
    weight: Literal["broken", "unproven", "note"]
    words: str
    count: int
    about: Literal["recording", "proof"]


class ExaminationView(BaseModel):
    """What a verification found: `text` for the reader, `report` as the verifier gives it to programs.

    `verdict` is of the recording alone; the report's own result is also of the ledgers that it shares with others.

    It is of the recording as it was at `checked_at`, when its manifest had so many `lines`; what was recorded since
    nobody has verified.
    """

    model_config = ConfigDict(from_attributes=True)
    verdict: EvidenceVerdict
    checked_at: datetime
    lines: int
    findings: list[FindingView]
    text: str
    report: dict[str, Any]


def router(custody: Custody, examinations: Examinations) -> APIRouter:
    """The routes of reviews."""
    routes = APIRouter(prefix="/api/reviews", tags=["recordings"])

    @routes.post("", status_code=201, summary="Begin a review for a stated purpose")
    async def begin(body: NewReviewBody) -> ReviewView:
        review = await custody.begin(signed_in(), body.operation_id, body.purpose, body.note)
        return ReviewView(id=review.id)

    @routes.post("/{review_id}/seeks", status_code=204, summary="Where the reviewer went; at most once a second")
    async def sought(review_id: UUID, body: SeekBody) -> None:
        await custody.sought(signed_in(), review_id, body.at, body.feeds)

    @routes.post("/{review_id}/verdicts", summary="Verify a recording: its files, its manifest, what anchors it")
    async def examine(review_id: UUID, body: ExaminationBody) -> ExaminationView:
        found = await examinations.examine(signed_in(), review_id, body.recording_id)
        return ExaminationView.model_validate(found)

    return routes
