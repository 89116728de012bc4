"""Looking at the money of cases: the list, one case, what waits to be claimed, the postings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.audit import Actor
from assets.case_accounts.accounts import seen_courts
from assets.case_accounts.books import Books
from assets.case_accounts.deadlines import ClockState, Deferral, fee_refund_deadline, payout_deadline
from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting, SubAccount
from assets.case_accounts.premises import changes_since
from assets.case_accounts.states import (
    AT_BANK,
    OPEN_PAYMENTS,
    PAID_AFTER_REFUSAL,
    AccountKind,
    ArrivalPurpose,
    ArrivalState,
    PaymentPurpose,
    PaymentState,
    ProposalKind,
    ProposalState,
)
from assets.case_accounts.tables import Arrival, CourtFeeRefund, Discrepancy, Hold, Notice, Payee, Payment, Proposal
from assets.case_accounts.views import (
    AccountLine,
    AccountView,
    ArrivalView,
    DiscrepancyView,
    MainView,
    OfNoCase,
    PaymentView,
    PersonLine,
    ProposalView,
    arrival_view,
    discrepancy_view,
    hold_view,
    main_view,
    notice_view,
    payment_view,
    person_line,
    places,
    proposal_view,
    returned_view,
)
from assets.masks import masked_name
from assets.names import names_by_case, private_names
from assets.orders import acting_court, case_of, require
from assets.tables import Case, Person
from assets.terms import china_day

LARGEST_LIST = 500
RETURNED_SHOWN = 50
_AT_BANK = [kind.value for kind in AT_BANK]
_DEBTORS_SHOWN = 3

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PostingView:
    """One posting of a case with its entries: kind of account, cents, balance after."""

    id: UUID
    number: int
    kind: str
    at: datetime
    actor_id: UUID | None
    bank_cents: int
    entries: tuple[tuple[str, int, int], ...]


class Reading:
    """Everything here is masked, and only of the actor's courts."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def mains(self, actor: Actor) -> list[MainView]:
        """The main accounts of the actor's courts."""
        require(actor.may_see)
        query = (
            select(MainAccount, func.coalesce(LedgerAccount.balance_cents, 0))
            .outerjoin(
                LedgerAccount,
                (LedgerAccount.owner_id == MainAccount.id) & (LedgerAccount.kind == AccountKind.UNCLAIMED.value),
            )
            .where(MainAccount.court_id.in_(seen_courts(actor)))
            .order_by(MainAccount.number)
        )
        async with self._books.records.read() as session:
            return [main_view(main, int(cents)) for main, cents in await session.execute(query)]

    async def accounts(self, actor: Actor, *, open_only: bool, after: str = "", limit: int) -> list[AccountLine]:
        """The accounts with money in them, the most urgent first; or all, by number, from behind `after`."""
        require(actor.may_see)
        query = (
            select(SubAccount, Case)
            .join(Case, Case.id == SubAccount.case_id)
            .where(Case.court_id.in_(seen_courts(actor)))
            .limit(limit)
        )
        if open_only:
            since = _oldest_open()
            with_money = select(LedgerAccount.owner_id).where(
                LedgerAccount.kind.in_(_AT_BANK), LedgerAccount.balance_cents > 0
            )
            query = query.outerjoin(since, since.c.case_id == Case.id).where(SubAccount.case_id.in_(with_money))
            query = query.order_by(since.c.since.nulls_last(), Case.number)
        else:
            query = query.where(Case.number > after).order_by(Case.number)
        async with self._books.records.read() as session:
            rows = [(row[0], row[1]) for row in await session.execute(query)]
            lines = await self._lines(session, rows)
        return sorted(lines, key=_urgency) if open_only else lines

    async def account(self, actor: Actor, case_id: UUID) -> AccountView:
        """All of one case's account."""
        require(actor.may_see)
        async with self._books.records.read() as session:
            case = await case_of(session, actor, case_id)
            sub = (await session.scalars(select(SubAccount).where(SubAccount.case_id == case_id))).one_or_none()
            if sub is None:  # a case that came in a moment ago: it gets its own with the next reading of the bank
                sub = SubAccount(case_id=case_id, number="", effective_on=None)
            (line,) = await self._lines(session, [(sub, case)])
            refunded = set(
                await session.scalars(select(CourtFeeRefund.arrival_id).where(CourtFeeRefund.case_id == case_id))
            )
            arrivals = await _of_case(session, Arrival, case_id)
            names = await private_names(session, [case_id])
            return AccountView(
                line=line,
                acting_court=acting_court(actor, case),
                effective_on=sub.effective_on,
                persons=tuple(await _persons(session, case_id)),
                arrivals=tuple(arrival_view(one, names, is_refunded=one.id in refunded) for one in arrivals),
                proposals=tuple(
                    [await _proposal_view(session, one, names) for one in await _of_case(session, Proposal, case_id)]
                ),
                payments=tuple(payment_view(one, names) for one in await _of_case(session, Payment, case_id)),
                holds=tuple(hold_view(one, names) for one in await _of_case(session, Hold, case_id)),
                notices=tuple(notice_view(one) for one in await _of_case(session, Notice, case_id)),
            )

    async def of_no_case(self, actor: Actor) -> OfNoCase:
        """What waits to be claimed, the oldest first, and what is proposed and ordered about money of no case."""
        require(actor.may_see)
        mains = select(MainAccount.id).where(MainAccount.court_id.in_(seen_courts(actor)))
        waiting = select(Arrival).where(Arrival.main_id.in_(mains), Arrival.state == ArrivalState.WAITING.value)
        proposed = select(Proposal).where(
            Proposal.main_id.in_(mains), Proposal.case_id.is_(None), Proposal.state == ProposalState.PROPOSED.value
        )
        ordered = select(Payment).where(Payment.main_id.in_(mains), Payment.case_id.is_(None), _is_unsettled())
        went_back = (
            Payment.main_id.in_(mains),
            Payment.case_id.is_(None),
            Payment.purpose == PaymentPurpose.RETURN.value,
            Payment.state == PaymentState.PAID.value,
        )
        returned = (
            select(Payment, Proposal)
            .join(Proposal, Proposal.id == Payment.proposal_id)
            .where(*went_back)
            .order_by(Payment.answered_at.desc(), Payment.id.desc())
            .limit(RETURNED_SHOWN)
        )
        async with self._books.records.read() as session:
            arrivals = await session.scalars(waiting.order_by(Arrival.notified_at, Arrival.id).limit(LARGEST_LIST))
            proposals = list(await session.scalars(proposed.order_by(Proposal.id).limit(LARGEST_LIST)))
            payments = await session.scalars(ordered.order_by(Payment.id).limit(LARGEST_LIST))
            newest = tuple(returned_view(row[0], row[1]) for row in await session.execute(returned))
            count = await session.scalar(select(func.count()).select_from(Payment).where(*went_back)) or 0
            return OfNoCase(
                arrivals=tuple(arrival_view(one) for one in arrivals),
                proposals=tuple([proposal_view(one, await _payers(session, one)) for one in proposals]),
                payments=tuple(payment_view(one) for one in payments),
                returned=newest,
                returned_before=count - len(newest),
            )

    async def discrepancies(self, actor: Actor, *, open_only: bool) -> list[DiscrepancyView]:
        """What left the main accounts of the actor's courts and isn't what was ordered, the newest first."""
        require(actor.may_see)
        query = (
            select(Discrepancy, Payment)
            .join(MainAccount, MainAccount.id == Discrepancy.main_id)
            .outerjoin(Payment, Payment.id == Discrepancy.payment_id)
            .where(MainAccount.court_id.in_(seen_courts(actor)))
            .order_by(Discrepancy.id.desc())
            .limit(LARGEST_LIST)
        )
        if open_only:
            query = query.where(Discrepancy.closed_at.is_(None))
        async with self._books.records.read() as session:
            rows: list[tuple[Discrepancy, Payment | None]] = [(row[0], row[1]) for row in await session.execute(query)]
            case_ids = {order.case_id for _, order in rows if order is not None and order.case_id is not None}
            names = await names_by_case(session, case_ids)
        return [
            discrepancy_view(found, order, names[order.case_id] if order and order.case_id else ())
            for found, order in rows
        ]

    async def postings(self, actor: Actor, case_id: UUID) -> list[PostingView]:
        """The postings of a case, the oldest first."""
        require(actor.may_see)
        query = (
            select(Posting, LedgerAccount.kind, Entry.cents, Entry.balance_cents)
            .join(Entry, Entry.posting_id == Posting.id)
            .join(LedgerAccount, LedgerAccount.id == Entry.account_id)
            .where(LedgerAccount.owner_id == case_id)
            .order_by(Posting.number, Entry.id)
        )
        async with self._books.records.read() as session:
            await case_of(session, actor, case_id)
            entries: defaultdict[UUID, list[tuple[str, int, int]]] = defaultdict(list)
            postings: dict[UUID, Posting] = {}
            for posting, kind, cents, balance in await session.execute(query):
                postings[posting.id] = posting
                entries[posting.id].append((kind, cents, balance))
        return [
            PostingView(one.id, one.number, one.kind, one.at, one.actor_id, one.bank_cents, tuple(entries[one.id]))
            for one in postings.values()
        ]

    async def arrival(self, arrival_id: UUID) -> ArrivalView:
        """One arrival that somebody has just claimed."""
        async with self._books.records.read() as session:
            arrival = await session.get_one(Arrival, arrival_id)
            return arrival_view(arrival, await private_names(session, [arrival.case_id]) if arrival.case_id else ())

    async def proposal(self, proposal_id: UUID) -> ProposalView:
        """One proposal that somebody has just made or decided on."""
        async with self._books.records.read() as session:
            proposal = await session.get_one(Proposal, proposal_id)
            if proposal.case_id:
                names: Sequence[str] = await private_names(session, [proposal.case_id])
            else:
                names = await _payers(session, proposal)
            return await _proposal_view(session, proposal, names)

    async def payment(self, payment_id: UUID) -> PaymentView:
        """One payment that somebody has just had asked for."""
        async with self._books.records.read() as session:
            payment = await session.get_one(Payment, payment_id)
            return payment_view(payment, await private_names(session, [payment.case_id]) if payment.case_id else ())

    async def _lines(self, session: AsyncSession, rows: Sequence[tuple[SubAccount, Case]]) -> list[AccountLine]:
        case_ids = [case.id for _, case in rows]
        money = await _balances(session, case_ids)
        arrivals = await _arrivals(session, case_ids)
        payments = await _open_payments(session, case_ids)
        debtors = await _debtors(session, case_ids)
        waiting, deferrals = await _proposals(session, case_ids)
        today, lines = self._books.today(), []
        for sub, case in rows:
            found, orders = money[case.id], payments[case.id]
            fee_orders = sum(one.cents for one in orders if _is_open_fee(one))
            open_cents = found[AccountKind.UNDISTRIBUTED] + found[AccountKind.PAYING] - fee_orders
            lines.append(
                AccountLine(
                    case_id=case.id,
                    case_number=case.number,
                    court_id=case.court_id,
                    sub_number=sub.number,
                    debtors=tuple(debtors[case.id][:_DEBTORS_SHOWN]),
                    judge_name=case.judge_name,
                    is_demonstration=case.is_demonstration,
                    places=places(found),
                    payout=payout_deadline(
                        arrivals[case.id], open_cents, deferrals[case.id], today, self._books.practice
                    ),
                    fee_refund=fee_refund_deadline(found[AccountKind.PREPAID] + fee_orders, sub.effective_on, today),
                    unknown_payments=sum(one.state in (PaymentState.UNKNOWN, PaymentState.REFUSED) for one in orders),
                    waiting_proposals=waiting[case.id],
                )
            )
        return lines


def _oldest_open() -> Subquery:
    """When the court learnt of each case's oldest money that isn't paid out; payments count for the oldest."""
    is_open = LedgerAccount.kind.in_((AccountKind.UNDISTRIBUTED.value, AccountKind.PAYING.value))
    there = (
        select(LedgerAccount.owner_id, func.sum(LedgerAccount.balance_cents).label("cents"))
        .where(is_open)
        .group_by(LedgerAccount.owner_id)
        .having(func.sum(LedgerAccount.balance_cents) > 0)
        .subquery()
    )
    came = (
        select(
            Arrival.case_id,
            Arrival.notified_at,
            func.sum(Arrival.cents)
            .over(partition_by=Arrival.case_id, order_by=(Arrival.notified_at, Arrival.id))
            .label("so_far"),
            func.sum(Arrival.cents).over(partition_by=Arrival.case_id).label("total"),
        )
        .where(Arrival.purpose == ArrivalPurpose.ENFORCEMENT.value, Arrival.case_id.is_not(None))
        .subquery()
    )
    return (
        select(came.c.case_id, func.min(came.c.notified_at).label("since"))
        .join(there, there.c.owner_id == came.c.case_id)
        .where(came.c.so_far > came.c.total - there.c.cents)
        .group_by(came.c.case_id)
        .subquery()
    )


def _is_open_fee(order: Payment) -> bool:
    return order.purpose == PaymentPurpose.COURT_FEE and PaymentState(order.state) in OPEN_PAYMENTS


def _urgency(line: AccountLine) -> tuple[int, date, str]:
    ranks = {ClockState.OVERDUE: 0, ClockState.RUNNING: 1, ClockState.DEFERRED: 2, ClockState.NONE: 3}
    deadlines = (line.payout, line.fee_refund)
    days = [one.due_on for one in deadlines if one.due_on is not None]
    return min(ranks[one.state] for one in deadlines), min(days, default=date.max), line.case_number


Row = TypeVar("Row", Arrival, Proposal, Payment, Hold, Notice)


async def _of_case(session: AsyncSession, table: type[Row], case_id: UUID) -> list[Row]:
    return list(await session.scalars(select(table).where(table.case_id == case_id).order_by(table.id)))


async def _proposal_view(session: AsyncSession, proposal: Proposal, names: Sequence[str]) -> ProposalView:
    is_open = proposal.kind == ProposalKind.DISTRIBUTION and proposal.state == ProposalState.PROPOSED
    return proposal_view(proposal, names, await changes_since(session, proposal) if is_open else ())


async def _persons(session: AsyncSession, case_id: UUID) -> list[PersonLine]:
    payees = {
        payee.person_id: payee
        for payee in await session.scalars(
            select(Payee).where(Payee.case_id == case_id).order_by(Payee.named_at, Payee.id)
        )
    }
    query = select(Person).where(Person.case_id == case_id).order_by(Person.ordinal, Person.id)
    return [person_line(person, payees.get(person.id)) for person in await session.scalars(query)]


async def _payers(session: AsyncSession, proposal: Proposal) -> list[str]:
    """Whose name has to be masked in what was written about money of no case."""
    if "arrival_id" in proposal.content:
        return [(await session.get_one(Arrival, UUID(proposal.content["arrival_id"]))).payer_name]
    return [(await session.get_one(Payment, UUID(proposal.content["payment_id"]))).payee_name]


async def _balances(session: AsyncSession, case_ids: Iterable[UUID]) -> Mapping[UUID, dict[AccountKind, int]]:
    found: defaultdict[UUID, dict[AccountKind, int]] = defaultdict(lambda: dict.fromkeys(AccountKind, 0))
    query = select(LedgerAccount.owner_id, LedgerAccount.kind, LedgerAccount.balance_cents).where(
        LedgerAccount.owner_id.in_(case_ids)
    )
    for owner_id, kind, cents in await session.execute(query):
        found[owner_id][AccountKind(kind)] = -cents if kind == AccountKind.RECEIVED else cents
    return found


async def _arrivals(session: AsyncSession, case_ids: Iterable[UUID]) -> Mapping[UUID, list[tuple[date, int]]]:
    query = select(Arrival.case_id, Arrival.notified_at, Arrival.cents).where(
        Arrival.case_id.in_(case_ids), Arrival.purpose == ArrivalPurpose.ENFORCEMENT.value
    )
    found = await session.execute(query)
    return _grouped((case_id, (china_day(at), cents)) for case_id, at, cents in found if case_id is not None)


async def _open_payments(session: AsyncSession, case_ids: Iterable[UUID]) -> Mapping[UUID, list[Payment]]:
    query = select(Payment).where(Payment.case_id.in_(case_ids), _is_unsettled())
    return _grouped((one.case_id, one) for one in await session.scalars(query) if one.case_id is not None)


def _is_unsettled() -> ColumnElement[bool]:
    """Payments without a definite answer, or that the bank says both of."""
    return Payment.state.in_([state.value for state in OPEN_PAYMENTS]) | (Payment.trouble == PAID_AFTER_REFUSAL)


async def _debtors(session: AsyncSession, case_ids: Iterable[UUID]) -> Mapping[UUID, list[str]]:
    query = (
        select(Person)
        .where(Person.case_id.in_(case_ids), Person.role == "under_enforcement")
        .order_by(Person.ordinal, Person.id)
    )
    people = await session.scalars(query)
    return _grouped((one.case_id, masked_name(one.name, is_firm=one.is_firm)) for one in people)


async def _proposals(
    session: AsyncSession, case_ids: Iterable[UUID]
) -> tuple[Mapping[UUID, int], Mapping[UUID, list[Deferral]]]:
    waiting: defaultdict[UUID, int] = defaultdict(int)
    deferrals: defaultdict[UUID, list[Deferral]] = defaultdict(list)
    for one in await session.scalars(select(Proposal).where(Proposal.case_id.in_(case_ids))):
        if one.case_id is None:
            continue
        waiting[one.case_id] += one.state == ProposalState.PROPOSED
        was_approved = one.state in (ProposalState.APPROVED, ProposalState.ENDED)
        if one.kind == ProposalKind.DEFERRAL and was_approved and one.decided_at is not None:
            deferrals[one.case_id].append(Deferral(china_day(one.decided_at), one.ended_on))
    return waiting, deferrals


def _grouped(pairs: Iterable[tuple[UUID, Value]]) -> Mapping[UUID, list[Value]]:
    groups: defaultdict[UUID, list[Value]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
