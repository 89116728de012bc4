"""Double entry: every posting is a balanced set of entries, and after each the books are held against each other.

Two rules are checked in the transaction of every posting, by what the database then holds:

- the sub-accounts and what waits to be claimed add up to the balance of the main account;
- of every case, received = paid + refunded + fees + held + undistributed + prepaid + being paid.

No law asks for double entry; it is how the two rules of the books are held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting
from assets.case_accounts.states import AT_BANK, AccountKind, PostingKind
from assets.errors import PostingRefused
from assets.identifiers import new_id

_AT_BANK = [kind.value for kind in AT_BANK]


@dataclass(frozen=True, slots=True)
class Line:
    """More (or, negative, less) money in one account; `case_id` None is the court's own."""

    kind: AccountKind
    cents: int
    case_id: UUID | None = None


def arriving(cents: int, place: AccountKind, case_id: UUID | None) -> tuple[Line, ...]:
    """The lines of money that comes in and lies at `place` from then on."""
    return (Line(AccountKind.RECEIVED, -cents, case_id), Line(place, cents, case_id))


def moving(cents: int, before: AccountKind, after: AccountKind, case_id: UUID | None) -> tuple[Line, ...]:
    """The lines of money of one case, or of none, that goes from one place to another."""
    return (Line(before, -cents, case_id), Line(after, cents, case_id))


class Ledger:
    """Writes postings, in the caller's transaction, on a main account whose row the caller has locked."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def post(
        self,
        session: AsyncSession,
        main: MainAccount,
        kind: PostingKind,
        lines: Sequence[Line],
        *,
        cause_id: UUID,
        case_id: UUID | None,
        actor_id: UUID | None = None,
        bank_cents: int = 0,
        at: datetime | None = None,
    ) -> Posting:
        """Add one posting; `bank_cents` is by how much the money at the bank changes with it, `at` when, if not now.

        Raises:
            PostingRefused: it isn't balanced, takes what isn't there, or the books wouldn't agree after it. Whoever
                catches it must let the transaction end without a commit.
        """
        _require_balanced(lines, bank_cents)
        accounts = await self._accounts(session, main, {line.case_id or main.id for line in lines})
        main.postings += 1
        main.balance_cents += bank_cents
        posting = Posting(
            id=new_id(),
            main_id=main.id,
            number=main.postings,
            kind=kind.value,
            case_id=case_id,
            actor_id=actor_id,
            at=at or self._clock(),
            bank_cents=bank_cents,
            cause_id=cause_id,
        )
        session.add(posting)
        entries = [_entered(posting, self._account(session, accounts, main, line), line) for line in lines]
        await session.flush()  # the posting and new accounts before their entries
        session.add_all(entries)
        await session.flush()
        await require_agreement(session, main, {line.case_id or main.id for line in lines})
        return posting

    async def _accounts(
        self, session: AsyncSession, main: MainAccount, owners: Iterable[UUID]
    ) -> dict[tuple[UUID, str], LedgerAccount]:
        query = (
            select(LedgerAccount).where(LedgerAccount.owner_id.in_(owners)).execution_options(populate_existing=True)
        )
        return {(one.owner_id, one.kind): one for one in await session.scalars(query)}

    def _account(
        self, session: AsyncSession, known: dict[tuple[UUID, str], LedgerAccount], main: MainAccount, line: Line
    ) -> LedgerAccount:
        owner_id = line.case_id or main.id
        account = known.get((owner_id, line.kind.value))
        if account is None:
            account = LedgerAccount(
                id=new_id(), main_id=main.id, owner_id=owner_id, kind=line.kind.value, balance_cents=0
            )
            known[owner_id, line.kind.value] = account
            session.add(account)
        return account


def _require_balanced(lines: Sequence[Line], bank_cents: int) -> None:
    by_owner: defaultdict[UUID | None, int] = defaultdict(int)
    for line in lines:
        by_owner[line.case_id] += line.cents
    if not lines or any(line.cents == 0 for line in lines):
        raise PostingRefused("empty")
    if any(by_owner.values()):
        raise PostingRefused("unbalanced")
    if sum(line.cents for line in lines if line.kind in AT_BANK) != bank_cents:
        raise PostingRefused("bank")


def _entered(posting: Posting, account: LedgerAccount, line: Line) -> Entry:
    balance = account.balance_cents + line.cents
    is_possible = balance <= 0 if line.kind is AccountKind.RECEIVED else balance >= 0
    if not is_possible:
        raise PostingRefused("overdrawn")
    account.balance_cents = balance
    return Entry(id=new_id(), posting_id=posting.id, account_id=account.id, cents=line.cents, balance_cents=balance)


async def require_agreement(session: AsyncSession, main: MainAccount, owners: Iterable[UUID]) -> None:
    """Hold the books against each other as the database has them now.

    Raises:
        PostingRefused: they don't agree.
    """
    at_bank = select(func.coalesce(func.sum(LedgerAccount.balance_cents), 0)).where(
        LedgerAccount.main_id == main.id, LedgerAccount.kind.in_(_AT_BANK)
    )
    if int((await session.execute(at_bank)).scalar_one()) != main.balance_cents:
        raise PostingRefused("control-total")
    by_owner = (
        select(LedgerAccount.owner_id)
        .where(LedgerAccount.owner_id.in_(owners))
        .group_by(LedgerAccount.owner_id)
        .having(func.sum(LedgerAccount.balance_cents) != 0)
    )
    if (await session.scalars(by_owner)).first() is not None:
        raise PostingRefused("case-total")
