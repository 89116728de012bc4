"""`/api/retention`: how long recordings are kept, by class, and what is under legal hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.accounts.names import AccountName, AccountNames
from command_center.api.paging import Page, cursor_of, place_of
from command_center.api.reasons import Reason
from command_center.evidence.retention import PAGE, KeptOperation, Retention
from command_center.evidence.retention_rules import RetentionClass


class ClassBody(BaseModel):
    """The class of an operation, or of one recording of it."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    recording_id: UUID | None = None
    retention_class: RetentionClass


class HoldBody(BaseModel):
    """An operation, or one recording of it, to be kept whatever its class says."""

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    recording_id: UUID | None = None
    reason: Reason


class LiftBody(BaseModel):
    """Why it need not be held any more."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class HoldView(BaseModel):
    """A hold in force; `recording_id` is null where it is of the whole operation."""

    id: UUID
    recording_id: UUID | None
    reason: str
    set_by: UUID
    set_by_name: str
    set_at: datetime


class KeptOperationView(BaseModel):
    """An operation with its class, how much is kept of it, and what holds it."""

    id: UUID
    name_zh: str
    name_en: str
    case_number: str
    starts_at: datetime
    retention_class: RetentionClass
    recordings: int
    bytes: int
    classes: dict[UUID, RetentionClass]
    """Of recordings that have one of their own."""
    holds: list[HoldView]


class RetentionPage(Page[KeptOperationView]):
    """Operations, the newest first, and for how many days each class is kept; 0 is for ever."""

    days: dict[RetentionClass, int]


class MadeHold(BaseModel):
    """The new hold."""

    id: UUID


def router(retention: Retention, names: AccountNames) -> APIRouter:
    """The routes of retention."""
    routes = APIRouter(prefix="/api/retention", tags=["retention"])

    @routes.get("", summary="What is kept of each operation, how long, and what holds it")
    async def listed(
        cursor: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> RetentionPage:
        found = await retention.listed(signed_in(), after=place_of(cursor), limit=limit)
        known = await names.of({hold.set_by for each in found for hold in each.holds})
        return RetentionPage(
            items=[_view(each, known) for each in found],
            next=cursor_of(found[-1].operation.starts_at, found[-1].operation.id) if len(found) == limit else None,
            days={one: retention.periods.days(one) for one in RetentionClass},
        )

    @routes.post("/classes", status_code=204, summary="Say how long an operation or one recording is kept")
    async def classify(body: ClassBody) -> None:
        await retention.classify(signed_in(), body.operation_id, body.recording_id, body.retention_class)

    @routes.post("/holds", status_code=201, summary="Put an operation or one recording under legal hold")
    async def hold(body: HoldBody) -> MadeHold:
        return MadeHold(id=await retention.hold(signed_in(), body.operation_id, body.recording_id, body.reason))

    @routes.post("/holds/{hold_id}/lift", status_code=204, summary="Lift a hold that somebody else has set")
    async def lift(hold_id: UUID, body: LiftBody) -> None:
        await retention.lift(signed_in(), hold_id, body.reason)

    return routes


def _view(found: KeptOperation, names: dict[UUID, AccountName]) -> KeptOperationView:
    operation = found.operation
    return KeptOperationView(
        id=operation.id,
        name_zh=operation.name_zh,
        name_en=operation.name_en,
        case_number=operation.case_number,
        starts_at=operation.starts_at,
        retention_class=found.retention_class,
        recordings=found.recordings,
        bytes=found.bytes,
        classes=dict(found.marks),
        holds=[
            HoldView(
                id=hold.id,
                recording_id=hold.recording_id,
                reason=hold.reason,
                set_by=hold.set_by,
                set_by_name=names[hold.set_by].display_name if hold.set_by in names else "",
                set_at=hold.set_at,
            )
            for hold in found.holds
        ],
    )
