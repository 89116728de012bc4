"""Courts that control the same things: each with a case against the same person, gateways in memory, one database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor, AuditNote, AuditTrail
from assets.confirmations import ask_how_it_stands
from assets.controls import Controls
from assets.findings import Findings
from assets.gateway import Payee
from assets.history import History
from assets.holidays import announced
from assets.lapses import Lapses
from assets.lines import Lines
from assets.measures import EFFECTIVE
from assets.ordering import Warrant
from assets.service import Assets
from assets.tables import Asset, AssetRequest, Case, ControlMeasure, MeasureEvent, Person, line_of
from assets.term_days import alarm_days
from assets.term_watch import TermWatch
from assets.terms import SHANGHAI, AssetKind
from assets.views import RequestView
from command_center.database import Database
from tests.support.court_seal import court_seal
from tests.support.line_keeper import LineKeeper, Thing

DEBTOR = "150105199001010018"
CODES = ("内01", "内0102", "内0105")
MOST_ROUNDS = 20
PAYEE = Payee("某法院案款专户（虚构）", "05010001040001234", "某银行（虚构）", "103191000015")


class MovedClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, day: date = date(2026, 11, 22)) -> None:
        self.instant = datetime(day.year, day.month, day.day, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    @property
    def today(self) -> date:
        """The day in China."""
        return self.instant.astimezone(SHANGHAI).date()

    def pass_days(self, days: int) -> None:
        """Let days go by."""
        self.instant += timedelta(days=days)

    def go_to(self, day: date) -> None:
        """Let it be noon of this day in China."""
        self.instant = datetime(day.year, day.month, day.day, 4, 0, tzinfo=UTC)


class OneAccount:
    """The court's account for every case."""

    async def payee(self, session: AsyncSession, case: Case) -> Payee | None:
        """The same for all."""
        return PAYEE


class Quiet:
    """An audit trail that only remembers the actions."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    async def record(
        self,
        session: AsyncSession,
        *,
        actor: UUID | None,
        court_id: UUID | None,
        action: str,
        subject_type: str,
        subject_id: str,
        case_id: UUID,
        details: Mapping[str, str | int] | None = None,
        contents: Mapping[str, str | int | None] | None = None,
    ) -> None:
        """Remember it."""
        await session.flush()
        self.actions.append(action)

    async def record_all(self, session: AsyncSession, notes: Sequence[AuditNote]) -> None:
        """Remember them."""
        await session.flush()
        self.actions += [note.action for note in notes]


@dataclass
class Court:
    """One court with its case."""

    world: Courts
    id: UUID
    case_id: UUID
    case_number: str
    person_id: UUID
    judge: Actor
    assets: dict[str, UUID] = field(default_factory=dict)
    """By reference."""

    def warrant(self, key: UUID | None = None, *, years: int = 0, reason: str = "") -> Warrant:
        """A ruling of this case."""
        return Warrant(f"{self.case_number}之一", key or uuid4(), years, reason)

    async def freeze(self, reference: str, cents: int | None, *, years: int = 0, reason: str = "") -> UUID:
        """Order a freeze, have it answered, and give the measure."""
        order = await self.world.controls.freeze(
            self.judge, self.assets[reference], self.warrant(years=years, reason=reason), cents
        )
        return await self.world.answered(order)

    async def seize(self, reference: str, *, years: int = 0, reason: str = "") -> UUID:
        """Order a seizure, have it answered, and give the measure."""
        warrant = self.warrant(years=years, reason=reason)
        return await self.world.answered(await self.world.controls.seize(self.judge, self.assets[reference], warrant))

    async def renew(self, measure_id: UUID, *, years: int = 0) -> None:
        """Order a renewal and have it answered."""
        order = await self.world.controls.renew(self.judge, measure_id, self.warrant(years=years))
        await self.world.answered(order)

    async def release(self, measure_id: UUID) -> None:
        """Order a release and have it answered."""
        await self.world.answered(await self.world.controls.release(self.judge, measure_id, self.warrant()))

    async def part_release(self, measure_id: UUID, cents: int) -> None:
        """Order a part release and have it answered."""
        order = await self.world.controls.part_release(self.judge, measure_id, self.warrant(), cents)
        await self.world.answered(order)

    async def transfer(
        self, measure_id: UUID, cents: int | None = None, *, recipient: str = "", reason: str = ""
    ) -> None:
        """Order a transfer and have it answered."""
        order = await self.world.controls.transfer(
            self.judge, measure_id, self.warrant(reason=reason), amount_cents=cents, recipient=recipient
        )
        await self.world.answered(order)


class Courts:
    """All of them, with what they share."""

    def __init__(self, database: Database, trail: AuditTrail | None = None) -> None:
        self.database = database
        self.clock = MovedClock()
        self.bank = LineKeeper("bank", self.clock)
        self.other_bank = LineKeeper("other-bank", self.clock)
        self.registry = LineKeeper("registry", self.clock)
        self.trail = trail or Quiet()
        self.courts: list[Court] = []
        self.changes: list[UUID] = []
        self.assets = Assets(
            database,
            [self.bank, self.other_bank, self.registry],
            self.trail,
            self.clock,
            self._changed,
            court_seal(),
            approved_actions=frozenset(),
            payees=OneAccount(),
        )

    @property
    def controls(self) -> Controls:
        """What takes orders."""
        return self.assets.controls

    @property
    def findings(self) -> Findings:
        """What takes down what judges find."""
        return self.assets.findings

    async def _changed(self, case_id: UUID) -> None:
        self.changes.append(case_id)

    async def open(self, count: int = 3, claim_cents: int = 10**10) -> None:
        """Found this many courts, each with a case against the same person."""
        async with self.database.write() as session:
            for code in CODES[:count]:
                court_id = uuid4()
                case = Case(
                    court_id=court_id,
                    court_code=code,
                    court_name="某法院（虚构）",
                    number=f"（2026）{code}执{len(self.courts) + 1}号",
                    claim_cents=claim_cents,
                    judge_name="某法官（虚构）",
                    work_card="W1",
                    duty_card="D1",
                    filed_on=date(2026, 3, 2),
                )
                session.add(case)
                await session.flush()
                person = Person(case_id=case.id, name="张某某", id_number=DEBTOR)
                session.add(person)
                await session.flush()
                judge = Actor(
                    uuid4(),
                    frozenset({court_id}),
                    may_see=True,
                    may_query=True,
                    may_control=True,
                    own_court_id=court_id,
                )
                self.courts.append(Court(self, court_id, case.id, case.number, person.id, judge))

    async def add(self, thing: Thing, *courts: Court) -> None:
        """Have the gateway keep a thing, and these courts' cases (all, if none is named) know of it."""
        keeper = self.bank if thing.kind is AssetKind.BANK_ACCOUNT else self.registry
        keeper.add(thing)
        async with self.database.write() as session:
            for court in courts or self.courts:
                asset = Asset(
                    case_id=court.case_id,
                    person_id=court.person_id,
                    kind=thing.kind.value,
                    gateway=keeper.name,
                    reference=thing.reference,
                    description="thing",
                    available_cents=thing.balance if thing.kind is AssetKind.BANK_ACCOUNT else None,
                )
                session.add(asset)
                await session.flush()
                court.assets[thing.reference] = asset.id

    async def limit_claims(self, cents: int) -> None:
        """Have every case be about this much."""
        async with self.database.write() as session:
            await session.execute(update(Case).values(claim_cents=cents))

    async def prior(self, court: Court, reference: str, cents: int) -> None:
        """Have so much of an asset belong to others first."""
        async with self.database.write() as session:
            asset = await session.get_one(Asset, court.assets[reference])
            asset.prior_cents = cents

    async def answered(self, order: RequestView) -> UUID:
        """Have everything that is due asked and answered; give the measure that the order is about."""
        await self.exchange()
        async with self.database.read() as session:
            request = await session.get_one(AssetRequest, order.id)
            assert request.measure_id is not None
            return request.measure_id

    async def exchange(self) -> None:
        """Ask what is due until nothing is."""
        rounds = 0
        while await self.assets.send_due():
            rounds += 1
            assert rounds < MOST_ROUNDS, "something can't be asked, or its answer not be kept"

    async def lapse(self) -> None:
        """End what is over, as the watch over terms begins."""
        history = History(self.trail, self.clock)
        lapses = Lapses(Lines(ask_how_it_stands), history)
        while True:
            async with self.database.write() as session:
                if not await lapses.lapse_due(session, self.clock.today, 100):
                    return

    async def watch_terms(self) -> None:
        """Let the watch run through, as the worker has it do every half minute."""

        async def told(cases: Collection[UUID]) -> None:
            self.changes += cases

        await TermWatch(self.database, self.trail, self.clock, alarm_days(announced()), told).run_through()

    async def measure(self, measure_id: UUID) -> ControlMeasure:
        """A measure as it stands."""
        async with self.database.read() as session:
            return await session.get_one(ControlMeasure, measure_id)

    async def standing(self, measure_id: UUID) -> tuple[str, int, int]:
        """Its state, rank and money."""
        measure = await self.measure(measure_id)
        return measure.state, measure.rank, measure.controlled_cents

    async def term(self, measure_id: UUID) -> tuple[date | None, date | None]:
        """Its first and last day."""
        measure = await self.measure(measure_id)
        return measure.starts_on, measure.ends_on

    async def events(self, measure_id: UUID) -> list[str]:
        """What happened to it."""
        query = select(MeasureEvent.what).where(MeasureEvent.measure_id == measure_id).order_by(MeasureEvent.id)
        async with self.database.read() as session:
            return list(await session.scalars(query))

    async def most_in_force(self) -> int:
        """How many measures are in force at once on the thing that has most."""
        count = func.count().label("count")
        query = select(count).where(ControlMeasure.state.in_([state.value for state in EFFECTIVE]))
        async with self.database.read() as session:
            return max(await session.scalars(query.group_by(ControlMeasure.line)), default=0)

    async def close(self) -> None:
        """End it."""
        await self.assets.close()


__all__ = ["DEBTOR", "Court", "Courts", "MovedClock", "OneAccount", "Quiet", "Thing", "line_of"]
