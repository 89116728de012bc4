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
from command_center.database import Database
from command_center.evidence.index import index_events
from command_center.evidence.recordings import Recordings
from command_center.evidence.store_local import LocalStore
from command_center.operations.tables import Feed, Operation, Site
from tests.support.manifests import START_MS, Codec, make_recording
from tests.support.recordings import recordings_of
from tests.support.records import sqlite_records

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
        self, seconds: float = 4.0, *, codec: Codec = "H264", feed: str = "feed-1", begins: float = 0.0
    ) -> UUID:
        """A recording of a clip in two segments, indexed by what its node told; gives the recording's id."""
        made = make_recording(self.root, feed, seconds=(seconds / 2, seconds / 2), codec=codec, begins=begins)
        await index_events(self.database, made.events)
        return made.recording


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The records and an empty store."""
    database = Database(sqlite_records(tmp_path))
    yield await make_world(database, tmp_path)
    await database.close()


@pytest.fixture
async def each_world(records: Database, tmp_path: Path) -> World:
    """The same, once with each kind of database."""
    return await make_world(records, tmp_path)


async def make_world(database: Database, folder: Path) -> World:
    """Fill empty records, and make the store in that folder."""
    city = Court(id=uuid4(), code="内01", name_zh="市中院", name_en="City court")
    district = Court(id=uuid4(), code="内0102", name_zh="区法院", name_en="District court", parent_id=city.id)
    people = [_user(city, Role.JUDGE), _user(district, Role.JUDGE), _user(city, Role.OFFICER)]
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
    root = folder / "recordings"
    root.mkdir()
    return World(
        database=database,
        root=root,
        recordings=recordings_of(database, LocalStore(root)),
        operation=first.id,
        other_operation=second.id,
        city=_identity(people[0], {city.id, district.id}),
        district=_identity(people[1], {district.id}),
        officer=_identity(people[2], {city.id}),
        feed_id=feeds[0][1].id,
    )


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
