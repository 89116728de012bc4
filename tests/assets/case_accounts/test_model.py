"""Random sequences of everything that happens to case money, against a small model of where each cent must be."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from assets.audit import Actor
from assets.case_accounts.bank import Movement, PayOrder, PayReceipt, Statement
from assets.case_accounts.books_check import check_books
from assets.case_accounts.ledger_tables import MainAccount
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import OPEN_PAYMENTS, ArrivalPurpose, PaymentPurpose, PaymentState
from assets.case_accounts.tables import Payment
from assets.case_accounts.views import AccountView
from assets.errors import Conflict, GatewayUnreachable
from assets.tables import Case, Person
from command_center.audit import Audit
from command_center.database import Database
from tests.assets.conftest import MovedClock
from tests.support.money_kills import COURT, open_books
from tests.support.records import sqlite_records

CASES = 2
ANSWERS = ("paid", "refused", "silent")
places = st.integers(0, CASES - 1)
deeds = st.one_of(
    st.tuples(st.just("arrive"), places, st.integers(1, 10**9), st.sampled_from(["", "诉讼费"])),
    st.tuples(st.just("arrive-again"), st.integers(0, 3)),
    st.tuples(st.just("arrive-somewhere"), st.integers(1, 10**9)),
    st.tuples(st.just("claim"), places, st.sampled_from(list(ArrivalPurpose))),
    st.tuples(st.just("distribute"), places, st.booleans()),
    st.tuples(st.just("refund"), places),
    st.tuples(st.just("answer"), places, st.sampled_from(ANSWERS)),
    st.tuples(st.just("release"), places),
    st.tuples(st.just("unmatch"), places),
)


@dataclass
class Model:
    """Where the money of one case must be; the fields are those of `Places` without "_cents"."""

    received: int = 0
    undistributed: int = 0
    prepaid: int = 0
    held: int = 0
    paying: int = 0
    paid: int = 0
    refunded: int = 0
    fees: int = 0

    def move(self, before: str, after: str, cents: int) -> None:
        setattr(self, before, getattr(self, before) - cents)
        setattr(self, after, getattr(self, after) + cents)


class ChosenBank:
    """Answers an order as the test says; what it paid once, it doesn't pay again."""

    name = "chosen"

    def __init__(self) -> None:
        self.answer = "paid"
        self.done: dict[str, PayReceipt] = {}
        self.sent_cents = 0

    async def pay(self, order: PayOrder) -> PayReceipt:
        if order.number not in self.done and self.answer != "refused":
            self.sent_cents += order.cents
            self.done[order.number] = PayReceipt(order.number, True, f"B{order.number}", f"R{order.number}")
        if self.answer == "silent":
            raise GatewayUnreachable(self.name)
        return self.done.get(order.number) or PayReceipt(order.number, False, reason="no")

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Played:
    """The real service and the model, side by side."""

    database: Database
    main_id: UUID
    accounts: CaseAccounts
    bank: ChosenBank
    cases: list[UUID]
    numbers: list[str]
    clock: MovedClock
    models: list[Model] = field(default_factory=lambda: [Model() for _ in range(CASES)])
    waiting: list[tuple[str, int]] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    arrived_cents: int = 0
    judge: Actor = field(
        default_factory=lambda: Actor(
            uuid4(), frozenset({COURT}), may_see=True, may_handle_money=True, own_court_id=COURT
        )
    )
    approver: Actor = field(
        default_factory=lambda: Actor(
            uuid4(), frozenset({COURT}), may_see=True, may_approve_money=True, own_court_id=COURT
        )
    )

    async def arrive(self, place: int, cents: int, remark: str) -> None:
        await self._take(cents, f"{self.numbers[place]} {remark}")
        model = self.models[place]
        model.received += cents
        if remark:
            model.prepaid += cents
        else:
            model.undistributed += cents

    async def arrive_somewhere(self, cents: int) -> None:
        serial = await self._take(cents, "")
        self.waiting.append((serial, cents))

    async def arrive_again(self, back: int) -> None:
        if self.movements:
            again = self.movements[-1 - back % len(self.movements)]
            assert await self.accounts.intake.take(self.main_id, [again]) == 0

    async def _take(self, cents: int, remark: str) -> str:
        serial = f"S{len(self.movements)}"
        movement = Movement(serial, self.clock(), cents, "张某甲", "6217000060000000008", remark, "", "")
        self.movements.append(movement)
        self.arrived_cents += cents
        assert await self.accounts.intake.take(self.main_id, [movement]) == 1
        return serial

    async def claim(self, place: int, purpose: ArrivalPurpose) -> None:
        if not self.waiting:
            return
        serial, cents = self.waiting.pop(0)
        (arrival,) = [one for one in (await self.accounts.of_no_case(self.judge)).arrivals if one.bank_serial == serial]
        await self.accounts.claim(
            self.judge, arrival.id, case_id=self.cases[place], purpose=purpose, idempotency_key=uuid4()
        )
        model = self.models[place]
        model.received += cents
        if purpose is ArrivalPurpose.COURT_FEE:
            model.prepaid += cents
        else:
            model.undistributed += cents

    async def distribute(self, place: int, holds_first: bool) -> None:
        model, case_id = self.models[place], self.cases[place]
        if model.undistributed == 0:
            return
        preview = await self.accounts.preview(self.judge, case_id)
        holds = {UUID(preview["claims"][0]["claim_id"]): "x"} if holds_first else {}
        debtor = next(one.id for one in (await self.view(place)).persons if one.role == "under_enforcement")
        proposal = await self.accounts.propose_distribution(
            self.judge, case_id, holds=holds, rest_person_id=debtor, idempotency_key=uuid4()
        )
        assert proposal.cents == model.undistributed
        await self.accounts.approve(self.approver, proposal.id, idempotency_key=uuid4())
        held = proposal.content["claims"][0]["cents"] if holds_first else 0
        model.move("undistributed", "held", held)
        model.move("undistributed", "paying", proposal.cents - held)
        assert model.undistributed == 0

    async def refund(self, place: int) -> None:
        fees = [one for one in (await self.view(place)).arrivals if one.purpose == "court_fee"]
        for arrival in fees:
            more = {"effective_on": date(2026, 11, 20), "idempotency_key": uuid4()}
            if arrival.is_refunded:
                with pytest.raises(Conflict, match="fee-refunded"):
                    await self.accounts.propose_fee_refund(self.judge, arrival.id, **more)  # type: ignore[arg-type]
                continue
            proposal = await self.accounts.propose_fee_refund(self.judge, arrival.id, **more)  # type: ignore[arg-type]
            await self.accounts.approve(self.approver, proposal.id, idempotency_key=uuid4())
            self.models[place].move("prepaid", "paying", arrival.cents)
            return

    async def answer(self, place: int, answer: str) -> None:
        query = select(Payment).where(
            Payment.case_id == self.cases[place], Payment.state.in_([state.value for state in OPEN_PAYMENTS])
        )
        async with self.database.read() as session:
            order = (await session.scalars(query.order_by(Payment.number).limit(1))).first()
        if order is None:
            return
        self.bank.answer = answer
        await self.accounts.payer.pay(order.id)
        purpose = PaymentPurpose(order.purpose)
        if answer == "silent":
            expected = PaymentState.UNKNOWN
        elif order.number in self.bank.done:
            expected = PaymentState.PAID
            self.models[place].move("paying", purpose.ends_in.value, order.cents)
        else:
            expected = PaymentState.REFUSED
            self.models[place].move("paying", purpose.comes_from.value, order.cents)
        (shown,) = [one for one in (await self.view(place)).payments if one.id == order.id]
        assert shown.state == expected

    async def release(self, place: int) -> None:
        for hold in (await self.view(place)).holds:
            if hold.released_at is None:
                await self.accounts.release(self.judge, hold.id, reason="y", idempotency_key=uuid4())
                self.models[place].move("held", "undistributed", hold.cents)
                return

    async def unmatch(self, place: int) -> None:
        for arrival in (await self.view(place)).arrivals:
            try:
                await self.accounts.unmatch(self.judge, arrival.id, reason="z", idempotency_key=uuid4())
            except Conflict:  # something was made of it
                continue
            model, cents = self.models[place], arrival.cents
            model.received -= cents
            if arrival.purpose == ArrivalPurpose.COURT_FEE:
                model.prepaid -= cents
            else:
                model.undistributed -= cents
            self.waiting.append((arrival.bank_serial, cents))
            return

    async def view(self, place: int) -> AccountView:
        return await self.accounts.account(self.judge, self.cases[place])

    async def compare(self) -> None:
        for place, model in enumerate(self.models):
            found = (await self.view(place)).line.places
            assert [getattr(found, f"{one.name}_cents") for one in fields(model)] == [
                getattr(model, one.name) for one in fields(model)
            ]
        (main,) = await self.accounts.mains(self.judge)
        assert main.unclaimed_cents == sum(cents for _, cents in self.waiting)
        settled = sum(model.paid + model.refunded + model.fees for model in self.models)
        assert main.balance_cents == self.arrived_cents - settled
        # What the bank has sent and the books don't know is among what is being paid.
        assert 0 <= self.bank.sent_cents - settled <= sum(model.paying for model in self.models)


async def play(steps: Sequence[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory(prefix="money-") as folder:
        database = Database(sqlite_records(Path(folder)))
        try:
            await _play(database, steps)
        finally:
            await database.close()


async def _play(database: Database, steps: Sequence[tuple[object, ...]]) -> None:
    clock, bank = MovedClock(), ChosenBank()

    async def changed(_case_id: UUID | None) -> None:
        """Nobody is told."""

    main_id = await open_books(database, claim_cents=3 * 10**8, cases=CASES)
    accounts = CaseAccounts(database, bank, Audit(clock), clock, changed, lambda facts: facts.case_number)
    async with database.read() as session:
        cases = list(await session.scalars(select(Case).order_by(Case.number)))
        assert (await session.scalars(select(Person.id))).first() is not None
    played = Played(database, main_id, accounts, bank, [one.id for one in cases], [one.number for one in cases], clock)
    for name, *given_values in steps:
        await getattr(played, str(name).replace("-", "_"))(*given_values)
    await played.compare()
    async with database.read() as session:
        assert await check_books(session, await session.get_one(MainAccount, main_id)) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(deeds, min_size=4, max_size=22))
def test_every_cent_is_where_the_model_says_whatever_happens_in_whatever_order(steps: list[tuple[object, ...]]) -> None:
    asyncio.run(play(steps))
