"""`/api/deletions`: recordings whose period is over, and what two people decide about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.paging import Page, cursor_of, place_of
from command_center.api.retention import Reason
from command_center.evidence.deletions import PAGE, DeletionRecord, Deletions
from command_center.evidence.retention_rules import DeletionState, RetentionClass

SHOWN: dict[str, tuple[DeletionState, ...]] = {
    "open": (DeletionState.DUE, DeletionState.PROPOSED, DeletionState.APPROVED, DeletionState.DELETING),
    "ended": (DeletionState.DONE, DeletionState.WITHDRAWN, DeletionState.REFUSED),
}


class ProposalBody(BaseModel):
    """Which recording, and why."""

    model_config = ConfigDict(extra="forbid")
    recording_id: UUID
    reason: Reason


class EndBody(BaseModel):
    """Why it is to be kept after all."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class MadeDeletion(BaseModel):
    """The proposal."""

    id: UUID


class PackageView(BaseModel):
    """A package with something of the recording in it: whether it is there, and how often it was fetched."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    is_there: bool
    fetchings: int


class DeletionView(BaseModel):
    """A deletion with its recording, and the people with their names.

    `end_reason` is in the words of `ended_by`, or, where that is null, the code of the rule that stopped it.
    """

    id: UUID
    state: DeletionState
    retention_class: RetentionClass
    operation_id: UUID
    operation_zh: str
    operation_en: str
    case_number: str
    recording_id: UUID
    feed: str
    site_zh: str
    site_en: str
    officer_id: UUID | None
    officer: str
    started_at: datetime | None
    seconds: float
    bytes: int
    listed_at: datetime
    reason: str
    proposed_by: UUID | None
    proposed_by_name: str
    proposed_at: datetime | None
    approved_by: UUID | None
    approved_by_name: str
    approved_at: datetime | None
    effective_at: datetime | None
    ended_by: UUID | None
    ended_by_name: str
    ended_at: datetime | None
    end_reason: str
    tombstone: str | None
    packages: list[PackageView]


def router(deletions: Deletions, names: AccountNames) -> APIRouter:
    """The routes of deletions."""
    routes = APIRouter(prefix="/api/deletions", tags=["retention"])

    @routes.get("", summary="What is due, proposed or approved; or, with `show=ended`, what became of the others")
    async def listed(
        show: Literal["open", "ended"] = "open",
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> Page[DeletionView]:
        found = await deletions.listed(signed_in(), SHOWN[show], after=place_of(cursor), limit=limit)
        known = await names.of({one for each in found for one in _people(each) if one is not None})
        last = found[-1].deletion if len(found) == limit else None
        return Page(
            items=[_view(each, known) for each in found],
            next=cursor_of(last.listed_at, last.id) if last is not None else None,
        )

    @routes.post("", status_code=201, summary="Propose that a recording be deleted")
    async def propose(body: ProposalBody) -> MadeDeletion:
        return MadeDeletion(id=await deletions.propose(signed_in(), body.recording_id, body.reason))

    @routes.post("/{deletion_id}/approve", status_code=204, summary="Agree to what somebody else proposed")
    async def approve(deletion_id: UUID) -> None:
        await deletions.approve(signed_in(), deletion_id)

    @routes.post("/{deletion_id}/refuse", status_code=204, summary="Say no to a proposal")
    async def refuse(deletion_id: UUID, body: EndBody) -> None:
        await deletions.refuse(signed_in(), deletion_id, body.reason)

    @routes.post("/{deletion_id}/withdraw", status_code=204, summary="Take one's proposal or approval back in time")
    async def withdraw(deletion_id: UUID, body: EndBody) -> None:
        await deletions.withdraw(signed_in(), deletion_id, body.reason)

    return routes


def _people(found: DeletionRecord) -> tuple[UUID | None, ...]:
    deletion = found.deletion
    return found.officer_id, deletion.proposed_by, deletion.approved_by, deletion.ended_by


def _view(found: DeletionRecord, known: dict[UUID, AccountName]) -> DeletionView:
    deletion, recording, operation = found.deletion, found.recording, found.operation
    officer, proposed, approved, ended = (
        known[one].display_name if one is not None and one in known else "" for one in _people(found)
    )
    return DeletionView(
        id=deletion.id,
        state=DeletionState(deletion.state),
        retention_class=RetentionClass(deletion.retention_class),
        operation_id=operation.id,
        operation_zh=operation.name_zh,
        operation_en=operation.name_en,
        case_number=operation.case_number,
        recording_id=deletion.recording_id,
        feed=found.feed,
        site_zh=found.site_zh,
        site_en=found.site_en,
        officer_id=found.officer_id,
        officer=officer,
        started_at=None if recording is None else recording.started_at,
        seconds=0 if recording is None else recording.seconds,
        bytes=0 if recording is None else recording.bytes,
        listed_at=deletion.listed_at,
        reason=deletion.reason,
        proposed_by=deletion.proposed_by,
        proposed_by_name=proposed,
        proposed_at=deletion.proposed_at,
        approved_by=deletion.approved_by,
        approved_by_name=approved,
        approved_at=deletion.approved_at,
        effective_at=deletion.effective_at,
        ended_by=deletion.ended_by,
        ended_by_name=ended,
        ended_at=deletion.ended_at,
        end_reason=deletion.end_reason,
        tombstone=deletion.tombstone,
        packages=[PackageView.model_validate(package) for package in found.packages],
    )
