"""Reads a court's books from the first entry to the last, and names everything that doesn't agree."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting
from assets.case_accounts.states import AT_BANK, AccountKind


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement: what kind, of which row, and by how much."""

    code: str
    subject_id: UUID
    cents: int


async def check_books(session: AsyncSession, main: MainAccount) -> list[Fault]:
    """Everything in the books of one main account that isn't as double entry has it; empty where all agrees."""
    return [
        *await _unbalanced_postings(session, main),
        *await _missing_numbers(session, main),
        *await _wrong_balances(session, main),
        *await _wrong_totals(session, main),
    ]


async def _unbalanced_postings(session: AsyncSession, main: MainAccount) -> list[Fault]:
    """Postings without entries, or with entries that don't add up to nothing."""
    total = func.coalesce(func.sum(Entry.cents), 0)
    query = (
        select(Posting.id, total, func.count(Entry.id))
        .outerjoin(Entry, Entry.posting_id == Posting.id)
        .where(Posting.main_id == main.id)
        .group_by(Posting.id)
        .having((total != 0) | (func.count(Entry.id) < 2))
    )
    return [Fault("posting-unbalanced", row[0], int(row[1])) for row in await session.execute(query)]


async def _missing_numbers(session: AsyncSession, main: MainAccount) -> list[Fault]:
    query = select(func.count(Posting.id), func.coalesce(func.max(Posting.number), 0)).where(Posting.main_id == main.id)
    count, last = (await session.execute(query)).one()
    return [] if count == last == main.postings else [Fault("postings-missing", main.id, main.postings - count)]


async def _wrong_balances(session: AsyncSession, main: MainAccount) -> list[Fault]:
    total = func.coalesce(func.sum(Entry.cents), 0)
    query = (
        select(LedgerAccount.id, LedgerAccount.kind, LedgerAccount.balance_cents, total)
        .outerjoin(Entry, Entry.account_id == LedgerAccount.id)
        .where(LedgerAccount.main_id == main.id)
        .group_by(LedgerAccount.id, LedgerAccount.kind, LedgerAccount.balance_cents)
    )
    faults = []
    for account_id, kind, balance, entered in await session.execute(query):
        if balance != entered:
            faults.append(Fault("balance-not-entered", account_id, balance - int(entered)))
        if balance > 0 if kind == AccountKind.RECEIVED else balance < 0:
            faults.append(Fault("balance-impossible", account_id, balance))
    return faults


async def _wrong_totals(session: AsyncSession, main: MainAccount) -> list[Fault]:
    query = select(LedgerAccount.owner_id, LedgerAccount.kind, LedgerAccount.balance_cents).where(
        LedgerAccount.main_id == main.id
    )
    at_bank, by_owner = 0, dict[UUID, int]()
    for owner_id, kind, cents in await session.execute(query):
        at_bank += cents if AccountKind(kind) in AT_BANK else 0
        by_owner[owner_id] = by_owner.get(owner_id, 0) + cents
    faults = [Fault("case-total", owner_id, cents) for owner_id, cents in by_owner.items() if cents]
    movements = select(func.coalesce(func.sum(Posting.bank_cents), 0)).where(Posting.main_id == main.id)
    moved = int((await session.execute(movements)).scalar_one())
    if not at_bank == main.balance_cents == moved:
        faults.append(Fault("control-total", main.id, main.balance_cents - at_bank))
    return faults
