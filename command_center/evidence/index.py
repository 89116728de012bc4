"""Keeps the index of recordings in step with what the nodes write into their manifests."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

from command_center.accounts.tables import MediaToken
from command_center.database import Database
from command_center.evidence.noting import note_recorded
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from command_center.journal import Journal
from command_center.operations.feed_rows import site_at
from command_center.operations.tables import Feed, Operation
from streams.hub.topics import RecordingWritten
from streams.ledger import FIRST
from streams.recording.manifest import (
    SUFFIX,
    Closed,
    FragmentLine,
    GapLine,
    ManifestLine,
    Opened,
    Sealed,
    SegmentLine,
)
from streams.recording.recording import manifest_path
from streams.voice_protocol import grant_name, line_of_talk, operation_of_talk

logger = logging.getLogger(__name__)

COPY_SLACK = timedelta(seconds=2)
"""By so much another node's recording of a talk may begin later or end earlier and still hold the whole: the nodes
are told one after the other, and their clocks differ."""
NOTABLE_GAP_MS = 1000
"""A shorter gap is no news for the screens: on a bad line there are several a second."""


async def index_events(
    database: Database, events: Sequence[RecordingWritten], journal: Journal | None = None
) -> set[str]:
    """Write what nodes told to the index in one transaction; return the feeds whose list or time line changed.

    Events may come twice; that undoes nothing. Growth alone doesn't count as a change, for it comes each second,
    unless a copy of a talk outgrew the listed one. What was sealed and closed is noted in the `journal`.
    """
    changed: set[str] = set()
    async with database.write() as session:
        for event in events:
            if await take_line(session, event.recording, event.ordinal, event.head, [event.line]):
                changed.add(event.feed)
        for event in events:
            if journal is not None and isinstance(event.line, Sealed | Closed):
                recording = await session.get(Recording, event.recording)
                await note_recorded(session, journal, recording, event.feed, event.line)
    return changed


async def take_line(
    session: AsyncSession, recording_id: UUID, ordinal: int, head: str, lines: Sequence[ManifestLine]
) -> bool:
    """Take in the `ordinal`th line of a manifest, unless it was; gives whether the list or the time line changed.

    `head` is the hash of the line, `lines` what it says: of version 1 a line may say two things. The rows come from
    this alone, whether a node told of the line or it was read in the store; so they are the same.
    """
    recording = await _locked(session, recording_id)
    if recording is not None and ordinal <= recording.lines:
        return False
    has_changed = False
    for line in lines:
        if isinstance(line, Opened):
            recording = await _open(session, line, recording)
            has_changed = recording is not None
        elif recording is None:
            # Its beginning never came, or is of a device that no operation knows.
            return False
        elif await _take(session, recording, ordinal, head, line):
            has_changed = True
    if recording is not None:
        recording.lines, recording.head = ordinal, head
    return has_changed


async def _locked(session: AsyncSession, recording_id: UUID) -> Recording | None:
    """The row, which nobody else changes before this transaction's end."""
    known: object = session.sync_session.identity_map.get(identity_key(Recording, recording_id))
    if isinstance(known, Recording):
        return known
    return await session.get(Recording, recording_id, with_for_update=True)


async def _open(session: AsyncSession, line: Opened, recording: Recording | None) -> Recording | None:
    started_at = _instant(line.started_at)
    origin = await _origin(session, line.feed, started_at)
    if origin is None:
        # A device with a token of the command line publishes under a name that no operation knows.
        logger.warning("recording %s is of an unregistered feed and isn't listed", line.recording)
        return None
    if recording is None:
        recording = Recording(id=line.recording)
        session.add(recording)
    told = {
        "feed_id": None,
        "site_id": None,
        "speaker_id": None,
        **origin,
        "talk_id": line.talk,
        "covered_by": None,
        "node": line.node,
        "manifest": manifest_path(line.feed, line.recording, line.started_at).as_posix(),
        "version": line.version,
        "started_at": started_at,
        "ended_at": None,
        "seconds": 0.0,
        "bytes": 0,
        "end_reason": None,
        "lines": 0,
        "head": FIRST,
    }
    for name, value in told.items():
        setattr(recording, name, value)
    await session.flush()
    if line.talk is not None:
        await _list_one_of(session, line.talk)
    return recording


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


async def _take(session: AsyncSession, recording: Recording, ordinal: int, head: str, line: ManifestLine) -> bool:
    """Take a line of a recording that is known; gives whether the list or the time line changed."""
    if isinstance(line, SegmentLine):
        return await _begin(session, recording, line)
    if isinstance(line, FragmentLine):
        return await _grow(session, recording, line)
    if isinstance(line, GapLine):
        return _note(session, recording, ordinal, line)
    if isinstance(line, Sealed):
        return await _seal(session, recording, ordinal, head, line)
    if isinstance(line, Closed):
        return await _close(session, recording, line)
    return False


async def _begin(session: AsyncSession, recording: Recording, line: SegmentLine) -> bool:
    is_its_own = PurePosixPath(line.path).name.startswith(str(recording.id))
    other = await session.scalar(select(RecordingSegment.number).where(RecordingSegment.path == line.path))
    known = await session.get(RecordingSegment, (recording.id, line.number))
    if not is_its_own or other is not None or known is not None:
        logger.error("recording %s tells of a segment %d that can't be its own", recording.id, line.number)
        return False
    recording.manifest = PurePosixPath(line.path).with_name(f"{recording.id}{SUFFIX}").as_posix()
    recording.bytes += line.header_bytes
    session.add(
        RecordingSegment(
            recording_id=recording.id,
            number=line.number,
            path=line.path,
            container=line.container,
            mime=line.mime,
            video=line.video,
            audio=line.audio,
            width=line.width,
            height=line.height,
            started_at=_instant(line.started_at),
            start=line.start,
            seconds=0.0,
            bytes=line.header_bytes,
            is_recovered=False,
        )
    )
    await session.flush()
    return True


async def _grow(session: AsyncSession, recording: Recording, line: FragmentLine) -> bool:
    """Take its growth; gives whether it has outgrown the copy that was listed in its place."""
    segment = await _segment(session, recording, line.segment)
    if segment is None or segment.ended_at is not None:
        return False
    segment.seconds = max(segment.seconds, round(line.start + line.seconds, 6))
    recording.bytes += line.offset + line.length - segment.bytes
    segment.bytes = line.offset + line.length
    recording.seconds = max(recording.seconds, round(segment.start + segment.seconds, 6))
    if recording.covered_by is None or recording.talk_id is None:
        return False
    listed = await session.get(Recording, recording.covered_by)
    if listed is not None and _covers(listed, recording):
        return False
    await _list_one_of(session, recording.talk_id)
    return True


def _note(session: AsyncSession, recording: Recording, ordinal: int, line: GapLine) -> bool:
    session.add(
        RecordingGap(
            recording_id=recording.id,
            ordinal=ordinal,
            kind=line.kind,
            track=line.track,
            since=_instant(line.since),
            until=_instant(line.until),
            packets=line.packets,
        )
    )
    return line.until - line.since >= NOTABLE_GAP_MS


async def _seal(session: AsyncSession, recording: Recording, ordinal: int, head: str, line: Sealed) -> bool:
    segment = await _segment(session, recording, line.segment)
    if segment is None:
        return False
    segment.ended_at = _instant(line.ended_at)
    segment.seconds, segment.bytes, segment.sha256 = line.seconds, line.bytes, line.sha256
    segment.lines, segment.head, segment.is_recovered = ordinal, head, line.is_recovered
    # What a recovery seals may be shorter than what was told before the crash.
    own = RecordingSegment.recording_id == recording.id
    longest, whole = func.max(RecordingSegment.start + RecordingSegment.seconds), func.sum(RecordingSegment.bytes)
    seconds, size = (await session.execute(select(longest, whole).where(own))).one()
    recording.seconds, recording.bytes = round(float(seconds), 6), int(size)
    return True


async def _close(session: AsyncSession, recording: Recording, line: Closed) -> bool:
    recording.ended_at = _instant(line.ended_at)
    recording.seconds = line.seconds
    recording.end_reason = line.reason
    if recording.talk_id is not None:
        await _list_one_of(session, recording.talk_id)
    return True


async def _segment(session: AsyncSession, recording: Recording, number: int) -> RecordingSegment | None:
    segment = await session.get(RecordingSegment, (recording.id, number))
    if segment is None:
        logger.warning("recording %s tells of segment %d, whose beginning isn't known", recording.id, number)
    return segment


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


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
