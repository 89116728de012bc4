"""Three courts do whatever they like to one thing; our records are held against the other side's own book.

That book (`LineKeeper`) is the small model: it shares no code with the records. Orders may stay unanswered for a while,
answers may get lost after the deed, and days go by meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from assets.documents import Action
from assets.errors import AssetsError, GatewayUnreachable
from assets.measures import EFFECTIVE, MeasureState
from assets.tables import AssetRequest, ControlMeasure
from assets.terms import LONGEST_YEARS, AssetKind, last_day
from command_center.database import Database
from tests.support.courts import DEBTOR, Court, Courts
from tests.support.line_keeper import Held, Thing
from tests.support.postgresql import PostgreSQL
from tests.support.records import postgresql_records, sqlite_records

SEQUENCES, STEPS = 40, 10
"""The soak goes through a thousand sequences."""
_NUMBERS = itertools.count(1)
COURTS = st.integers(0, 2)
BEGINS = date(2027, 1, 15)
"""With 29 February 2028 within reach."""
Done = TypeVar("Done")


class World:
    """One database and one set of courts for all sequences; each sequence has a thing of its own."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.database = Database(url)
        self.courts = Courts(self.database)
        self.run(self.courts.open(claim_cents=10**15))

    def run(self, deed: Coroutine[Any, Any, Done]) -> Done:
        """Do it."""
        return self._runner.run(deed)

    def close(self) -> None:
        """End it."""
        self.run(self.courts.close())
        self.run(self.database.close())
        self._runner.close()


class LinesMachine(RuleBasedStateMachine):
    """What happens to one thing."""

    world: World
    settled: Counter[bool]
    """How often everything was answered, by whether something was left to a person."""

    @initialize(
        kind=st.sampled_from([AssetKind.BANK_ACCOUNT, AssetKind.REAL_ESTATE]),
        balance=st.integers(0, 90_000),
        priority=st.sampled_from([0, 0, 20_000]),
    )
    def begin(self, kind: AssetKind, balance: int, priority: int) -> None:
        """A new thing."""
        self.courts.clock.go_to(BEGINS)
        self.courts.bank.troubles.clear()
        is_money = kind is AssetKind.BANK_ACCOUNT
        number = next(_NUMBERS)
        reference = f"6217{number:012d}" if is_money else f"1501{number:08d}GB00014F00310202"
        self.thing = Thing(reference, DEBTOR, kind, balance if is_money else 0, priority if is_money else 0)
        self.keeper = self.courts.bank if is_money else self.courts.registry
        self.keeper.things.clear()  # the book of this sequence only
        self.world.run(self.courts.add(self.thing))

    @property
    def courts(self) -> Courts:
        """All of them."""
        return self.world.courts

    # What a court may do

    @rule(court=COURTS, cents=st.integers(1, 120_000), years=st.integers(0, 3), at_once=st.booleans())
    def control(self, court: int, cents: int, years: int, at_once: bool) -> None:
        """Freeze or seize it."""
        who = self.courts.courts[court]
        longest = LONGEST_YEARS[self.thing.kind]
        asset_id, warrant = who.assets[self.thing.reference], who.warrant(years=min(years, longest))
        if self.thing.kind is AssetKind.BANK_ACCOUNT:
            self._order(self.courts.controls.freeze(who.judge, asset_id, warrant, cents), at_once)
        else:
            self._order(self.courts.controls.seize(who.judge, asset_id, warrant), at_once)

    @rule(court=COURTS, years=st.integers(0, 1), at_once=st.booleans())
    def renew(self, court: int, years: int, at_once: bool) -> None:
        """Prolong what it has."""
        self._change(
            court, lambda who, one: self.courts.controls.renew(who.judge, one, who.warrant(years=years)), at_once
        )

    @rule(court=COURTS, at_once=st.booleans())
    def release(self, court: int, at_once: bool) -> None:
        """End what it has."""
        self._change(court, lambda who, one: self.courts.controls.release(who.judge, one, who.warrant()), at_once)

    @rule(court=COURTS, cents=st.integers(1, 60_000), at_once=st.booleans())
    def part_release(self, court: int, cents: int, at_once: bool) -> None:
        """Give back a part."""
        self._change(
            court, lambda who, one: self.courts.controls.part_release(who.judge, one, who.warrant(), cents), at_once
        )

    @rule(court=COURTS, cents=st.none() | st.integers(1, 60_000), at_once=st.booleans())
    def transfer(self, court: int, cents: int | None, at_once: bool) -> None:
        """Move the money, or the title."""
        self._change(
            court,
            lambda who, one: self.courts.controls.transfer(
                who.judge, one, who.warrant(), amount_cents=cents, recipient="某买受人（虚构）"
            ),
            at_once,
        )

    @rule(court=COURTS)
    def ask(self, court: int) -> None:
        """Query the person."""
        who = self.courts.courts[court]
        warrant = who.warrant()
        self.world.run(
            self.courts.assets.query(
                who.judge,
                case_id=who.case_id,
                person_id=who.person_id,
                idempotency_key=warrant.idempotency_key,
                gateways=[self.keeper.name],
            )
        )

    # What happens meanwhile

    @rule()
    def lose_an_answer(self) -> None:
        """The other side acts, and nobody hears of it for a minute."""
        self.keeper.troubles = [GatewayUnreachable(self.keeper.name)]
        self.world.run(self.courts.assets.send_due())
        self.keeper.troubles.clear()

    @rule(days=st.sampled_from([1, 30, 200, 364, 365, 366, 800]))
    def let_days_go_by(self, days: int) -> None:
        """The records may hear of what is over long after it was."""
        self.courts.clock.pass_days(days)

    @rule()
    def watch(self) -> None:
        """The worker looks after terms."""
        self.world.run(self.courts.lapse())

    @rule()
    def settle(self) -> None:
        """Everything is answered: the records say what the other side's book says."""
        self.keeper.troubles.clear()
        self.courts.clock.pass_days(1)  # what got no answer is asked again
        for _ in range(2):
            self.world.run(self.courts.exchange())
            self.world.run(self.courts.lapse())
        self.world.run(self.courts.exchange())
        self.keeper.settle()
        measures = self._measures()
        self.settled[any(one.contradiction for one in measures.values())] += 1
        if any(one.contradiction for one in measures.values()):
            return  # an answer came so late that only a person can tell: the records say so, and hold nothing twice
        standing = {one.number: one for one in self.thing.standing}
        for number, measure in measures.items():
            held = standing.get(number)
            if held is None:
                assert MeasureState(measure.state) not in EFFECTIVE | {MeasureState.WAITING}, number
            else:
                self._same(measure, held)
        assert standing.keys() <= measures.keys()

    def _same(self, measure: ControlMeasure, held: Held) -> None:
        assert (measure.state == MeasureState.WAITING) == held.is_waiting
        assert measure.rank == self.thing.standing.index(held)
        assert measure.controlled_cents == held.cents
        if held.is_waiting:
            assert (measure.starts_on, measure.ends_on) == (None, None)
            return
        assert measure.ends_on == held.days[1]
        if not measure.renewals:
            assert (measure.starts_on, measure.ends_on) == (held.days[0], self._longest(measure, held.days[0]))

    def _longest(self, measure: ControlMeasure, start: date) -> date:
        return last_day(start, measure.term_years)

    # What always holds

    @invariant()
    def never_two_in_force(self) -> None:
        """At most one of a line is, whatever is under way; and it holds no more than there is."""
        measures = list(self._measures().values())
        effective = [one for one in measures if MeasureState(one.state) in EFFECTIVE]
        assert len(effective) <= 1
        assert sum(one.controlled_cents for one in measures) <= self.thing.balance or self._is_moving()
        assert all(one.controlled_cents == 0 for one in measures if one not in effective)
        ranks = [one.rank for one in measures if one.state == MeasureState.WAITING and not one.contradiction]
        assert len(set(ranks)) == len(ranks)
        assert not effective or 0 not in ranks

    def _is_moving(self) -> bool:
        """Whether a transfer was carried out and isn't answered yet: the money has gone, and nobody has said so."""
        return any(one.action is Action.TRANSFER for one in self.keeper.orders)

    def teardown(self) -> None:
        """Leave nothing under way for the next sequence."""
        if hasattr(self, "thing"):
            self.settle()
            self.keeper.orders.clear()

    # How it is done

    def _order(self, order: Coroutine[Any, Any, Any], at_once: bool) -> None:
        try:
            self.world.run(order)
        except AssetsError:
            return  # a guard; what it refuses has tests of its own
        if at_once:
            self.world.run(self.courts.exchange())

    def _change(self, court: int, order: Callable[[Court, UUID], Coroutine[Any, Any, Any]], at_once: bool) -> None:
        who = self.courts.courts[court]
        mine = [one for one in self._measures().values() if one.case_id == who.case_id]
        if mine:
            self._order(order(who, mine[-1].id), at_once)

    def _measures(self) -> dict[str, ControlMeasure]:
        line = f"{self.keeper.name}/{self.thing.kind}/{self.thing.reference}"
        query = (
            select(AssetRequest.number, ControlMeasure)
            .join(AssetRequest, AssetRequest.id == ControlMeasure.request_id)
            .where(ControlMeasure.line == line)
            .order_by(ControlMeasure.id)
        )

        async def read() -> dict[str, ControlMeasure]:
            async with self.courts.database.read() as session:
                return dict((await session.execute(query)).all())  # type: ignore[arg-type]

        return self.world.run(read())


def run_sequences(url: str, sequences: int) -> None:
    """Go through so many, always the same ones."""
    world = World(url)
    settled: Counter[bool] = Counter()
    machine = type("Machine", (LinesMachine,), {"world": world, "settled": settled})
    case = machine.TestCase
    case.settings = settings(
        max_examples=sequences,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        case("runTest").runTest()
        assert settled[True] * 20 < settled[False], "too much is left to a person"
    finally:
        world.close()


@pytest.mark.timeout(180)
def test_three_courts_on_one_thing_sqlite(tmp_path: Path) -> None:
    run_sequences(sqlite_records(tmp_path), SEQUENCES)


@pytest.mark.timeout(180)
def test_three_courts_on_one_thing_postgresql(postgresql: PostgreSQL) -> None:
    run_sequences(postgresql_records(postgresql), SEQUENCES // 5)
