"""`/api/operations`: what is under way, where, and who has a place in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from command_center.accounts.identity import signed_in
from command_center.api.moments import Moment
from command_center.api.paging import Page
from command_center.operations.service import MAX_SITES, OperationPlan, Operations, SitePlan
from streams.protocol import PLAIN_TEXT

ShortName = Field(min_length=1, max_length=50, pattern=PLAIN_TEXT)


class SiteView(BaseModel):
    """A place of an operation; WGS-84."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    ordinal: int
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    latitude: float
    longitude: float


class OfficerView(BaseModel):
    """An officer with a place in an operation."""

    model_config = ConfigDict(from_attributes=True)
    user_id: UUID
    display_name: str
    site_id: UUID | None


class OperationView(BaseModel):
    """An operation with its sites and officers."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    court_id: UUID
    name_zh: str
    name_en: str
    case_id: UUID | None
    case_number: str
    commander_id: UUID
    state: str
    is_demonstration: bool
    starts_at: datetime
    ended_at: datetime | None
    sites: list[SiteView]
    officers: list[OfficerView]


class SiteBody(BaseModel):
    """A place that an operation is to have."""

    model_config = ConfigDict(extra="forbid")
    name_zh: str = Field(min_length=1, max_length=100, pattern=PLAIN_TEXT)
    name_en: str = Field(min_length=1, max_length=200, pattern=PLAIN_TEXT)
    district_zh: str = ShortName
    district_en: str = ShortName
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)
    officer_ids: list[UUID] = Field(default=[], max_length=100)


class OperationBody(BaseModel):
    """An operation that is to be; its sites get their numbers in this order."""

    model_config = ConfigDict(extra="forbid")
    name_zh: str = Field(min_length=1, max_length=100, pattern=PLAIN_TEXT)
    name_en: str = Field(min_length=1, max_length=200, pattern=PLAIN_TEXT)
    case_number: str = Field(min_length=1, max_length=64, pattern=PLAIN_TEXT)
    case_id: UUID | None = None
    court_id: UUID | None = None
    """Without it, the caller's own court."""
    commander_id: UUID | None = None
    """Without it, the caller."""
    starts_at: Moment
    sites: list[SiteBody] = Field(min_length=1, max_length=MAX_SITES)
    officer_ids: list[UUID] = Field(default=[], max_length=500)


class PlaceBody(BaseModel):
    """Where in the operation; null lets the officer choose on the phone."""

    model_config = ConfigDict(extra="forbid")
    site_id: UUID | None = None


def router(operations: Operations) -> APIRouter:
    """The routes of operations."""
    routes = APIRouter(prefix="/api/operations", tags=["operations"])

    @routes.get("", summary="The operations in one's scope, the newest first")
    async def listed() -> Page[OperationView]:
        found = await operations.in_scope(signed_in())
        return Page(items=[OperationView.model_validate(one) for one in found])

    @routes.get("/{operation_id}", summary="One operation")
    async def one(operation_id: UUID) -> OperationView:
        return OperationView.model_validate(await operations.operation(signed_in(), operation_id))

    @routes.post("", summary="Make an operation with its sites and officers", status_code=201)
    async def create(body: OperationBody) -> OperationView:
        identity = signed_in()
        plan = OperationPlan(
            court_id=body.court_id or identity.court_id,
            name_zh=body.name_zh,
            name_en=body.name_en,
            case_number=body.case_number,
            case_id=body.case_id,
            commander_id=body.commander_id or identity.user_id,
            starts_at=body.starts_at,
            sites=tuple(_site(site) for site in body.sites),
            officer_ids=tuple(body.officer_ids),
        )
        return OperationView.model_validate(await operations.create(identity, plan))

    @routes.put("/{operation_id}/officers/{user_id}", summary="Give an officer a place", status_code=204)
    async def assign(operation_id: UUID, user_id: UUID, body: PlaceBody) -> Response:
        await operations.assign(signed_in(), operation_id, user_id, body.site_id)
        return Response(status_code=204)

    @routes.delete("/{operation_id}/officers/{user_id}", summary="Take an officer out, at once", status_code=204)
    async def remove(operation_id: UUID, user_id: UUID) -> Response:
        await operations.remove_officer(signed_in(), operation_id, user_id)
        return Response(status_code=204)

    return routes


def _site(body: SiteBody) -> SitePlan:
    return SitePlan(
        name_zh=body.name_zh,
        name_en=body.name_en,
        district_zh=body.district_zh,
        district_en=body.district_en,
        latitude=body.latitude,
        longitude=body.longitude,
        officer_ids=tuple(body.officer_ids),
    )
