"""`/api/deletions`: recordings whose period is over, and what two people decide about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.paging import Page, cursor_of, place_of
from command_center.api.reasons import Reason
from command_center.evidence.custody_records import CustodyRecord, CustodyRecords
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


class MarkView(BaseModel):
    """Who has set the class in force, and whether for this one recording or its whole operation."""

    is_own: bool
    set_by_name: str
    set_at: datetime


class PastHoldView(BaseModel):
    """A hold of the recording, or with `recording_id` null of its operation; in force while `lifted_at` is null."""

    recording_id: UUID | None
    reason: str
    set_by_name: str
    set_at: datetime
    lifted_by_name: str
    lifted_at: datetime | None
    lift_reason: str


class EarlierView(BaseModel):
    """A deletion of the same recording that came to nothing; `end_reason` as in `DeletionView`."""

    state: DeletionState
    reason: str
    proposed_by_name: str
    ended_by_name: str
    ended_at: datetime | None
    end_reason: str


class CustodyEntryView(BaseModel):
    """What somebody did or saw of the recording, its operation, or a package with it."""

    sequence: int
    at: datetime
    actor_name: str
    action: str
    details: dict[str, str | int]


class CustodyView(BaseModel):
    """What to know of a recording before deciding on its deletion; `is_cut` where there are older entries."""

    retention_class: RetentionClass
    over_at: datetime | None
    mark: MarkView | None
    holds: list[PastHoldView]
    earlier: list[EarlierView]
    entries: list[CustodyEntryView]
    is_cut: bool


def router(deletions: Deletions, records: CustodyRecords, names: AccountNames) -> APIRouter:
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

    @routes.get("/{deletion_id}/custody", summary="Why the recording is kept, what held it, who saw it; it is recorded")
    async def custody(deletion_id: UUID) -> CustodyView:
        record = await records.of(signed_in(), deletion_id)
        return _custody(record, await names.of({one for one in _people_of(record) if one is not None}))

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


def _people_of(record: CustodyRecord) -> Iterator[UUID | None]:
    if record.mark is not None:
        yield record.mark.set_by
    for hold in record.holds:
        yield from (hold.set_by, hold.lifted_by)
    for deletion in record.earlier:
        yield from (deletion.proposed_by, deletion.ended_by)
    for entry in record.entries:
        yield entry.actor_id


def _custody(record: CustodyRecord, known: Mapping[UUID, AccountName]) -> CustodyView:
    mark = record.mark
    return CustodyView(
        retention_class=record.retention_class,
        over_at=record.over_at,
        mark=None
        if mark is None
        else MarkView(
            is_own=mark.subject_id != mark.operation_id, set_by_name=_named(mark.set_by, known), set_at=mark.set_at
        ),
        holds=[
            PastHoldView(
                recording_id=hold.recording_id,
                reason=hold.reason,
                set_by_name=_named(hold.set_by, known),
                set_at=hold.set_at,
                lifted_by_name=_named(hold.lifted_by, known),
                lifted_at=hold.lifted_at,
                lift_reason=hold.lift_reason,
            )
            for hold in record.holds
        ],
        earlier=[
            EarlierView(
                state=DeletionState(one.state),
                reason=one.reason,
                proposed_by_name=_named(one.proposed_by, known),
                ended_by_name=_named(one.ended_by, known),
                ended_at=one.ended_at,
                end_reason=one.end_reason,
            )
            for one in record.earlier
        ],
        entries=[
            CustodyEntryView(
                sequence=one.sequence,
                at=one.at,
                actor_name=_named(one.actor_id, known),
                action=one.action,
                details=dict(one.details),
            )
            for one in record.entries
        ],
        is_cut=record.is_cut,
    )


def _named(person: UUID | None, known: Mapping[UUID, AccountName]) -> str:
    return known[person].display_name if person is not None and person in known else ""


def _people(found: DeletionRecord) -> tuple[UUID | None, ...]:
    deletion = found.deletion
    return found.officer_id, deletion.proposed_by, deletion.approved_by, deletion.ended_by


def _view(found: DeletionRecord, known: dict[UUID, AccountName]) -> DeletionView:
    deletion, recording, operation = found.deletion, found.recording, found.operation
    officer, proposed, approved, ended = (_named(one, known) for one in _people(found))
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
