"""One time line for each feed of an operation: what is recorded, what is missing, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Permission
from command_center.accounts.tables import User
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.gone import gone
from command_center.evidence.spans import GRAVITY, Missing, Run, Span, spans
from command_center.evidence.tables import Recording, RecordingGap
from command_center.operations.scope import must, visible_operation
from command_center.operations.tables import Feed, Operation, Site
from streams.hub.topics import FeedCause, FeedPhase, FeedState
from streams.recording.manifest import GapKind

AFTER: dict[str, GapKind] = {
    "ended": "officer",
    "camera": "camera",
    "revoked": "officer",
    "network": "network",
    "node": "node",
    "disk": "disk_failed",
    "codec": "network",
    "length": "network",
}
"""Why there is nothing between a recording that ended so and the next, unless a manifest knows better."""
OF_CAUSE: dict[FeedCause, GapKind] = {
    FeedCause.NETWORK: "network",
    FeedCause.CAMERA: "camera",
    FeedCause.OFFICER: "officer",
    FeedCause.REVOKED: "officer",
    FeedCause.NODE: "node",
}
FRESH_MS = 5_000
"""The index may be so far behind a recording that grows; nothing is missing then."""
SEAM_MS = 50
"""So much may be between a recording of full length and the next, which went on at once: instants are rounded."""
SILENCE_MS = 1_000
"""A camera's sound may be missing for so long without being told of: its pictures go on."""
SILENT_ENDS = ("ended", "revoked")
"""After these nobody waits for more."""


class LiveFeeds(Protocol):
    """What is known of feeds at this moment."""

    def feed(self, name: str) -> FeedState | None:
        """What its node said last."""

    def node_lost_at(self, name: str) -> int | None:
        """When the node that carries it was found missing; None while it is there."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The time line of one feed, or of what one person said from the centre. Instants are Unix ms."""

    feed: str
    kind: Literal["camera", "voice"]
    officer_id: UUID | None
    officer: str
    site_ordinal: int
    site_zh: str
    site_en: str
    spans: tuple[Span, ...]
    silences: tuple[Missing, ...] = ()
    """Where only a camera's sound is missing, for a second and more, by when it began."""

    @property
    def covered_ms(self) -> int:
        """How much is recorded."""
        return sum(span.until - span.since for span in self.spans if span.kind == "covered")

    @property
    def gaps_ms(self) -> dict[str, int]:
        """How much is missing, by kind; with `covered_ms` it makes the whole time of the lane."""
        found: dict[str, int] = {}
        for span in self.spans:
            if span.kind != "covered":
                found[span.kind] = found.get(span.kind, 0) + span.until - span.since
        return found


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The lanes of an operation, site by site, those of the centre's voice last."""

    since: int
    until: int
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """Whose recordings make one lane."""

    operation: Operation
    feed: Feed | None
    site: Site | None
    officer: User | None


class TimeLines:
    """The time lines of the operations that a person may see."""

    def __init__(self, database: Database, live: LiveFeeds, clock: Clock = now) -> None:
        self._database = database
        self._live = live
        self._clock = clock

    async def of(
        self, identity: Identity, operation_id: UUID, *, since: int | None = None, until: int | None = None
    ) -> TimeLine:
        """The time line of an operation, or of its part between two instants (Unix ms).

        A lane begins with the feed's first recorded moment. It ends with its last, or now where more is waited for:
        what doesn't come then is an open gap.

        Raises:
            NotPermitted: the role doesn't see operations.
            NotFound: there is no such operation, or none that this person may see.
        """
        must(identity, Permission.SEE_OPERATIONS)
        async with self._database.read() as session:
            operation = await visible_operation(session, identity, operation_id)
            grouped = await _recordings(session, operation)
            gaps = await _gaps(session, operation_id, since, until)
            silences = await _silences(session, operation_id, since, until)
            deleted = set(await gone(session, [one.id for _, recordings in grouped for one in recordings]))
        waited = [(source, recordings, self._tail(source, _newest(recordings))) for source, recordings in grouped]
        # A long operation on bad lines has tens of thousands of gaps.
        lanes = await asyncio.to_thread(self._lanes, waited, (gaps, silences), deleted, since, until)
        begins = [lane.spans[0].since for lane in lanes]
        ends = [lane.spans[-1].until for lane in lanes]
        at = _ms(self._clock())
        return TimeLine(
            since=since if since is not None else min(begins, default=at),
            until=until if until is not None else max(ends, default=at),
            lanes=tuple(lanes),
        )

    def _lanes(
        self,
        waited: Sequence[tuple[_Source, Sequence[Recording], GapKind | None]],
        rows: tuple[Sequence[GapRow], Sequence[GapRow]],
        deleted: Collection[UUID],
        since: int | None,
        until: int | None,
    ) -> list[Lane]:
        gaps, silent = _missing(rows[0]), _missing(rows[1])
        found = []
        for source, recordings, tail in waited:
            lane = self._lane(source, recordings, tail, gaps, since, until)
            if lane is not None:
                told = [one for each in recordings for one in silent.get(each.id, ()) if _is_told(one)]
                found.append(replace(lane, silences=tuple(sorted(told, key=lambda one: one.since))))
        return sorted((_without(lane, deleted) for lane in found), key=_place)

    def _lane(
        self,
        source: _Source,
        recordings: Sequence[Recording],
        tail: GapKind | None,
        gaps: Mapping[UUID, Sequence[Missing]],
        since: int | None,
        until: int | None,
    ) -> Lane | None:
        newest = _newest(recordings)
        runs = [_run(one, tail if one is newest else None, is_voice=source.feed is None) for one in recordings]
        begin, end = min(run.since for run in runs), max(run.until for run in runs)
        if tail is not None:
            end = max(end, _horizon(source.operation, _ms(self._clock())))
        begin, end = max(begin, since or begin), min(end, end if until is None else until)
        if begin >= end:
            return None
        told = [gap for one in recordings for gap in gaps.get(one.id, ())]
        site, officer = source.site, source.officer
        return Lane(
            feed="" if source.feed is None else source.feed.name,
            kind="voice" if source.feed is None else "camera",
            officer_id=None if officer is None else officer.id,
            officer="" if officer is None else officer.display_name,
            site_ordinal=0 if site is None else site.ordinal,
            site_zh="" if site is None else site.name_zh,
            site_en="" if site is None else site.name_en,
            spans=tuple(spans(_joined(runs, recordings), told, begin, end)),
        )

    def _tail(self, source: _Source, newest: Recording) -> GapKind | None:
        """Why nothing has come since its newest recording; None where nothing more is waited for, or missing yet."""
        feed = source.feed
        if feed is None or feed.revoked_at is not None:
            return None
        if _horizon(source.operation, _ms(self._clock())) - _end(newest) <= FRESH_MS:
            return None
        state = self._live.feed(feed.name)
        if self._live.node_lost_at(feed.name) is not None:
            return "node"
        if newest.ended_at is None:
            return _of_one_under_way(state)
        return _of_one_ended(newest.end_reason or "ended", state)


def _without(lane: Lane, deleted: Collection[UUID]) -> Lane:
    """The lane without what was deleted since."""
    if not deleted:
        return lane
    return replace(
        lane,
        spans=tuple(
            replace(span, kind="deleted") if span.kind == "covered" and span.recording in deleted else span
            for span in lane.spans
        ),
    )


def _of_one_under_way(state: FeedState | None) -> GapKind | None:
    """Why a recording without an end doesn't grow."""
    if state is None:
        return "node"
    if state.recording_trouble is not None:
        return state.recording_trouble
    if state.phase is FeedPhase.ENDED or (state.phase is FeedPhase.LIVE and state.recording):
        # Its end, or what it has grown by, is on its way to the index.
        return None
    return "network" if state.cause is None else OF_CAUSE[state.cause]


def _of_one_ended(reason: str, state: FeedState | None) -> GapKind | None:
    """Why there is no other recording after one that ended so."""
    if state is not None and state.phase is not FeedPhase.ENDED and state.recording_trouble is not None:
        return state.recording_trouble
    if reason in SILENT_ENDS:
        return None
    if state is None:
        return AFTER[reason]
    if state.phase is FeedPhase.ENDED and state.cause in (None, FeedCause.OFFICER, FeedCause.REVOKED):
        return None
    return AFTER[reason] if state.cause is None else OF_CAUSE[state.cause]


def _newest(recordings: Sequence[Recording]) -> Recording:
    return max(recordings, key=lambda one: (one.started_at, one.id))


def _horizon(operation: Operation, at: int) -> int:
    """Until when its feeds were waited for."""
    return at if operation.ended_at is None else min(at, _ms(operation.ended_at))


def _run(recording: Recording, tail: GapKind | None, *, is_voice: bool) -> Run:
    # Whoever spoke had ended; between talks nothing was lost.
    after = "officer" if is_voice else tail or AFTER.get(recording.end_reason or "node", "node")
    return Run(recording.id, _ms(recording.started_at), _end(recording), after)


def _joined(runs: Sequence[Run], recordings: Sequence[Recording]) -> list[Run]:
    """Recordings of full length reach to the next, which went on at once."""
    starts = sorted(run.since for run in runs)
    joined = []
    for run, recording in zip(runs, recordings, strict=True):
        following = next((start for start in starts if start >= run.until), None)
        is_seam = recording.end_reason == "length" and following is not None and following - run.until <= SEAM_MS
        joined.append(Run(run.recording, run.since, following, run.after) if is_seam and following is not None else run)
    return joined


def _end(recording: Recording) -> int:
    return _ms(recording.started_at) + round(recording.seconds * 1000)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _place(lane: Lane) -> tuple[bool, int, str, str]:
    return lane.kind == "voice", lane.site_ordinal, lane.feed, str(lane.officer_id)


async def _recordings(session: AsyncSession, operation: Operation) -> list[tuple[_Source, list[Recording]]]:
    """The operation's recordings, feed by feed, and speaker by speaker."""
    query = (
        select(Recording)
        .where(Recording.operation_id == operation.id, Recording.covered_by.is_(None))
        .order_by(Recording.started_at, Recording.id)
    )
    by_source: dict[tuple[UUID | None, UUID | None], list[Recording]] = {}
    for recording in await session.scalars(query):
        by_source.setdefault((recording.feed_id, recording.speaker_id), []).append(recording)
    own = select(Feed, Site, User).join(Site, Site.id == Feed.site_id).join(User, User.id == Feed.officer_id)
    rows = await session.execute(own.where(Feed.operation_id == operation.id))
    feeds = {feed.id: _Source(operation, feed, site, officer) for feed, site, officer in rows}
    speaker_ids = [speaker for _, speaker in by_source if speaker is not None]
    speakers = {user.id: user for user in await session.scalars(select(User).where(User.id.in_(speaker_ids)))}
    return [
        (
            feeds[feed_id]
            if feed_id is not None
            else _Source(operation, None, None, None if speaker_id is None else speakers.get(speaker_id)),
            recordings,
        )
        for (feed_id, speaker_id), recordings in by_source.items()
    ]


GapRow = tuple[UUID, str, datetime, datetime]


async def _gaps(session: AsyncSession, operation_id: UUID, since: int | None, until: int | None) -> list[GapRow]:
    """What is told to be missing of the pictures, or of a voice."""
    is_camera = Recording.feed_id.is_not(None)
    is_of_it = or_(RecordingGap.track == "both", RecordingGap.track == case((is_camera, "video"), else_="audio"))
    return await _told(session, operation_id, is_of_it, since, until)


async def _silences(session: AsyncSession, operation_id: UUID, since: int | None, until: int | None) -> list[GapRow]:
    """What is told to be missing of the sound of cameras alone."""
    is_sound = and_(RecordingGap.track == "audio", Recording.feed_id.is_not(None))
    return await _told(session, operation_id, is_sound, since, until)


async def _told(
    session: AsyncSession, operation_id: UUID, wanted: ColumnElement[bool], since: int | None, until: int | None
) -> list[GapRow]:
    query = (
        select(RecordingGap.recording_id, RecordingGap.kind, RecordingGap.since, RecordingGap.until)
        .join(Recording, Recording.id == RecordingGap.recording_id)
        .where(Recording.operation_id == operation_id, Recording.covered_by.is_(None), wanted)
    )
    if since is not None:
        query = query.where(RecordingGap.until > _instant(since))
    if until is not None:
        query = query.where(RecordingGap.since < _instant(until))
    return [(recording, kind, begin, end) for recording, kind, begin, end in await session.execute(query)]


def _is_told(silence: Missing) -> bool:
    return silence.until - silence.since >= SILENCE_MS


def _missing(rows: Sequence[GapRow]) -> dict[UUID, list[Missing]]:
    """By recording."""
    found: dict[UUID, list[Missing]] = {}
    for recording_id, told, since, until in rows:
        kind = next((one for one in GRAVITY if one == told), GRAVITY[-1])
        found.setdefault(recording_id, []).append(Missing(recording_id, kind, _ms(since), _ms(until)))
    return found


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
