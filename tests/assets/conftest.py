"""Real gateways over HTTP, real databases, and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from assets import sender
from assets.audit import Actor
from assets.banks.http import HttpBank
from assets.demonstration import CITY_CASE, Script, seed
from assets.gateway import Gateway
from assets.posting import Poster
from assets.registry.http import HttpRegistry
from assets.service import AT_ONCE, Assets
from assets.simulators.people import everybody
from assets.views import CaseView, PersonView
from command_center.asset_access import AssetTrail
from command_center.audit import Audit
from command_center.database import Database
from command_center.journal import Journal
from tests.support.court_seal import court_seal
from tests.support.courts import DEBTOR, Courts, Thing
from tests.support.postgresql import is_installed
from tests.support.records import postgresql_records, sqlite_records
from tests.support.simulator import Simulator
from tests.support.waiting import until

TODAY = date(2026, 11, 22)
RULING = "（2026）内01执123号之一"
ANSWER_SECONDS = 20.0
SHORT_SECONDS = 1.5
"""For tests in which somebody is silent; long enough for those who aren't."""


@dataclass
class MovedClock:
    """A clock that stands still until the test moves it."""

    instant: datetime = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
async def bank_simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    """The simulated bank."""
    simulator = Simulator("bank", tmp_path / "bank.sqlite3")
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def registry_simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    """The simulated registry."""
    simulator = Simulator("registry", tmp_path / "registry.sqlite3")
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture(params=["sqlite", *(["postgresql"] if is_installed() else [])])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Empty records on SQLite and, where it is installed, on PostgreSQL."""
    if request.param == "sqlite":
        url = sqlite_records(tmp_path)
    else:
        url = postgresql_records(request.getfixturevalue("postgresql"))
    database = Database(url)
    yield database
    await database.close()


@dataclass
class Desk:
    """A judge's desk: one court, one case, the service and its gateways."""

    database: Database
    bank: Simulator
    registry: Simulator
    clock: MovedClock = field(default_factory=MovedClock)
    court_id: UUID = field(default_factory=uuid4)
    changes: list[UUID] = field(default_factory=list)
    case_id: UUID = field(default_factory=uuid4)
    assets: Assets = field(init=False)

    def __post_init__(self) -> None:
        self.bank.clock = self.registry.clock = self.clock

    @property
    def judge(self) -> Actor:
        """Somebody of this court who may do everything."""
        return Actor(
            self.court_id,
            frozenset({self.court_id}),
            may_see=True,
            may_query=True,
            may_control=True,
            own_court_id=self.court_id,
        )

    async def open(self, script: Script = CITY_CASE) -> None:
        """Seed the case."""
        async with self.database.write() as session:
            self.case_id = await seed(
                session,
                self.court_id,
                court_code="内01",
                court_name="某中级人民法院（虚构）",
                today=TODAY,
                script=script,
            )

    def build(
        self, *gateways: Gateway, answer_seconds: float = ANSWER_SECONDS, at_once: int = AT_ONCE, at_once_each: int = 16
    ) -> Assets:
        """A service, as after a start of the process; without `gateways` it asks the simulators."""

        async def changed(case_id: UUID) -> None:
            self.changes.append(case_id)

        return Assets(
            self.database,
            gateways
            or [
                HttpBank(Poster("bank", self.bank.url, answer_seconds=answer_seconds)),
                HttpRegistry(Poster("registry", self.registry.url, answer_seconds=answer_seconds)),
            ],
            AssetTrail(Audit(self.clock), Journal(self.clock)),
            self.clock,
            changed,
            court_seal(),
            at_once=at_once,
            at_once_each=at_once_each,
        )

    @asynccontextmanager
    async def at_work(self, *gateways: Gateway, answer_seconds: float = ANSWER_SECONDS) -> AsyncIterator[Assets]:
        """The service running in the background; leaving ends it."""
        self.assets = self.build(*gateways, answer_seconds=answer_seconds)
        task = asyncio.create_task(self.assets.run())
        try:
            yield self.assets
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.assets.close()

    async def view(self) -> CaseView:
        """What the panel shows."""
        return await self.assets.overview(self.judge, self.case_id)

    async def person(self, id_number: str) -> PersonView:
        """One of the case's persons."""
        fictional = everybody()[id_number]
        masked = id_number if fictional.is_firm else id_number[:3] + "*" * 11 + id_number[-4:]
        return next(person for person in (await self.view()).persons if person.id_number == masked)

    async def query(self, id_number: str, *gateways: str) -> UUID:
        """Query one person; give the key that it went under."""
        key = uuid4()
        person = await self.person(id_number)
        await self.assets.query(
            self.judge,
            case_id=self.case_id,
            person_id=person.id,
            idempotency_key=key,
            gateways=gateways or None,
        )
        return key

    async def state(self, id_number: str, gateway: str) -> str:
        """Where the latest query of a person at a gateway stands."""
        view = await self.view()
        person = await self.person(id_number)
        answers = [one for one in view.answers if one.person_id == person.id and one.gateway == gateway]
        return answers[0].state if answers else ""

    async def until_state(self, id_number: str, gateway: str, state: str) -> None:
        """Wait until it stands so."""

        async def stands() -> bool:
            return await self.state(id_number, gateway) == state

        await until(stands, 20)

    async def asset(self, reference_end: str) -> UUID:
        """The asset whose number ends so."""
        return next(one.id for one in (await self.view()).assets if one.reference.endswith(reference_end))


@pytest.fixture
async def desk(database: Database, bank_simulator: Simulator, registry_simulator: Simulator) -> Desk:
    """A desk with the city court's fictional case on it."""
    desk = Desk(database, bank_simulator, registry_simulator)
    await desk.open()
    return desk


@pytest.fixture
async def quiet_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on SQLite whose gateways nobody has started: for rules that hold before anything is sent."""
    database = Database(sqlite_records(tmp_path))
    yield await _quiet(database, tmp_path)
    await database.close()


@pytest.fixture
async def desk_on_sqlite(quiet_desk: Desk, bank_simulator: Simulator, registry_simulator: Simulator) -> Desk:
    """A desk on SQLite with its gateways."""
    quiet_desk.bank, quiet_desk.registry = bank_simulator, registry_simulator
    return quiet_desk


@pytest.fixture
async def each_quiet_desk(database: Database, tmp_path: Path) -> Desk:
    """The same on each database."""
    return await _quiet(database, tmp_path)


async def _quiet(database: Database, folder: Path) -> Desk:
    desk = Desk(
        database, Simulator("bank", folder / "bank.sqlite3"), Simulator("registry", folder / "registry.sqlite3")
    )
    await desk.open()
    return desk


ACCOUNT = "6217000060000000008"
HOUSE, LAND = "150105001002GB00014F00310202", "150105001002GB00014W00000000"
CAR = "蒙A12345"


@pytest.fixture
async def courts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Courts]:
    """Three courts that know of one account with 1000.00 on it, and gateways in memory."""
    monkeypatch.setattr(sender, "REST_SECONDS", 0.0)
    database = Database(sqlite_records(tmp_path))
    courts = Courts(database)
    await courts.open()
    await courts.add(Thing(ACCOUNT, DEBTOR, balance=100_000))
    yield courts
    await courts.close()
    await database.close()
