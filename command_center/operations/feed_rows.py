"""How feeds are named, read and turned into records."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.tables import User
from command_center.operations.records import FeedRecord
from command_center.operations.tables import Feed, FeedSite, Operation, Site
from streams.protocol import CameraState

_NAME_PART = 24


def new_name(operation: Operation, site: Site, username: str, device: str) -> str:
    """Where and whose, for people who read logs, and an ending that can't be guessed."""
    parts = [f"op{operation.id.hex[-4:]}", f"s{site.ordinal}", _slug(username), _slug(device), secrets.token_hex(8)]
    return ".".join(parts)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:_NAME_PART].strip("-").lower() or "x"


def feed_rows() -> Select[Feed, Site, str, UUID, str]:
    """The query of feeds with their site, officer's name, court and the operation's state, tile by tile."""
    return (
        select(Feed, Site, User.display_name, Operation.court_id, Operation.state)
        .join(Site, Site.id == Feed.site_id)
        .join(User, User.id == Feed.officer_id)
        .join(Operation, Operation.id == Feed.operation_id)
        .order_by(Operation.starts_at.desc(), Operation.id, Site.ordinal, Feed.created_at, Feed.id)
    )


def feed_record(row: Row[Feed, Site, str, UUID, str]) -> FeedRecord:
    """One row of that query as what the services hand out."""
    feed, site, officer, court_id, operation_state = row
    return FeedRecord(
        id=feed.id,
        name=feed.name,
        operation_id=feed.operation_id,
        operation_state=operation_state,
        court_id=court_id,
        site_id=site.id,
        site_ordinal=site.ordinal,
        site_zh=site.name_zh,
        site_en=site.name_en,
        district_zh=site.district_zh,
        district_en=site.district_en,
        officer_id=feed.officer_id,
        officer=officer,
        device=feed.device,
        source=feed.source,
        created_at=feed.created_at,
        camera_state=CameraState(feed.camera_state),
        camera_changed_at=feed.camera_changed_at,
        revoked_at=feed.revoked_at,
    )


async def site_at(session: AsyncSession, feed: Feed, at: datetime) -> UUID:
    """The site where a feed's device was at that moment, however much later that is asked."""
    places = select(FeedSite.site_id).where(FeedSite.feed_id == feed.id)
    before = places.where(FeedSite.since <= at).order_by(FeedSite.since.desc(), FeedSite.id.desc())
    # The clock of a node may be behind ours: nothing is older than the first place.
    first = places.order_by(FeedSite.since, FeedSite.id)
    return await session.scalar(before.limit(1)) or await session.scalar(first.limit(1)) or feed.site_id
