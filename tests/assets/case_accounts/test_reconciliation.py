"""The month of a court's money against the bank's statement: equal to the cent, or every difference by its name."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from assets.case_accounts.reconciliation import Difference, Reconciliation
from assets.case_accounts.tables import Arrival
from assets.errors import BadFormat
from tests.assets.case_accounts.conftest import CARD, MAIN, Treasury, claim

DAY = 86_400


async def november(treasury: Treasury, month: int = 11) -> Reconciliation:
    return await treasury.accounts.reconciliation(treasury.judge, treasury.court_id, 2026, month)


async def test_a_month_adds_up_per_case_and_together_and_equals_the_banks(treasury: Treasury) -> None:
    first, second = [await treasury.case(claim(100_000_00)) for _ in range(2)]
    await treasury.deposit(30_000_00, case_id=first)
    await treasury.deposit(10_000_00, case_id=second)
    await treasury.deposit(5_000_00, remark="不知道")
    await treasury.name_payees(first)
    await treasury.approve(await treasury.propose(first))
    await treasury.pay_all(first)
    found = await november(treasury)
    assert found.agrees
    by_case = {one.case_id: one.turnover for one in found.cases}
    assert (by_case[first].received_cents, by_case[first].paid_cents, by_case[first].fees_cents) == (
        30_000_00, 29_650_00, 350_00,
    )  # fmt: skip
    assert (by_case[first].closing_cents, by_case[second].closing_cents, by_case[None].closing_cents) == (
        0, 10_000_00, 5_000_00,
    )  # fmt: skip
    total = found.total
    assert total.opening_cents + total.received_cents - total.paid_cents - total.fees_cents == total.closing_cents
    assert (total.received_cents, total.closing_cents, found.bank_closing_cents) == (45_000_00, 15_000_00, 15_000_00)

    treasury.clock.move(20 * DAY)
    december = await november(treasury, 12)
    assert december.agrees
    assert (december.total.opening_cents, december.total.received_cents, december.bank_opening_cents) == (
        15_000_00, 0, 15_000_00,
    )  # fmt: skip


async def test_every_difference_is_named(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_000_00))
    await quick.deposit(100_00, case_id=case_id)
    serial = await quick.arrive(7_00, case_id=case_id)  # the books have it, the bank doesn't
    async with quick.database.write() as session:
        await session.execute(update(Arrival).where(Arrival.cents == 100_00).values(bank_serial="gone"))
    found = await november(quick)
    assert not found.agrees
    codes = sorted((one.code, one.bank_cents, one.book_cents) for one in found.differences)
    assert codes == [
        ("closing-differs", 100_00, 107_00),
        ("not-at-bank", 0, 7_00),
        ("not-at-bank", 0, 100_00),
        ("not-booked", 100_00, 0),
    ]
    assert serial in {one.reference for one in found.differences}


async def test_a_payment_whose_outcome_is_unknown_is_named_with_its_number(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_000_00))
    await quick.deposit(100_00, case_id=case_id)
    await quick.name_payees(case_id)
    await quick.approve(await quick.propose(case_id))
    quick.behave(CARD, "server-error")
    await quick.pay_all(case_id)
    found = await november(quick)
    (unknown,) = [
        one for one in (await quick.accounts.account(quick.judge, case_id)).payments if one.state == "unknown"
    ]
    assert found.differences == (
        Difference("outcome-unknown", unknown.number, -50_00, 0),
        Difference("closing-differs", MAIN, 0, 50_00),
    )


async def test_what_the_bank_and_the_books_have_in_two_months_is_told_as_that(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_000_00))
    await quick.deposit(100_00, case_id=case_id)
    await quick.name_payees(case_id)
    await quick.approve(await quick.propose(case_id))
    quick.behave(CARD, "server-error", times=1)
    await quick.pay_all(case_id)  # the bank pays in November
    quick.clock.move(10 * DAY)
    await quick.pay_all(case_id)  # the books learn it in December
    for month, difference in ((11, "closing-differs"), (12, "opening-differs")):
        found = await november(quick, month)
        assert {one.code for one in found.differences} == {"booked-in-another-month", difference}


async def test_without_a_statement_nothing_is_said_to_agree(quick: Treasury) -> None:
    await quick.deposit(100_00)
    quick.behave(MAIN, "server-error")
    found = await november(quick)
    assert (found.agrees, found.bank_closing_cents, found.trouble) == (False, None, "gateway-broke")
    assert found.total.closing_cents == 100_00
    with pytest.raises(BadFormat):
        await november(quick, 12)
