"""The bank that pays: slow, silent, wrong or contradicting itself, each order is paid once and told once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from assets.audit import Actor
from assets.case_accounts.bank import PayOrder, PayReceipt, Statement
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import PaymentState
from assets.case_accounts.views import PaymentView
from assets.errors import Conflict, GatewayBusy, GatewayRefused, NotFound
from assets.simulators.manners import Kind
from command_center.audit import Audit
from tests.assets.case_accounts.conftest import CARD, Treasury, claim, notice_words


@pytest.mark.parametrize("trouble", ["silent", "late", "server-error", "broken", "garbage", "reset"])
async def test_an_unanswered_payment_is_unknown_and_asked_again_by_its_number_and_paid_once(
    treasury: Treasury, trouble: Kind
) -> None:
    case_id = await treasury.ordered()
    treasury.behave(CARD, trouble, times=1)
    impatient = treasury.build(answer_seconds=1.0)
    assert sorted(await treasury.pay_all(case_id, impatient)) == ["paid", "unknown"]
    view = await impatient.account(treasury.judge, case_id)
    assert (view.line.unknown_payments, view.line.places.paying_cents, view.line.places.paid_cents) == (1, 50_00, 0)
    (unknown,) = [one for one in view.payments if one.state == "unknown"]
    assert unknown.trouble.startswith("gateway-")
    assert await treasury.pay_all(case_id) == ["paid", "paid"]
    assert len([one for one in await treasury.statement() if one["fx"] == "2"]) == 2
    await treasury.require_sound()
    await impatient.close()


async def test_the_payer_goes_on_by_itself_and_after_a_crash(treasury: Treasury) -> None:
    case_id = await treasury.ordered()
    treasury.behave(CARD, "silent", times=1)
    first = treasury.build(answer_seconds=1.0)
    running = asyncio.create_task(first.payer.run())
    await treasury.until_states(case_id, "paid", "unknown")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await first.close()
    treasury.clock.move(61)
    second = treasury.build()
    running = asyncio.create_task(second.run())
    await treasury.until_states(case_id, "paid", "paid")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await second.close()
    assert len([one for one in await treasury.statement() if one["fx"] == "2"]) == 2
    await treasury.require_sound()


async def test_the_statement_settles_a_payment_whose_answer_never_came(quick: Treasury) -> None:
    case_id = await quick.ordered()
    quick.behave(CARD, "server-error")
    assert sorted(await quick.pay_all(case_id)) == ["paid", "unknown"]
    await quick.accounts.collector.read(quick.main_id)
    view = await quick.accounts.account(quick.judge, case_id)
    assert [one.state for one in view.payments] == ["paid", "paid"]
    assert all(one.bank_serial for one in view.payments)
    await quick.require_sound()


async def test_a_refused_payment_comes_back_to_be_distributed(treasury: Treasury) -> None:
    case_id = await treasury.ordered()
    treasury.behave(CARD, "refuses", reason="户名不符（虚构）")
    assert sorted(await treasury.pay_all(case_id)) == ["paid", "refused"]
    found = await treasury.places(case_id)
    assert (found.undistributed_cents, found.paying_cents, found.fees_cents) == (50_00, 0, 50_00)
    view = await treasury.accounts.account(treasury.judge, case_id)
    assert [one.reason for one in view.payments if one.state == "refused"] == ["户名不符（虚构）"]
    assert view.notices == ()
    treasury.behave(CARD, "plain")
    await treasury.approve(await treasury.propose(case_id))
    await treasury.pay_all(case_id)
    assert (await treasury.places(case_id)).paid_cents == 50_00
    await treasury.require_sound()


async def refused_though_paid(treasury: Treasury) -> UUID:
    """A case whose claim the bank has paid, and says that it refused."""
    case_id = await treasury.ordered()
    treasury.behave(CARD, "server-error")
    await treasury.pay_all(case_id)
    treasury.behave(CARD, "contradicts")
    assert sorted(await treasury.pay_all(case_id)) == ["paid", "refused"]
    assert (await treasury.places(case_id)).undistributed_cents == 50_00
    return case_id


async def test_the_statement_overrules_a_bank_that_says_no_to_what_it_has_paid(treasury: Treasury) -> None:
    case_id = await refused_though_paid(treasury)
    await treasury.accounts.collector.read(treasury.main_id)
    found = await treasury.places(case_id)
    assert (found.undistributed_cents, found.paid_cents, found.fees_cents) == (0, 50_00, 50_00)
    assert (await treasury.require_sound()).balance_cents == 0


async def test_money_that_was_paid_twice_by_a_banks_false_word_is_told_and_never_hidden(quick: Treasury) -> None:
    case_id = await refused_though_paid(quick)
    quick.behave(CARD, "plain")
    # Nobody has read a statement since, and the same money is ordered once more.
    await quick.approve(await quick.propose(case_id))
    await quick.accounts.collector.read(quick.main_id)
    view = await quick.accounts.account(quick.judge, case_id)
    assert [one.trouble for one in view.payments if one.state == "refused"] == ["paid-after-refusal"]
    assert view.line.unknown_payments == 1
    report = await quick.accounts.reconciliation(quick.judge, quick.court_id, 2026, 11)
    assert "paid-after-refusal" in {one.code for one in report.differences}


class Resting:
    """A gateway that sends nothing for a while, and then refuses."""

    name = "resting"

    def __init__(self) -> None:
        self.rests = True

    async def pay(self, order: PayOrder) -> PayReceipt:
        if self.rests:
            raise GatewayBusy(self.name, 30.0, "rest")
        raise GatewayRefused(self.name, "不接受")

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is open."""


async def test_an_order_that_could_not_be_sent_is_not_unknown_and_its_first_refusal_counts(quick: Treasury) -> None:
    case_id = await quick.ordered()
    bank = Resting()
    accounts = CaseAccounts(quick.database, bank, Audit(quick.clock), quick.clock, _nobody, notice_words)
    assert await quick.pay_all(case_id, accounts) == ["ordered", "ordered"]
    view = await accounts.account(quick.judge, case_id)
    assert {(one.attempts, one.trouble) for one in view.payments} == {(0, "gateway-busy")}
    assert {one.next_ask_at for one in view.payments} == {quick.clock() + timedelta(seconds=30)}
    bank.rests = False
    assert await quick.pay_all(case_id, accounts) == ["refused", "refused"]
    assert (await quick.places(case_id)).undistributed_cents == 100_00


async def _nobody(_case_id: UUID | None) -> None:
    """Nobody is told."""


async def test_a_refusal_after_an_asking_that_was_not_answered_proves_nothing(quick: Treasury) -> None:
    case_id = await quick.ordered()
    quick.behave(CARD, "server-error")  # the bank has paid
    await quick.pay_all(case_id)
    quick.behave(CARD, "refuses")  # and doesn't take the number again
    assert sorted(await quick.pay_all(case_id)) == ["paid", "unknown"]
    assert (await quick.places(case_id)).paying_cents == 50_00


async def test_an_order_that_the_bank_works_on_is_neither_paid_nor_unknown(quick: Treasury) -> None:
    case_id = await quick.ordered()
    quick.behave(CARD, "accepted", times=1)
    assert sorted(await quick.pay_all(case_id)) == ["paid", "sent"]
    assert sorted(await quick.pay_all(case_id)) == ["paid", "paid"]


async def test_the_bank_refuses_what_the_main_account_does_not_have(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(100_00, case_id=case_id)  # in the books, and not at the bank
    await quick.name_payees(case_id)
    await quick.approve(await quick.propose(case_id))
    assert await quick.pay_all(case_id) == ["refused", "refused"]
    await quick.require_sound()


async def test_somebody_may_have_the_bank_asked_now(quick: Treasury) -> None:
    case_id = await quick.ordered()
    quick.behave(CARD, "server-error", times=1)
    await quick.pay_all(case_id)
    view = await quick.accounts.account(quick.judge, case_id)
    unknown = next(one for one in view.payments if one.state == PaymentState.UNKNOWN)
    settled = next(one for one in view.payments if one.state == PaymentState.PAID)
    assert unknown.next_ask_at == quick.clock() + timedelta(seconds=60)
    assert (await quick.accounts.ask_again(quick.judge, unknown.id)).next_ask_at == quick.clock()
    with pytest.raises(Conflict, match="payment-settled"):
        await quick.accounts.ask_again(quick.judge, settled.id)
    stranger = Actor(uuid4(), frozenset({uuid4()}), may_see=True, may_handle_money=True)
    with pytest.raises(NotFound):
        await quick.accounts.ask_again(stranger, unknown.id)


async def test_a_fee_that_was_refused_and_goes_back_again_takes_no_other_fee_when_it_shows_as_paid(
    quick: Treasury,
) -> None:
    case_id = await quick.case(claim(100_00))
    for _ in range(2):
        await quick.arrive(50_00, case_id=case_id, remark="诉讼费")
    arrival = (await quick.accounts.account(quick.judge, case_id)).arrivals[0]

    async def refund() -> PaymentView:
        proposal = await quick.accounts.propose_fee_refund(
            quick.judge, arrival.id, effective_on=date(2026, 11, 1), idempotency_key=uuid4()
        )
        await quick.approve(proposal)
        return (await quick.accounts.account(quick.judge, case_id)).payments[-1]

    first = await refund()
    await quick.accounts.settling.send(first.id)
    await quick.accounts.settling.answered(first.id, PayReceipt(first.number, is_paid=False, reason="否"))
    await refund()
    gone = replace(await quick.movement(-50_00), order_number=first.number)
    await quick.accounts.settling.seen_on_statement(quick.main_id, gone)
    view = await quick.accounts.account(quick.judge, case_id)
    assert [(one.state, one.trouble) for one in view.payments] == [("refused", "paid-after-refusal"), ("ordered", "")]
    await quick.require_sound()
