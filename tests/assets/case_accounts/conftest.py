"""A court's money in a test: real databases, a bank over HTTP or one in this process, people of two offices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from assets.audit import Actor
from assets.case_accounts.bank import Movement
from assets.case_accounts.books_check import check_books
from assets.case_accounts.http import HttpPayingBank
from assets.case_accounts.ledger_tables import LedgerAccount, MainAccount
from assets.case_accounts.practice import Practice
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import AccountKind
from assets.case_accounts.tables import Payment
from assets.case_accounts.trail import NoticeFacts
from assets.case_accounts.views import Places, ProposalView
from assets.formats import amount_text
from assets.identifiers import new_id
from assets.posting import Poster
from assets.simulators.manners import Kind
from assets.tables import Case, Claim, Person
from command_center.audit import Audit
from command_center.database import Database
from tests.assets.conftest import MovedClock
from tests.support.records import sqlite_records
from tests.support.simulator import Simulator
from tests.support.waiting import until

MAIN = "0610013200001111"
CARD = "6217000060000000008"
OTHER_CARD = "6217000060000000016"
_CLAIMS = count(1 << 100)
"""Ids in the order in which claims are made."""
ANSWER_SECONDS = 20.0


@dataclass
class Treasury:
    """One court with a main account, its service, its bank, a judge and an approver."""

    database: Database
    bank: Simulator
    practice: Practice = field(default_factory=Practice)
    clock: MovedClock = field(default_factory=MovedClock)
    court_id: UUID = field(default_factory=uuid4)
    main_id: UUID = field(default_factory=uuid4)
    judge: Actor = field(init=False)
    approver: Actor = field(init=False)
    accounts: CaseAccounts = field(init=False)
    told: list[UUID | None] = field(default_factory=list)
    _cases: int = 0
    _serials: int = 0

    def __post_init__(self) -> None:
        courts = frozenset({self.court_id})
        self.judge = Actor(uuid4(), courts, may_see=True, may_handle_money=True, own_court_id=self.court_id)
        self.approver = Actor(uuid4(), courts, may_see=True, may_approve_money=True, own_court_id=self.court_id)
        self.accounts = self.build()
        self.bank.clock = self.clock

    def build(self, *, answer_seconds: float = ANSWER_SECONDS) -> CaseAccounts:
        """A service, as after a start of the process."""

        async def changed(case_id: UUID | None) -> None:
            self.told.append(case_id)

        return CaseAccounts(
            self.database,
            HttpPayingBank(Poster("paying", self.bank.url, answer_seconds=answer_seconds)),
            Audit(self.clock),
            self.clock,
            changed,
            notice_words,
            practice=self.practice,
        )

    async def open(self) -> None:
        """Open the main account."""
        async with self.database.write() as session:
            session.add(
                MainAccount(
                    id=self.main_id,
                    court_id=self.court_id,
                    number=MAIN,
                    bank_name="某商业银行（虚构）",
                    fee_holder="诉讼费专户（虚构）",
                    fee_number="0610013200009999",
                    opened_at=self.clock(),
                )
            )

    async def case(self, *claims: Claim, court_id: UUID | None = None) -> UUID:
        """A case with a debtor, and for each claim a creditor of its own."""
        self._cases += 1
        case_id = uuid4()
        async with self.database.write() as session:
            session.add(
                Case(
                    id=case_id,
                    court_id=court_id or self.court_id,
                    court_code="内01",
                    court_name="某中级人民法院（虚构）",
                    number=f"（2026）内01执{self._cases}号",
                    claim_cents=sum(claim.amount_cents for claim in claims),
                    judge_name="苏和",
                    work_card="NM01-0001",
                    duty_card="NM01-ZX-0001",
                    filed_on=date(2026, 3, 2),
                )
            )
            session.add(person(case_id, "张某甲", "150105199001010018", "under_enforcement", 0))
            await session.flush()
            for ordinal, claim in enumerate(claims, start=1):
                creditor = person(case_id, f"李某{ordinal}", f"15010519900101{ordinal:04}", "applicant", ordinal)
                session.add(creditor)
                await session.flush()
                claim.case_id, claim.creditor_id = case_id, creditor.id
                session.add(claim)
        return case_id

    async def persons(self, case_id: UUID, role: str) -> list[UUID]:
        """The case's persons of a role, in their order."""
        query = select(Person.id).where(Person.case_id == case_id, Person.role == role).order_by(Person.ordinal)
        async with self.database.read() as session:
            return list(await session.scalars(query))

    async def name_payees(self, case_id: UUID) -> None:
        """Give everybody of the case an account."""
        people = await self.persons(case_id, "applicant") + await self.persons(case_id, "under_enforcement")
        for one in people:
            await self.name_payee(case_id, one, CARD)

    async def name_payee(self, case_id: UUID, person_id: UUID, number: str) -> None:
        """Give one person an account."""
        await self.accounts.name_payee(
            self.judge, case_id, person_id=person_id, account_number=number, bank_name="某行", bank_code="",
            idempotency_key=uuid4(),
        )  # fmt: skip

    async def arrive(self, cents: int, *, case_id: UUID | None = None, remark: str = "", serial: str = "") -> str:
        """Money comes in, told by the case's number in the remark; gives the bank's serial."""
        movement = await self.movement(cents, case_id=case_id, remark=remark, serial=serial)
        await self.accounts.intake.take(self.main_id, [movement])
        return movement.serial

    async def movement(
        self, cents: int, *, case_id: UUID | None = None, remark: str = "", serial: str = "", sub_number: str = ""
    ) -> Movement:
        """A line of the bank's statement."""
        self._serials += 1
        if case_id is not None:
            async with self.database.read() as session:
                remark = f"{(await session.get_one(Case, case_id)).number} {remark}"
        return Movement(
            serial=serial or f"S{self._serials:06}",
            at=self.clock(),
            cents=cents,
            counterparty_name="张某甲",
            counterparty_account=CARD,
            remark=remark,
            sub_number=sub_number,
            order_number="",
        )

    async def deposit(self, cents: int, *, case_id: UUID | None = None, remark: str = "") -> None:
        """Money comes in at the bank, and the statement is read."""
        movement = await self.movement(cents, case_id=case_id, remark=remark)
        await self.bank.post(
            "/paying/deposits",
            {"zh": MAIN, "je": amount_text(cents), "zy": movement.remark, "dfhm": "张某甲", "dfzh": CARD},
        )
        await self.accounts.collector.read(self.main_id)

    async def paid_in(self, cents: int, *claims: Claim) -> UUID:
        """A case whose money came in at the bank, with an account for everybody."""
        case_id = await self.case(*claims)
        await self.deposit(cents, case_id=case_id)
        await self.name_payees(case_id)
        return case_id

    async def ordered(self) -> UUID:
        """A case with orders that wait to be paid: 50 yuan of fee, 50 of a claim."""
        case_id = await self.paid_in(100_00, claim(100_00))
        await self.approve(await self.propose(case_id))
        return case_id

    async def propose(self, case_id: UUID, **options: object) -> ProposalView:
        """The judge proposes to distribute."""
        return await self.accounts.propose_distribution(self.judge, case_id, idempotency_key=uuid4(), **options)  # type: ignore[arg-type]

    async def approve(self, proposal: ProposalView) -> None:
        """The approver approves."""
        await self.accounts.approve(self.approver, proposal.id, idempotency_key=uuid4())

    async def pay_all(self, case_id: UUID, accounts: CaseAccounts | None = None) -> list[str]:
        """Ask the bank once for every order of a case; gives their states by purpose."""
        async with self.database.read() as session:
            ids = list(await session.scalars(select(Payment.id).where(Payment.case_id == case_id).order_by(Payment.id)))
        for payment_id in ids:
            await (accounts or self.accounts).payer.pay(payment_id)
        view = await self.accounts.account(self.judge, case_id)
        return [one.state for one in view.payments]

    def behave(self, account: str, kind: Kind, *, times: int | None = None, reason: str = "") -> None:
        """Have the bank misbehave with orders to an account, or with statements of one."""
        self.bank.behave(kind, person=account, times=times, reason=reason)

    async def statement(self) -> list[dict[str, str]]:
        """The bank's own truth."""
        async with httpx.AsyncClient(base_url=self.bank.url, trust_env=False) as client:
            body = {"bdhm": "TRUTH", "zh": MAIN, "ksrq": "20000101", "jsrq": "29991231"}
            lines: list[dict[str, str]] = (await client.post("/paying/statement", json=body)).json()["mx"]
        return lines

    async def until_states(self, case_id: UUID, *states: str) -> None:
        """Wait until the payments of a case stand so."""

        async def stand() -> bool:
            view = await self.accounts.account(self.judge, case_id)
            return sorted(one.state for one in view.payments) == sorted(states)

        await until(stand, 20)

    async def places(self, case_id: UUID) -> Places:
        """Where the case's money is."""
        return (await self.accounts.account(self.judge, case_id)).line.places

    async def unclaimed_cents(self) -> int:
        """What waits to be claimed."""
        query = select(LedgerAccount.balance_cents).where(
            LedgerAccount.owner_id == self.main_id, LedgerAccount.kind == AccountKind.UNCLAIMED.value
        )
        async with self.database.read() as session:
            return (await session.scalars(query)).one_or_none() or 0

    async def require_sound(self) -> MainAccount:
        """Read the books from the first entry to the last: nothing may be wrong."""
        async with self.database.read() as session:
            main = await session.get_one(MainAccount, self.main_id)
            assert await check_books(session, main) == []
            return main


def person(case_id: UUID, name: str, id_number: str, role: str, ordinal: int) -> Person:
    """A person of a case."""
    return Person(id=new_id(), case_id=case_id, name=name, id_number=id_number, role=role, ordinal=ordinal)


def claim(amount_cents: int, *, principal_cents: int | None = None, **more: object) -> Claim:
    """A claim; `case` gives it its case and creditor."""
    principal = amount_cents if principal_cents is None else principal_cents
    return Claim(id=UUID(int=next(_CLAIMS)), amount_cents=amount_cents, principal_cents=principal, **more)


def notice_words(facts: NoticeFacts) -> str:
    """What a payee would be told."""
    return f"{facts.case_number} {facts.cents} {facts.account} {facts.paid_on} {facts.receipt_number}"


def instant(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Simulator]:
    """The simulated paying bank."""
    simulator = Simulator("paying", tmp_path / "paying.sqlite3")
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def treasury(database: Database, bank: Simulator) -> AsyncIterator[Treasury]:
    """A court's money on each kind of database."""
    made = Treasury(database, bank)
    await made.open()
    yield made
    await made.accounts.close()


@pytest.fixture
async def quick(tmp_path: Path, bank: Simulator) -> AsyncIterator[Treasury]:
    """A court's money on SQLite alone: for rules that no database has a say in."""
    database = Database(sqlite_records(tmp_path))
    made = Treasury(database, bank)
    await made.open()
    yield made
    await made.accounts.close()
    await database.close()
