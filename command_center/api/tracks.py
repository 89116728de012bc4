"""`/api/operations/{id}/tracks`: where the officers' devices were."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from command_center.accounts.identity import signed_in
from command_center.api.custody import Reviewing
from command_center.api.moments import Moment
from command_center.evidence.custody import Custody
from command_center.evidence.tracks import Point, Tracks


class TrackItem(BaseModel):
    """The way of one device: [at (Unix ms by our clock), latitude, longitude, accuracy in m, heading], oldest first."""

    model_config = ConfigDict(from_attributes=True)
    feed: str
    officer: str
    officer_id: UUID
    site_ordinal: int
    points: list[Point]


class TracksItem(BaseModel):
    """The tracks of an operation, by site."""

    tracks: list[TrackItem]


def router(tracks: Tracks, custody: Custody) -> APIRouter:
    """The route of tracks."""
    routes = APIRouter(tags=["positions"])

    @routes.get("/api/operations/{operation_id}/tracks", summary="Where the devices were, WGS-84, thinned")
    async def listed(
        operation_id: UUID,
        since: Moment | None = None,
        until: Moment | None = None,
        review: Reviewing = None,
    ) -> TracksItem:
        await custody.admit(signed_in(), operation_id, review, "tracks")
        found = await tracks.of_operation(signed_in(), operation_id, since=since, until=until)
        return TracksItem(tracks=[TrackItem.model_validate(one) for one in found])

    return routes
