"""Two courts with an operation each, feeds in them, and a store of real recordings."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.accounts.tables import Court, User
from command_center.audit import Audit
from command_center.database import Database
from command_center.evidence.index import index_events
from command_center.evidence.recordings import Recordings
from command_center.operations.tables import Feed, Operation, Site
from streams.recording.events import RecordingEvent
from streams.recording.writer import Counters, FeedWriter
from tests.streams.recording.publisher import H264, OPUS, VP8, Publisher, clip, tone
from tests.support.records import sqlite_records

START_MS = 1_800_000_000_000
START = datetime.fromtimestamp(START_MS / 1000, UTC)


@dataclass
class World:
    """What the tests act on. `city` sees both courts, `district` its own only."""

    database: Database
    root: Path
    recordings: Recordings
    operation: UUID
    other_operation: UUID
    city: Identity
    district: Identity
    officer: Identity
    feed: str = "feed-1"
    feed_id: UUID | None = None

    async def record(
        self, seconds: float = 4.0, *, codec: str = "H264", feed: str = "feed-1", begins: float = 0.0
    ) -> UUID:
        """Record a clip for real and index what the recorder told; return the recording's id."""
        events = write_recording(self.root, seconds, codec=codec, feed=feed, begins=begins)
        await index_events(self.database, events)
        return events[0].recording


def write_recording(
    root: Path,
    seconds: float = 4.0,
    *,
    codec: str = "H264",
    feed: str = "feed-1",
    begins: float = 0.0,
    node: str = "node-1",
    talk: UUID | None = None,
) -> list[RecordingEvent]:
    """A recording of a clip, closed; what the recorder told of it."""
    events: list[RecordingEvent] = []
    video = H264 if codec == "H264" else VP8
    writer = FeedWriter(root, node, feed, [video, OPUS], Counters(), events.append, lambda: None, talk)
    publisher = Publisher([*clip(codec, seconds), *tone(seconds)])  # type: ignore[arg-type]
    publisher.start_ns = (START_MS + round(begins * 1000)) * 1_000_000
    publisher.video_payload_type = video.codec.payload_type
    for packet in publisher.packets():
        writer.take(packet)
    writer.close("ended")
    return events


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The records and an empty store."""
    database = Database(sqlite_records(tmp_path))
    city = Court(id=uuid4(), code="内01", name_zh="市中院", name_en="City court")
    district = Court(id=uuid4(), code="内0102", name_zh="区法院", name_en="District court", parent_id=city.id)
    people = [_user(city, Role.SUPERVISOR), _user(district, Role.SUPERVISOR), _user(city, Role.OFFICER)]
    first, second = _operation(city, people[0]), _operation(district, people[1])
    feeds = []
    for number, operation in enumerate((first, first, second), start=1):
        site = _site(operation, number)
        feed = Feed(
            id=uuid4(), name=f"feed-{number}", operation_id=operation.id, site_id=site.id, officer_id=people[2].id,
            device=f"phone-{number}", created_at=START,
        )  # fmt: skip
        feeds.append((site, feed))
    async with database.write() as session:
        for row in itertools.chain([city, district], people, [first, second], *feeds):
            session.add(row)
            await session.flush()
    root = tmp_path / "recordings"
    root.mkdir()
    yield World(
        database=database,
        root=root,
        recordings=Recordings(database, Audit(), root),
        operation=first.id,
        other_operation=second.id,
        city=_identity(people[0], {city.id, district.id}),
        district=_identity(people[1], {district.id}),
        officer=_identity(people[2], {city.id}),
        feed_id=feeds[0][1].id,
    )
    await database.close()


def _user(court: Court, role: Role) -> User:
    identifier = uuid4()
    return User(
        id=identifier, court_id=court.id, username=f"user-{identifier}", display_name="巴特尔", role=role.value,
        password_hash="-", created_at=START,
    )  # fmt: skip


def _operation(court: Court, commander: User) -> Operation:
    return Operation(
        id=uuid4(), court_id=court.id, name_zh="春雷", name_en="Spring Thunder", case_number="（2026）内01执1号",
        commander_id=commander.id, starts_at=START,
    )  # fmt: skip


def _site(operation: Operation, ordinal: int) -> Site:
    return Site(
        id=uuid4(), operation_id=operation.id, ordinal=ordinal, name_zh=f"第{ordinal}现场", name_en=f"Site {ordinal}",
        district_zh="新城区", district_en="Xincheng", latitude=40.84, longitude=111.7,
    )  # fmt: skip


def _identity(user: User, courts: set[UUID]) -> Identity:
    return Identity(
        user_id=user.id, session_id=uuid4(), username=user.username, display_name=user.display_name,
        role=Role(user.role), court_id=user.court_id, court_ids=frozenset(courts),
    )  # fmt: skip
