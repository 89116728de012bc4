"""The month of a court's money: per case and together, held against the bank's own statement."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import case as sql_case
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.accounts import main_of, seen_courts
from assets.case_accounts.bank import Movement, PayingBank, Statement
from assets.case_accounts.books import Books
from assets.case_accounts.books_check import Fault, check_books
from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting, SubAccount
from assets.case_accounts.states import (
    AT_BANK,
    PAID_AFTER_REFUSAL,
    AccountKind,
    DiscrepancyCode,
    PaymentState,
    PostingKind,
)
from assets.case_accounts.tables import Arrival, Payment
from assets.errors import BadFormat, GatewayTrouble, NotFound
from assets.orders import require
from assets.tables import Case
from assets.terms import SHANGHAI

_AT_BANK = [kind.value for kind in AT_BANK]


@dataclass(frozen=True, slots=True)
class Turnover:
    """A month: opening + received - paid - refunded - fees = closing, of which so much is held."""

    opening_cents: int = 0
    received_cents: int = 0
    paid_cents: int = 0
    refunded_cents: int = 0
    fees_cents: int = 0
    closing_cents: int = 0
    held_cents: int = 0

    def __add__(self, other: Turnover) -> Turnover:
        return Turnover(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class CaseTurnover:
    """The month of one case; without a case it is what waits to be claimed, less what was claimed."""

    case_id: UUID | None
    case_number: str
    sub_number: str
    turnover: Turnover


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the bank and the books differ: the bank's serial or our number, and both amounts.

    Codes: not-booked (the bank has it, the books don't), not-at-bank (the reverse), amount-differs,
    order-amount-differs (the bank paid another amount than was ordered), paid-twice (one order more than once),
    outcome-unknown (the bank paid an order whose outcome isn't booked yet), paid-after-refusal,
    booked-in-another-month (the days at the bank and in the books lie in two months), opening-differs and
    closing-differs (of the balances).
    """

    code: str
    reference: str
    bank_cents: int
    book_cents: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The report. `bank_closing_cents` None: the bank gave no statement, so nothing is known to agree."""

    main_id: UUID
    court_id: UUID
    main_number: str
    since: date
    until: date
    cases: tuple[CaseTurnover, ...]
    total: Turnover
    bank_opening_cents: int | None
    bank_closing_cents: int | None
    trouble: str
    differences: tuple[Difference, ...]
    faults: tuple[Fault, ...]
    """What is wrong within the books themselves."""

    @property
    def agrees(self) -> bool:
        """Whether the bank's figures are known and the same, and the books are sound."""
        return self.bank_closing_cents is not None and not self.differences and not self.faults


class Reconciling:
    """Makes the report of one court and month."""

    def __init__(self, books: Books, bank: PayingBank) -> None:
        self._books = books
        self._bank = bank

    async def month(self, actor: Actor, court_id: UUID, year: int, month: int) -> Reconciliation:
        """The report of a month, up to today where it isn't over.

        Raises:
            NotFound: the court isn't the actor's, or has no main account.
            BadFormat: the month hasn't begun.
        """
        require(actor.may_see)
        if court_id not in seen_courts(actor):
            raise NotFound("no-main-account")
        since = date(year, month, 1)
        end = date(year + month // 12, month % 12 + 1, 1)
        today = self._books.today()
        if since > today:
            raise BadFormat("month", "future")
        until = min(end - timedelta(days=1), today)
        async with self._books.records.read() as session:
            main = await main_of(session, court_id)
        statement, trouble = await self._statement(main, since, until)
        begins, ends = _midnight(since), _midnight(end)
        async with self._books.records.read() as session:
            cases = await _turnovers(session, main, begins, ends)
            total = sum((one.turnover for one in cases), Turnover())
            differences = await _differences(session, main, statement, begins, ends, total) if statement else []
            faults = await check_books(session, await session.get_one(MainAccount, main.id))
        return Reconciliation(
            main_id=main.id,
            court_id=court_id,
            main_number=main.number,
            since=since,
            until=until,
            cases=tuple(cases),
            total=total,
            bank_opening_cents=statement.opening_cents if statement else None,
            bank_closing_cents=statement.closing_cents if statement else None,
            trouble=trouble,
            differences=tuple(differences),
            faults=tuple(faults),
        )

    async def _statement(self, main: MainAccount, since: date, until: date) -> tuple[Statement | None, str]:
        try:
            return await self._bank.statement(main.number, since, until), ""
        except GatewayTrouble as trouble:
            return None, trouble.code


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


async def _turnovers(session: AsyncSession, main: MainAccount, begins: datetime, ends: datetime) -> list[CaseTurnover]:
    """By owner and kind of account: what it had before the month, and what the month added."""
    before = func.coalesce(func.sum(sql_case((Posting.at < begins, Entry.cents), else_=0)), 0)
    during = func.coalesce(func.sum(sql_case((Posting.at >= begins, Entry.cents), else_=0)), 0)
    query = (
        select(LedgerAccount.owner_id, LedgerAccount.kind, before, during)
        .join(Entry, Entry.account_id == LedgerAccount.id)
        .join(Posting, Posting.id == Entry.posting_id)
        .where(LedgerAccount.main_id == main.id, Posting.at < ends)
        .group_by(LedgerAccount.owner_id, LedgerAccount.kind)
    )
    sums: dict[UUID, dict[AccountKind, tuple[int, int]]] = {}
    for owner_id, kind, had, added in await session.execute(query):
        sums.setdefault(owner_id, {})[AccountKind(kind)] = (int(had), int(added))
    known = (
        select(Case.id, Case.number, SubAccount.number.label("sub_number"))
        .join(SubAccount, SubAccount.case_id == Case.id)
        .where(SubAccount.main_id == main.id)
        .order_by(Case.number)
    )
    found = [CaseTurnover(None, "", "", _turnover(sums[main.id]))] if main.id in sums else []
    found.extend(
        CaseTurnover(row.id, row.number, row.sub_number, _turnover(sums[row.id]))
        for row in await session.execute(known)
        if row.id in sums
    )
    return found


def _turnover(sums: dict[AccountKind, tuple[int, int]]) -> Turnover:
    def added(kind: AccountKind) -> int:
        return sums.get(kind, (0, 0))[1]

    at_bank = [sums[kind] for kind in AT_BANK if kind in sums]
    opening = sum(had for had, _ in at_bank)
    return Turnover(
        opening_cents=opening,
        received_cents=-added(AccountKind.RECEIVED),
        paid_cents=added(AccountKind.PAID),
        refunded_cents=added(AccountKind.REFUNDED),
        fees_cents=added(AccountKind.FEES),
        closing_cents=opening + sum(new for _, new in at_bank),
        held_cents=sum(sums.get(AccountKind.HELD, (0, 0))),
    )


@dataclass(frozen=True, slots=True)
class _Booked:
    """A posting that moved money at the bank: what it is called there, and when it was there."""

    cents: int
    posted_at: datetime
    at_bank: datetime | None


async def _differences(
    session: AsyncSession,
    main: MainAccount,
    statement: Statement,
    begins: datetime,
    ends: datetime,
    total: Turnover,
) -> list[Difference]:
    named, again = dict[str, Movement](), list[Movement]()
    for one in statement.movements:
        if named.setdefault(_reference(one), one) is not one:
            again.append(one)
    booked = await _booked(session, main, begins, ends, named)
    ordered = select(Payment).where(Payment.main_id == main.id, Payment.number.in_(named))
    orders = {one.number: one for one in await session.scalars(ordered)}
    found = [
        _compared(reference, movement, booked.get(reference), begins, ends, orders.get(reference))
        for reference, movement in named.items()
    ]
    found += [Difference(DiscrepancyCode.PAID_TWICE.value, one.serial, one.cents, 0) for one in again]
    found += [_not_named(reference, one, begins, ends) for reference, one in booked.items() if reference not in named]
    for code, bank_cents, book_cents in (
        ("opening-differs", statement.opening_cents, total.opening_cents),
        ("closing-differs", statement.closing_cents, total.closing_cents),
    ):
        if bank_cents != book_cents:
            found.append(Difference(code, main.number, bank_cents, book_cents))
    return [one for one in found if one is not None]


def _reference(movement: Movement) -> str:
    """What came in goes by the bank's serial, what went out by our order's number."""
    return movement.serial if movement.cents > 0 or not movement.order_number else movement.order_number


async def _booked(
    session: AsyncSession, main: MainAccount, begins: datetime, ends: datetime, named: dict[str, Movement]
) -> dict[str, _Booked]:
    """What the books have of this month, and of whatever the statement names."""
    this_month = (Posting.at >= begins) & (Posting.at < ends)
    came = (
        select(Arrival.bank_serial, Posting.bank_cents, Posting.at, Arrival.arrived_at)
        .join(Posting, (Posting.cause_id == Arrival.id) & (Posting.kind == PostingKind.ARRIVAL.value))
        .where(Arrival.main_id == main.id, this_month | Arrival.bank_serial.in_(named))
    )
    went = (
        select(Payment.number, Posting.bank_cents, Posting.at, Payment.paid_at)
        .join(Posting, (Posting.cause_id == Payment.id) & (Posting.kind == PostingKind.PAYMENT.value))
        .where(Payment.main_id == main.id, this_month | Payment.number.in_(named))
    )
    return {row[0]: _Booked(*row[1:]) for query in (came, went) for row in await session.execute(query)}


def _compared(
    reference: str,
    movement: Movement,
    booked: _Booked | None,
    begins: datetime,
    ends: datetime,
    order: Payment | None,
) -> Difference | None:
    """What is wrong with one line of the statement; None where the books have the same."""
    if order is not None and movement.cents != -order.cents:
        return Difference(DiscrepancyCode.ORDER_AMOUNT.value, reference, movement.cents, -order.cents)
    if booked is None and order is not None:
        code = PAID_AFTER_REFUSAL if order.state == PaymentState.REFUSED else "outcome-unknown"
        return Difference(code, reference, movement.cents, 0)
    if booked is None:
        return Difference("not-booked", reference, movement.cents, 0)
    if booked.cents != movement.cents:
        return Difference("amount-differs", reference, movement.cents, booked.cents)
    if not begins <= booked.posted_at < ends:
        return Difference("booked-in-another-month", reference, movement.cents, 0)
    return None


def _not_named(reference: str, booked: _Booked, begins: datetime, ends: datetime) -> Difference:
    """What is wrong with a posting of this month that the statement doesn't name."""
    is_elsewhere = booked.at_bank is not None and not begins <= booked.at_bank < ends
    code = "booked-in-another-month" if is_elsewhere else "not-at-bank"
    return Difference(code, reference, 0, booked.cents)
