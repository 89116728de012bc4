"""Keeps the index of recordings in step with what the nodes tell of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.tables import MediaToken
from command_center.database import Database
from command_center.evidence.tables import Recording
from command_center.operations.feed_rows import site_at
from command_center.operations.tables import Feed, Operation
from streams.hub.topics import RecordingClosed, RecordingOpened, SegmentClosed
from streams.recording.events import RecordingEvent
from streams.voice_protocol import grant_name, line_of_talk, operation_of_talk

logger = logging.getLogger(__name__)

COPY_SLACK = timedelta(seconds=2)
"""By so much another node's recording of a talk may begin later or end earlier and still hold the whole: the nodes
are told one after the other, and their clocks differ."""


async def index_events(database: Database, events: Sequence[RecordingEvent]) -> set[str]:
    """Write events to the index in one transaction; return the feeds whose list of recordings changed.

    Events of one recording may come twice, and a growth after the end; neither undoes anything. Growth alone
    doesn't count as a change of the list, for it comes each second, unless a copy of a talk outgrew the listed one.
    """
    changed: set[str] = set()
    async with database.write() as session:
        for event in events:
            if isinstance(event, RecordingOpened):
                if await _open(session, event):
                    changed.add(event.feed)
            elif isinstance(event, SegmentClosed):
                if await _grow(session, event):
                    changed.add(event.feed)
            elif await _close(session, event):
                changed.add(event.feed)
    return changed


async def _open(session: AsyncSession, event: RecordingOpened) -> bool:
    if await session.get(Recording, event.recording) is not None:
        return False
    started_at = _instant(event.started_at)
    origin = await _origin(session, event.feed, started_at)
    if origin is None:
        # A device with a token of the command line publishes under a name that no operation knows.
        logger.warning("recording %s is of an unregistered feed and isn't listed", event.recording)
        return False
    session.add(
        Recording(
            id=event.recording,
            **origin,
            node=event.node,
            path=event.path,
            container=event.container,
            video=event.video,
            audio=event.audio,
            started_at=started_at,
            talk_id=event.talk,
        )
    )
    await session.flush()
    if event.talk is not None:
        await _list_one_of(session, event.talk)
    return True


async def _origin(session: AsyncSession, name: str, at: datetime) -> dict[str, UUID | None] | None:
    """Whose recording it is: a device's at a site, or that of somebody at the centre who spoke."""
    feed = await session.scalar(select(Feed).where(Feed.name == name))
    if feed is not None:
        site_id = await site_at(session, feed, at)
        return {"feed_id": feed.id, "operation_id": feed.operation_id, "site_id": site_id}
    operation_id = operation_of_talk(name)
    if operation_id is None or await session.get(Operation, operation_id) is None:
        return None
    granted = MediaToken.feed == grant_name(line_of_talk(name))
    speaker_id = await session.scalar(select(MediaToken.user_id).where(granted).limit(1))
    return {"operation_id": operation_id, "speaker_id": speaker_id}


async def _grow(session: AsyncSession, event: SegmentClosed) -> bool:
    """Take its growth; gives whether it has outgrown the copy that was listed in its place."""
    recording = await _unfinished(session, event.recording)
    if recording is None or event.bytes <= recording.bytes:
        return False
    recording.seconds = event.seconds
    recording.bytes = event.bytes
    if recording.covered_by is None or recording.talk_id is None:
        return False
    listed = await session.get(Recording, recording.covered_by)
    if listed is not None and _covers(listed, recording):
        return False
    await _list_one_of(session, recording.talk_id)
    return True


async def _close(session: AsyncSession, event: RecordingClosed) -> bool:
    recording = await _unfinished(session, event.recording)
    if recording is None:
        return False
    recording.ended_at = _instant(event.ended_at)
    recording.seconds = event.seconds
    recording.bytes = event.bytes
    recording.sha256 = event.sha256
    recording.end_reason = event.reason
    if recording.talk_id is not None:
        await _list_one_of(session, recording.talk_id)
    return True


async def _list_one_of(session: AsyncSession, talk: UUID) -> None:
    """List the longest recording of a talk, and of the others those alone that hold what it doesn't."""
    copies = list(await session.scalars(select(Recording).where(Recording.talk_id == talk)))
    listed: list[Recording] = []
    for copy in sorted(copies, key=lambda one: (-one.seconds, one.started_at, one.id)):
        # A node's own pieces are never copies of each other: one began when another had ended.
        whole = next((one for one in listed if one.node != copy.node and _covers(one, copy)), None)
        copy.covered_by = None if whole is None else whole.id
        if whole is None:
            listed.append(copy)


def _covers(one: Recording, other: Recording) -> bool:
    """Whether `one` holds the time of `other`."""
    ends = [each.started_at + timedelta(seconds=each.seconds) for each in (one, other)]
    return one.started_at <= other.started_at + COPY_SLACK and ends[0] >= ends[1] - COPY_SLACK


async def _unfinished(session: AsyncSession, recording_id: UUID) -> Recording | None:
    recording = await session.get(Recording, recording_id)
    return recording if recording is not None and recording.ended_at is None else None


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
