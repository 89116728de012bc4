"""An operation of two cameras with recordings, positions, instructions and a journal, full of personal data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from command_center.accounts.tables import User
from command_center.audit import Audit
from command_center.clock import Clock, now
from command_center.config import Settings
from command_center.database import Database
from command_center.evidence.exports.builder import Builder, Progress, Result
from command_center.evidence.exports.findings import Findings, find
from command_center.evidence.exports.gathering import Places
from command_center.evidence.exports.originals import Originals
from command_center.evidence.exports.plan import PACKAGE_FILE, Wanted
from command_center.evidence.index import index_events
from command_center.evidence.store_tiered import store_of
from command_center.operations.tables import Delivery, Feed, Instruction, PositionRecord
from streams.ledger import Signer, make_signer
from streams.recording.manifest import GapLine
from tests.command_center.evidence.conftest import START, START_MS, World, make_world
from tests.support.manifests import NODE_KEY, make_recording
from tests.support.proof import COURT_KEY, Noted, lay_anchor, lay_journal, lay_keys
from tests.support.records import sqlite_records

ID, PHONE, CARD, NAME = "150105199001010018", "13800138000", "6217000060000000008", "乌兰图雅"
SECRETS = (ID, PHONE, CARD)


@dataclass
class Case:
    """An operation that is ready to be exported, and where its packages are built."""

    world: World
    data: Path
    manifests: list[Path] = field(default_factory=list)

    def wanted(self, seconds: float = 8.0, *, begins: float = -1.0, feeds: tuple[str, ...] = ("feed-1", "feed-2"),
               is_masked: bool = True) -> Wanted:  # fmt: skip
        """An export that begins a second before the first recording."""
        since = START_MS + round(begins * 1000)
        return Wanted(
            job=UUID(int=7),
            operation=self.world.operation,
            requested_by=self.world.city.user_id,
            purpose="appeal",
            reason="",
            since=since,
            until=since + round(seconds * 1000),
            feeds=feeds,
            is_masked=is_masked,
            at=START_MS + 3_600_000,
        )

    def signer(self) -> Signer:
        """The court's."""
        return make_signer(self.data / "keys" / COURT_KEY)

    def build(self, wanted: Wanted, name: str = "work") -> Path:
        """Build the package here and now; its path."""
        build_package(
            self.data, wanted, self.data / "exports" / name, f"sqlite+aiosqlite:///{self.data}/records.sqlite3"
        )
        return self.data / "exports" / name / PACKAGE_FILE


def build_package(
    data: Path,
    wanted: Wanted,
    work: Path,
    records: str,
    *,
    reserve_bytes: int = 0,
    patience_seconds: float = 0.0,
    progress: Progress = lambda done, whole: None,
    settings: Settings | None = None,
    clock: Clock = now,
) -> Result:
    """Build a package as the exports' process does, in a thread of its own."""
    with asyncio.Runner() as runner:
        database = Database(records)
        store = store_of(settings or Settings(data=data), database)

        def findings() -> Findings:
            return runner.run(find(database, wanted))

        builder = Builder(
            Places(data, work),
            Originals(store, runner),
            lambda: make_signer(data / "keys" / COURT_KEY),
            reserve_bytes=reserve_bytes,
            patience_seconds=patience_seconds,
            clock=clock,
        )
        try:
            return builder.build(wanted, findings, progress)
        finally:
            runner.run(store.close())
            runner.run(database.close())


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    """Two cameras of 6 and 4 seconds with a gap of network between; planted personal data everywhere."""
    database = Database(sqlite_records(tmp_path))
    world = await make_world(database, tmp_path)
    gap = GapLine(kind="network", track="both", since=START_MS + 3000, until=START_MS + 4500)
    recordings = [
        make_recording(world.root, "feed-1", seconds=(2.0, 1.0), reason="network"),
        make_recording(world.root, "feed-1", seconds=(2.0,), begins=4.5),
        make_recording(world.root, "feed-2", seconds=(2.0, 2.0), codec="VP8", gaps=[gap]),
    ]
    for made in recordings:
        await index_events(database, made.events)
    court = lay_keys(tmp_path, {"node-1": NODE_KEY}, START_MS - 60_000)
    lay_journal(tmp_path, court, world.operation, _entries(), START_MS + 60_000)
    manifests = [made.manifest for made in recordings]
    lay_anchor(tmp_path, court, world.operation, manifests, START_MS + 120_000)
    await _fill(world)
    yield Case(world, tmp_path, manifests)
    await database.close()


def _entries() -> list[Noted]:
    bodies = [
        ("positions", {"feed": "feed-1", "points": [[START_MS, 40.84, 111.7]]}),
        ("instruction", {"number": 1, "text": f"核对{NAME}身份证{ID}"}),
        ("asset", {"action": "freeze", "account": CARD, "state": "answered"}),
        ("alarm", {"kind": "clock", "text": f"电话 {PHONE[:3]} {PHONE[3:7]}-{PHONE[7:]}"}),
        ("camera", {"feed": "feed-1", "state": "live"}),
    ]
    return [Noted(number, START_MS + number * 100, kind, body) for number, (kind, body) in enumerate(bodies, start=1)]


async def _fill(world: World) -> None:
    async with world.database.write() as session:
        person = await session.get_one(User, world.officer.user_id)
        person.display_name = NAME
        for second in range(6):
            at = START + timedelta(seconds=second)
            session.add(
                PositionRecord(
                    id=uuid4(), feed_id=world.feed_id, latitude=40.84 + second / 1e4, longitude=111.7, accuracy_m=5.0,
                    taken_at=at, received_at=at, clock_offset_ms=0, road="webrtc",
                )
            )  # fmt: skip
        for number, text in enumerate((f"查询{NAME}名下账户 {CARD}", f"联系人 {PHONE}，证件{ID}"), start=1):
            instruction = Instruction(
                id=uuid4(), operation_id=world.operation, number=number, sender_id=world.city.user_id, scope="officer",
                officer_id=world.officer.user_id, priority="urgent", text=text, idempotency_key=uuid4(),
                issued_at=START + timedelta(seconds=number),
            )  # fmt: skip
            session.add(instruction)
            await session.flush()
            session.add(
                Delivery(
                    instruction_id=instruction.id, operation_id=world.operation, officer_id=world.officer.user_id,
                    sequence=number, state="refused", reason=f"身份证号 {ID[:6]} {ID[6:14]} {ID[14:]} 不符",
                    sent_at=instruction.issued_at, answered_at=instruction.issued_at,
                )
            )  # fmt: skip
        await session.flush()
        await Audit().record(
            session, actor=world.officer.user_id, court_id=world.city.court_id, action="recording.viewed",
            subject_type="operation", subject_id=str(world.operation), details={"purpose": "complaint"},
        )  # fmt: skip
        feed = await session.get_one(Feed, world.feed_id)
        assert feed.name == "feed-1"
