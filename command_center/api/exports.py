"""`/api/exports`: packages for those outside, made in the background and fetched when they are done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.api.file_parts import SentFile, is_of_beginning, send_file
from command_center.api.moments import Moment
from command_center.api.reasons import ReasonOrNone
from command_center.evidence.custody import Purpose
from command_center.evidence.exports.records import Wish
from command_center.evidence.exports.service import MOST_FEEDS, Exports
from command_center.evidence.exports.tables import ExportState

FEED_OR_VOICE = r"^[A-Za-z0-9._-]{1,128}$"


class ExportBody(BaseModel):
    """What is wanted: of an operation, these feeds (`voice` for the centre's own) from `since` to `until`.

    `is_masked` false leaves names and numbers as they are; that needs a permission and a reason.
    """

    model_config = ConfigDict(extra="forbid")
    operation_id: UUID
    since: Moment
    until: Moment
    feeds: list[Annotated[str, Field(pattern=FEED_OR_VOICE)]] = Field(min_length=1, max_length=MOST_FEEDS)
    purpose: Purpose
    reason: ReasonOrNone = ""
    is_masked: bool = True
    idempotency_key: UUID


class ExportItem(BaseModel):
    """One export; `units_done` of `units` tell how far it is, `error` is a code where it failed."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    operation_id: UUID
    requester: str
    purpose: str
    reason: str
    since: datetime
    until: datetime
    feeds: list[str]
    is_masked: bool
    state: ExportState
    units_done: int
    units: int
    error: str
    bytes: int | None
    sha256: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ExportList(BaseModel):
    """The exports of an operation."""

    items: list[ExportItem]


def router(exports: Exports) -> APIRouter:
    """The routes of exports."""
    routes = APIRouter(prefix="/api/exports", tags=["exports"])

    @routes.post("", summary="Have a package made; the same key again makes nothing twice", status_code=202)
    async def request(body: ExportBody) -> ExportItem:
        wish = Wish(
            operation_id=body.operation_id,
            since=body.since,
            until=body.until,
            feeds=tuple(body.feeds),
            purpose=body.purpose,
            reason=body.reason,
            is_masked=body.is_masked,
            idempotency_key=body.idempotency_key,
        )
        return ExportItem.model_validate(await exports.request(signed_in(), wish))

    @routes.get("", summary="The exports of an operation, the newest first")
    async def listed(operation_id: UUID) -> ExportList:
        rows = await exports.listed(signed_in(), operation_id)
        return ExportList(items=[ExportItem.model_validate(row) for row in rows])

    @routes.get("/{export_id}", summary="One export")
    async def one(export_id: UUID) -> ExportItem:
        return ExportItem.model_validate(await exports.export(signed_in(), export_id))

    @routes.delete("/{export_id}", summary="Call it off, or remove its package")
    async def cancel(export_id: UUID) -> ExportItem:
        return ExportItem.model_validate(await exports.cancel(signed_in(), export_id))

    @routes.head("/{export_id}/package", include_in_schema=False)
    @routes.get(
        "/{export_id}/package",
        summary="The package, or with `Range` a part of it",
        response_class=Response,
        responses={206: {"description": "the part asked for"}, 416: {"description": "there is no such part"}},
    )
    async def fetched(export_id: UUID, request: Request) -> Response:
        is_fetched = request.method == "GET"
        identity = signed_in()
        package = await exports.package(identity, export_id, is_start=is_of_beginning(request), is_fetched=is_fetched)
        named = {"content-disposition": f'attachment; filename="{package.name}"'}
        file = SentFile("application/zip", package.bytes, f'"{package.sha256}"', named)
        return await send_file(file, request, lambda part: exports.open(identity, package, part.first, part.last))

    return routes
