"""Double entry: a posting that would break the books is refused, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from assets.case_accounts.accounts import locked_main
from assets.case_accounts.ledger import Ledger, Line, arriving, moving
from assets.case_accounts.ledger_tables import Entry, LedgerAccount, MainAccount, Posting
from assets.case_accounts.states import AccountKind, PostingKind
from assets.errors import PostingRefused
from tests.assets.case_accounts.conftest import Treasury, claim


async def post(treasury: Treasury, lines: Sequence[Line], bank_cents: int = 0, case_id: UUID | None = None) -> None:
    async with treasury.database.write() as session:
        main = await locked_main(session, treasury.main_id)
        await Ledger(treasury.clock).post(
            session, main, PostingKind.ORDER, lines, cause_id=uuid4(), case_id=case_id, bank_cents=bank_cents
        )


async def counted(treasury: Treasury) -> tuple[int, int, int, int]:
    """Postings, entries, accounts, and the balance of the main account."""
    async with treasury.database.read() as session:
        rows = [
            (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (Posting, Entry, LedgerAccount)
        ]
        main = await session.get_one(MainAccount, treasury.main_id)
        return rows[0], rows[1], rows[2], main.balance_cents


CASE, OTHER = UUID(int=11), UUID(int=12)
REFUSED = {
    "empty": ((), 0),
    "empty-line": (moving(0, AccountKind.UNDISTRIBUTED, AccountKind.HELD, CASE), 0),
    "unbalanced": ((Line(AccountKind.UNDISTRIBUTED, -5, CASE), Line(AccountKind.HELD, 4, CASE)), 0),
    "unbalanced-case": ((Line(AccountKind.UNDISTRIBUTED, -5, CASE), Line(AccountKind.UNDISTRIBUTED, 5, OTHER)), 0),
    "bank": (moving(5, AccountKind.UNDISTRIBUTED, AccountKind.PAID, CASE), 0),
    "bank-too-much": (moving(5, AccountKind.UNDISTRIBUTED, AccountKind.PAID, CASE), -6),
    "overdrawn": (moving(101, AccountKind.UNDISTRIBUTED, AccountKind.HELD, CASE), 0),
    "overdrawn-other": (moving(1, AccountKind.PREPAID, AccountKind.PAYING, CASE), 0),
    "overdrawn-received": (
        (Line(AccountKind.RECEIVED, 101, CASE), Line(AccountKind.UNDISTRIBUTED, -101, CASE)), -101,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_would_break_the_books_is_refused_and_nothing_of_it_stays(treasury: Treasury, name: str) -> None:
    await post(treasury, arriving(100, AccountKind.UNDISTRIBUTED, CASE), 100)
    before = await counted(treasury)
    lines, bank_cents = REFUSED[name]
    with pytest.raises(PostingRefused) as refused:
        await post(treasury, lines, bank_cents)
    assert name.startswith(refused.value.why)
    assert await counted(treasury) == before
    await treasury.require_sound()


async def test_books_that_disagree_already_take_no_further_posting(treasury: Treasury) -> None:
    await post(treasury, arriving(100, AccountKind.UNDISTRIBUTED, CASE), 100)
    async with treasury.database.write() as session:
        await session.execute(update(MainAccount).values(balance_cents=99))
    with pytest.raises(PostingRefused, match="control-total"):
        await post(treasury, moving(5, AccountKind.UNDISTRIBUTED, AccountKind.HELD, CASE))


async def test_a_case_whose_money_does_not_add_up_takes_no_further_posting(treasury: Treasury) -> None:
    await post(treasury, arriving(100, AccountKind.UNDISTRIBUTED, CASE), 100)
    async with treasury.database.write() as session:
        paid = LedgerAccount(main_id=treasury.main_id, owner_id=CASE, kind="paid", balance_cents=1)
        session.add(paid)
    with pytest.raises(PostingRefused, match="case-total"):
        await post(treasury, moving(5, AccountKind.UNDISTRIBUTED, AccountKind.HELD, CASE))


async def test_the_database_itself_keeps_balances_from_going_below_nothing(treasury: Treasury) -> None:
    await post(treasury, arriving(100, AccountKind.UNDISTRIBUTED, CASE), 100)
    for kind, cents in (("undistributed", -1), ("received", 1)):
        with pytest.raises(IntegrityError):
            async with treasury.database.write() as session:
                await session.execute(
                    update(LedgerAccount).where(LedgerAccount.kind == kind).values(balance_cents=cents)
                )


async def test_the_check_from_the_first_entry_names_what_is_wrong(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(50_00, case_id=case_id)
    await quick.require_sound()
    async with quick.database.write() as session:
        await session.execute(update(Entry).where(Entry.cents > 0).values(cents=49_00))
    async with quick.database.read() as session:
        from assets.case_accounts.books_check import check_books

        faults = await check_books(session, await session.get_one(MainAccount, quick.main_id))
    assert {(one.code, one.cents) for one in faults} == {("posting-unbalanced", -1_00), ("balance-not-entered", 1_00)}
