"""Holds the database against the ledgers: what it says must be what they say.

Where a recording was made (its site), who spoke, and which copy of a talk is listed are the database's own knowledge
and stand in no manifest; everything else of the index is compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from command_center.audit import AuditEntry
from command_center.clock import Clock, now
from command_center.database import Database
from command_center.evidence.manifests import LineReader, Written
from command_center.evidence.store import NotStored, Store, read_all
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from command_center.evidence.verifier import Claims, RecordingReport, Report
from command_center.operations.tables import Feed
from streams.recording.manifest import Closed, FragmentLine, GapLine, Opened, Sealed, SegmentLine
from streams.voice_protocol import operation_of_talk

BATCH = 200
YOUNG = timedelta(minutes=10)
"""A recording begun since then may not be in the index yet."""
TOLERANCE = 1e-5
"""Of seconds that were rounded on their way."""


@dataclass
class Expected:
    """What the first so many lines of a manifest say, as the index has it."""

    feed: str = ""
    recording: dict[str, Any] = field(default_factory=dict)
    segments: dict[int, dict[str, Any]] = field(default_factory=dict)
    gaps: dict[int, dict[str, Any]] = field(default_factory=dict)
    lines: int = 0
    """Of the whole manifest."""
    is_closed: bool = False

    @classmethod
    def of(cls, written: Iterable[Written], lines: int) -> Expected:
        """Put the lines together; those after the first `lines` are only counted."""
        expected = cls()
        for one in written:
            expected.lines = one.ordinal
            expected.is_closed = any(isinstance(line, Closed) for line in one.lines)
            if one.ordinal > lines:
                continue
            for line in one.lines:
                expected._take(one.ordinal, one.head, line)
            expected.recording |= {"lines": one.ordinal, "head": one.head}
        return expected

    def _take(self, ordinal: int, head: str, line: object) -> None:
        if isinstance(line, Opened):
            self._open(line)
        elif isinstance(line, SegmentLine):
            self._begin(line)
        elif isinstance(line, GapLine):
            self.gaps[ordinal] = {
                "kind": line.kind, "track": line.track, "since": _instant(line.since), "until": _instant(line.until),
                "packets": line.packets,
            }  # fmt: skip
        elif isinstance(line, FragmentLine) and line.segment in self.segments:
            self._grow(line, self.segments[line.segment])
        elif isinstance(line, Sealed) and line.segment in self.segments:
            self.segments[line.segment] |= {
                "ended_at": _instant(line.ended_at), "seconds": line.seconds, "bytes": line.bytes,
                "sha256": line.sha256, "lines": ordinal, "head": head, "is_recovered": line.is_recovered,
            }  # fmt: skip
            self._measure(self.segments.values())
        elif isinstance(line, Closed):
            self.recording |= {
                "ended_at": _instant(line.ended_at), "seconds": line.seconds, "end_reason": line.reason,
            }  # fmt: skip

    def _open(self, line: Opened) -> None:
        self.feed = line.feed
        self.recording = {
            "id": line.recording, "node": line.node, "version": line.version, "talk_id": line.talk,
            "started_at": _instant(line.started_at), "ended_at": None, "seconds": 0.0, "bytes": 0, "end_reason": None,
        }  # fmt: skip

    def _begin(self, line: SegmentLine) -> None:
        self.segments[line.number] = {
            "path": line.path, "container": line.container, "mime": line.mime, "video": line.video,
            "audio": line.audio, "width": line.width, "height": line.height, "start": line.start,
            "started_at": _instant(line.started_at), "seconds": 0.0, "bytes": line.header_bytes, "ended_at": None,
            "sha256": None, "lines": None, "head": None, "is_recovered": False,
        }  # fmt: skip
        self.recording["bytes"] += line.header_bytes

    def _grow(self, line: FragmentLine, segment: dict[str, Any]) -> None:
        if segment["ended_at"] is not None:
            return
        self.recording["bytes"] += line.offset + line.length - segment["bytes"]
        segment["bytes"] = line.offset + line.length
        segment["seconds"] = max(segment["seconds"], line.start + line.seconds)
        self.recording["seconds"] = max(self.recording["seconds"], segment["start"] + segment["seconds"])

    def _measure(self, segments: Iterable[Mapping[str, Any]]) -> None:
        self.recording["seconds"] = max(one["start"] + one["seconds"] for one in segments)
        self.recording["bytes"] = sum(one["bytes"] for one in segments)


class DatabaseCheck:
    """Compares, and adds what differs to the report of a verification of the ledgers."""

    def __init__(self, database: Database, store: Store, report: Report, claims: Claims, clock: Clock = now) -> None:
        self._database = database
        self._store = store
        self._report = report
        self._claims = claims
        self._clock = clock

    async def run(self) -> None:
        """Compare everything."""
        await self.audit()
        await self.index()

    async def audit(self) -> None:
        """Hold the audit against the anchors: none of the entries that they tell of may be gone or another."""
        told = self._claims.of("audit")
        for start in range(0, len(told), BATCH):
            batch = told[start : start + BATCH]
            query = select(AuditEntry.sequence, AuditEntry.hash).where(
                AuditEntry.sequence.in_({entry for entry, _, _ in batch})
            )
            async with self._database.read() as session:
                found = {row.sequence: row.hash for row in await session.execute(query)}
            for entry, digest, source in batch:
                if found.get(entry) != digest:
                    self._report.add("audit-not-as-anchored", "", entry=entry, sequence=source.number)

    async def index(self) -> None:
        """Hold the index of recordings against their manifests."""
        known = {one.id: one for one in self._report.recordings}
        last = UUID(int=0)
        while batch := await self._recordings(last):
            last = batch[-1].recording.id
            for row in batch:
                one = known.pop(str(row.recording.id), None)
                if one is None:
                    self._add("database-extra", "recordings", str(row.recording.id))
                else:
                    await self._compare(row, one)
        await self._missing(known)

    async def _recordings(self, after: UUID) -> list[_Row]:
        async with self._database.read() as session:
            query = select(Recording).where(Recording.id > after).order_by(Recording.id).limit(BATCH)
            recordings = list(await session.scalars(query))
            ids = [one.id for one in recordings]
            segments = await _by_recording(session, RecordingSegment, ids)
            gaps = await _by_recording(session, RecordingGap, ids)
            feeds = {
                feed.id: feed
                for feed in await session.scalars(select(Feed).where(Feed.id.in_({one.feed_id for one in recordings})))
            }
            return [
                _Row(one, segments.get(one.id, []), gaps.get(one.id, []), feeds.get(one.feed_id or UUID(int=0)))
                for one in recordings
            ]

    async def _compare(self, row: _Row, one: RecordingReport) -> None:
        identifier = str(row.recording.id)
        try:
            data = await read_all(self._store, one.manifest.removeprefix("recordings/"))
        except NotStored:
            self._add("database-extra", "recordings", identifier)
            return
        expected = Expected.of(LineReader().take(data), row.recording.lines)
        if row.recording.lines > expected.lines:
            self._add("database-row", "recordings", identifier, "lines")
            return
        path = one.manifest.removeprefix("recordings/")
        self._rows("recordings", identifier, row.recording, {**expected.recording, "manifest": path})
        if not _is_of(row, expected.feed):
            self._add("database-row", "recordings", identifier, "feed_id, operation_id")
        self._parts("recording_segments", identifier, {part.number: part for part in row.segments}, expected.segments)
        self._parts("recording_gaps", identifier, {part.ordinal: part for part in row.gaps}, expected.gaps)
        if expected.is_closed and row.recording.lines < expected.lines:
            self._report.add("database-behind", identifier, lines=expected.lines - row.recording.lines)

    def _parts(
        self, table: str, identifier: str, rows: Mapping[int, object], expected: Mapping[int, Mapping[str, Any]]
    ) -> None:
        for number in sorted(rows.keys() | expected.keys()):
            where = f"{identifier} {number}"
            if number not in expected:
                self._add("database-extra", table, where)
            elif number not in rows:
                self._add("database-missing", table, where)
            else:
                self._rows(table, where, rows[number], expected[number])

    def _rows(self, table: str, where: str, row: object, expected: Mapping[str, Any]) -> None:
        differing = [name for name, value in expected.items() if not _is_same(getattr(row, name), value)]
        if differing:
            self._add("database-row", table, where, ", ".join(differing))

    async def _missing(self, known: Mapping[str, RecordingReport]) -> None:
        """Of the manifests without a row: a device that no operation knows isn't listed, a young one not yet."""
        names = {one.feed for one in known.values()}
        async with self._database.read() as session:
            registered = set(await session.scalars(select(Feed.name).where(Feed.name.in_(names)))) if names else set()
        for one in known.values():
            if one.feed not in registered and operation_of_talk(one.feed) is None:
                continue
            if _instant(one.started_at) > self._clock() - YOUNG:
                self._report.add("database-behind", one.id, lines=one.lines)
            else:
                self._add("database-missing", "recordings", one.id)

    def _add(self, code: str, table: str, where: str, fields: str = "") -> None:
        self._report.add(code, where, table=table, **({"fields": fields} if fields else {}))


@dataclass(frozen=True)
class _Row:
    recording: Recording
    segments: Sequence[RecordingSegment]
    gaps: Sequence[RecordingGap]
    feed: Feed | None


Part = TypeVar("Part", RecordingSegment, RecordingGap)


async def _by_recording(session: AsyncSession, table: type[Part], ids: Sequence[UUID]) -> dict[UUID, list[Part]]:
    found: dict[UUID, list[Part]] = {}
    for part in await session.scalars(select(table).where(table.recording_id.in_(ids))):
        found.setdefault(part.recording_id, []).append(part)
    return found


def _is_of(row: _Row, feed: str) -> bool:
    """Whether the row is of the feed and the operation that the manifest names."""
    if row.recording.feed_id is None:
        return operation_of_talk(feed) == row.recording.operation_id
    return row.feed is not None and row.feed.name == feed and row.feed.operation_id == row.recording.operation_id


def _is_same(found: object, expected: object) -> bool:
    if isinstance(found, float) and isinstance(expected, float | int):
        return math.isclose(found, expected, abs_tol=TOLERANCE)
    return found == expected


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
