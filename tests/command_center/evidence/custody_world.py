"""Two courts with an operation each, everybody who has to do with custody, and recordings with their files."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from command_center.accounts.identity import Identity
from command_center.accounts.permissions import Role
from command_center.accounts.tables import Court, User
from command_center.audit import Audit, AuditEntry
from command_center.database import Database, new_id
from command_center.evidence.custody import Custody
from command_center.evidence.deletions import Deletions
from command_center.evidence.denials import Denials
from command_center.evidence.disposal import Disposal
from command_center.evidence.exports.plan import PACKAGE_FILE
from command_center.evidence.exports.tables import ExportJob, ExportState
from command_center.evidence.exports.withdrawals import Withdrawals
from command_center.evidence.recordings import Recordings
from command_center.evidence.retention import Retention
from command_center.evidence.retention_rules import Periods
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tables import Recording, RecordingSegment
from command_center.evidence.timeline import TimeLines
from command_center.evidence.tombstones import FILE, Tombstones
from command_center.journal import Journal
from command_center.operations.tables import Feed, Operation, Site
from streams.ledger import Chain, Signer, make_signer
from streams.recording.manifest import LEDGER, Closed, FragmentLine, Line, Opened, Sealed, SegmentLine

START = datetime(2026, 3, 1, 1, tzinfo=UTC)
YEARS_LATER = START + timedelta(days=4 * 366)
PERIODS = Periods(184, 1095, 0)
DELAY = timedelta(hours=24)
FEED = "feed-1"


class NothingLive:
    """No feed is on the air."""

    def feed(self, name: str) -> None:
        """Nothing is known of it."""

    def node_lost_at(self, name: str) -> None:
        """Nor of its node."""


@dataclass
class CustodyWorld:
    """The services on one database, a store with files, and a clock that the test sets."""

    database: Database
    data: Path
    at: datetime = YEARS_LATER
    seconds: float = 0.0
    """Of the monotonic clock."""
    people: dict[str, Identity] = field(default_factory=dict)
    operation: UUID = field(default_factory=new_id)
    district_operation: UUID = field(default_factory=new_id)
    feed_id: UUID = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self.audit = Audit(self.clock)
        self.store = LocalStore(self.data / "recordings")
        self.court_key: Signer = make_signer(self.data / "keys" / "court-signing.pem")
        self.node_key: Signer = make_signer(self.data / "keys" / "recording-node-1.pem")
        self.tombstones = Tombstones(self.data / FILE, lambda: nullcontext(self.court_key), self.clock)
        self.denials = Denials(self.database, self.audit, lambda: self.seconds)
        self.custody = Custody(self.database, self.audit, self.denials, self.clock)
        self.retention = Retention(self.database, self.audit, self.denials, PERIODS, self.clock)
        self.packages = self.data / "exports"
        self.deletions = Deletions(
            self.database, self.audit, self.denials, PERIODS, exports=self.packages, delay=DELAY, clock=self.clock
        )
        self.disposal = self.new_disposal()
        self.recordings = Recordings(self.database, self.audit, self.store, self.custody, self.denials, self.clock)
        self.timelines = TimeLines(self.database, NothingLive(), self.clock)

    def write_keys(self) -> None:
        """The key ring: the court's key, signed by itself, and the node's."""
        chain = Chain("keys/1")
        at = int((START - timedelta(days=1)).timestamp() * 1000)
        lines = [
            chain.line(
                {"type": "key", "at": at, "key": key.id, "public": key.public.hex(), "owner": owner, "replaces": None},
                self.court_key,
            )
            for key, owner in ((self.court_key, "court"), (self.node_key, "node:node-1"))
        ]
        (self.data / "proof").mkdir(exist_ok=True)
        (self.data / "proof" / "keys.jsonl").write_bytes(b"".join(lines))

    def new_disposal(self) -> Disposal:
        """As another process of the worker would have it."""
        return Disposal(
            self.database,
            self.audit,
            Journal(self.clock),
            self.store,
            self.tombstones,
            Withdrawals(self.database, self.audit, self.packages, self.clock),
            PERIODS,
            self.clock,
        )

    def clock(self) -> datetime:
        """The time of these tests."""
        return self.at

    async def entries(self, *actions: str) -> list[AuditEntry]:
        """What the audit holds of these actions, in order."""
        query = select(AuditEntry).where(AuditEntry.action.in_(actions)).order_by(AuditEntry.sequence)
        async with self.database.read() as session:
            return list(await session.scalars(query))

    async def record(
        self, *, segments: int = 3, ended_at: datetime | None = START, operation: UUID | None = None
    ) -> UUID:
        """A recording with its signed manifest, its files and its row in the index."""
        recording = new_id()
        started = int((START - timedelta(minutes=segments)).timestamp() * 1000)
        folder = f"{FEED}/2026-03-01"
        (self.store.root / folder).mkdir(parents=True, exist_ok=True)
        chain = Chain(LEDGER)
        lines = [self._line(chain, Opened(recording=recording, feed=FEED, node="node-1", started_at=started))]
        rows = []
        for number in range(1, segments + 1):
            path = f"{folder}/{recording}-{number:04}.mp4"
            header, body = b"header", f"{recording} {number}".encode() * 50
            (self.store.root / path).write_bytes(header + body)
            begun = {"number": number, "path": path, "container": "mp4", "video": "H264", "audio": None}
            lines += [
                self._line(
                    chain,
                    SegmentLine(
                        **begun, mime="video/mp4", started_at=started, start=60.0 * (number - 1),
                        header_bytes=len(header), header_sha256=_sha256(header),
                    ),
                ),
                self._line(
                    chain,
                    FragmentLine(
                        segment=number, number=0, offset=len(header), length=len(body), sha256=_sha256(body),
                        start=0.0, seconds=60.0, at=started + 60_000 * (number - 1), is_key=True,
                    ),
                ),
                self._line(
                    chain,
                    Sealed(
                        segment=number, ended_at=started + 60_000 * number, seconds=60.0,
                        bytes=len(header + body), sha256=_sha256(header + body), fragments=1,
                    ),
                ),
            ]  # fmt: skip
            rows.append(
                RecordingSegment(
                    recording_id=recording, **begun, mime="video/mp4", width=1280, height=720, started_at=START,
                    start=60.0 * (number - 1), seconds=60.0, bytes=len(header + body),
                    ended_at=START, sha256=_sha256(header + body),
                )
            )  # fmt: skip
        if ended_at is not None:
            ended = Closed(
                reason="ended", ended_at=started + 60_000 * segments, seconds=60.0 * segments, segments=segments
            )
            lines.append(self._line(chain, ended))
        manifest = f"{folder}/{recording}.jsonl"
        (self.store.root / manifest).write_bytes(b"".join(lines))
        async with self.database.write() as session:
            session.add(
                Recording(
                    id=recording, feed_id=self.feed_id, operation_id=operation or self.operation, node="node-1",
                    manifest=manifest, version=2, started_at=START - timedelta(minutes=segments), ended_at=ended_at,
                    seconds=60.0 * segments, bytes=1, lines=chain.head.lines, head=chain.head.hash,
                )
            )  # fmt: skip
            await session.flush()
            session.add_all(rows)
        return recording

    def _line(self, chain: Chain, line: Line) -> bytes:
        is_signed = isinstance(line, Sealed | Closed)
        return chain.line(line.model_dump(mode="json"), self.node_key if is_signed else None)

    async def export(self, state: ExportState = ExportState.DONE, feeds: tuple[str, ...] = (FEED,)) -> UUID:
        """An export of the hour before `START`, in that state and with its folder."""
        async with self.database.write() as session:
            job = ExportJob(
                operation_id=self.operation, requested_by=self.people["commander"].user_id, purpose="appeal",
                since=START - timedelta(hours=1), until=START, feeds=list(feeds), idempotency_key=new_id(),
                requested_at=self.at, state=state.value, sha256="0" * 64, bytes=7,
            )  # fmt: skip
            session.add(job)
            await session.flush()
            job_id = job.id
        (self.packages / str(job_id)).mkdir(parents=True)
        (self.packages / str(job_id) / PACKAGE_FILE).write_bytes(b"package")
        return job_id

    async def export_states(self) -> dict[UUID, ExportState]:
        """How all exports stand."""
        async with self.database.read() as session:
            return {job.id: ExportState(job.state) for job in await session.scalars(select(ExportJob))}

    def files(self, recording: UUID) -> list[str]:
        """Which of its files are there."""
        return sorted(path.name for path in self.store.root.rglob(f"{recording}-*.mp4"))


async def new_custody_world(database: Database, data: Path) -> CustodyWorld:
    """Seed it in a database that has the tables and nothing in them."""
    world = CustodyWorld(database, data)
    city = Court(id=new_id(), code="内01", name_zh="市中院", name_en="City court")
    district = Court(id=new_id(), code="内0105", name_zh="区法院", name_en="District court", parent_id=city.id)
    async with database.write() as session:
        session.add(city)
        await session.flush()
        session.add(district)
        await session.flush()
        for name, role, court in (
            ("supervisor", Role.SUPERVISOR, city),
            ("other-supervisor", Role.SUPERVISOR, city),
            ("approver", Role.APPROVER, city),
            ("commander", Role.COMMANDER, city),
            ("judge", Role.JUDGE, city),
            ("officer", Role.OFFICER, city),
            ("auditor", Role.AUDIT_ADMINISTRATOR, city),
            ("district-supervisor", Role.SUPERVISOR, district),
            ("district-approver", Role.APPROVER, district),
        ):
            user = User(
                id=new_id(), court_id=court.id, username=name, display_name=f"{name} 甲", role=role.value,
                password_hash="none", created_at=START,
            )  # fmt: skip
            session.add(user)
            courts = frozenset({city.id, district.id} if court is city else {district.id})
            world.people[name] = Identity(user.id, new_id(), name, user.display_name, role, court.id, courts)
        await session.flush()
        for operation_id, court in ((world.operation, city), (world.district_operation, district)):
            session.add(
                Operation(
                    id=operation_id, court_id=court.id, name_zh="春雷", name_en="Spring Thunder",
                    case_number="（2026）内01执1号", commander_id=world.people["commander"].user_id, starts_at=START,
                )
            )  # fmt: skip
        await session.flush()
        site = Site(
            id=new_id(), operation_id=world.operation, ordinal=1, name_zh="第1现场", name_en="Site 1",
            district_zh="新城区", district_en="Xincheng", latitude=40.84, longitude=111.7,
        )  # fmt: skip
        session.add(site)
        await session.flush()
        session.add(
            Feed(
                id=world.feed_id, name=FEED, operation_id=world.operation, site_id=site.id,
                officer_id=world.people["officer"].user_id, device="phone", created_at=START,
            )
        )  # fmt: skip
    return world


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
