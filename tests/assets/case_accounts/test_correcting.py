"""What was wrong and is mended: money of another case or of none, payments in doubt, movements that nobody ordered."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from assets.case_accounts.bank import Movement, PayOrder, PayReceipt, Statement
from assets.case_accounts.proposing import Papers
from assets.case_accounts.service import CaseAccounts
from assets.case_accounts.states import ArrivalPurpose, Outcome
from assets.case_accounts.views import PaymentView
from assets.errors import BadFormat, Conflict, GatewayUnreachable, NotPermitted
from command_center.audit import Audit, AuditEntry
from tests.assets.case_accounts.conftest import CARD, Treasury, claim, notice_words

TODAY = date(2026, 11, 22)


async def _unknown(treasury: Treasury, case_id: UUID) -> PaymentView:
    view = await treasury.accounts.account(treasury.judge, case_id)
    return next(one for one in view.payments if one.state == "unknown")


# Payments in doubt


@pytest.mark.parametrize(
    ("papers", "state", "paid_cents"),
    [
        (Papers(Outcome.PAID, "银行回单第1号", "VOUCHER1", TODAY), "paid", 50_00),
        (Papers(Outcome.NOT_EXECUTED, "银行函：未执行"), "refused", 0),
    ],
)
async def test_a_payment_in_doubt_is_settled_by_the_banks_papers_and_two_people(
    treasury: Treasury, papers: Papers, state: str, paid_cents: int
) -> None:
    case_id = await treasury.ordered()
    treasury.behave(CARD, "silent", times=1)
    impatient = treasury.build(answer_seconds=1.0)
    await treasury.pay_all(case_id, impatient)
    treasury.behave(CARD, "refuses")  # after a silence that proves nothing
    await treasury.pay_all(case_id)
    payment = await _unknown(treasury, case_id)
    proposal = await treasury.accounts.propose_settlement(treasury.judge, payment.id, papers, idempotency_key=uuid4())
    assert (proposal.cents, (await _unknown(treasury, case_id)).id) == (50_00, payment.id)
    with pytest.raises(Conflict, match="proposal-open"):
        await treasury.accounts.propose_settlement(treasury.judge, payment.id, papers, idempotency_key=uuid4())
    with pytest.raises(NotPermitted):
        await treasury.accounts.approve(treasury.judge, proposal.id, idempotency_key=uuid4())
    await treasury.approve(proposal)
    (settled,) = [
        one for one in (await treasury.accounts.account(treasury.judge, case_id)).payments if one.id == payment.id
    ]
    assert (settled.state, settled.bank_serial) == (state, papers.bank_serial)
    places = await treasury.places(case_id)
    assert (places.paid_cents, places.undistributed_cents) == (paid_cents, 50_00 - paid_cents)
    await treasury.require_sound()
    await impatient.close()


async def test_papers_that_cannot_be_right_are_refused_and_the_statement_overrules_wrong_ones(quick: Treasury) -> None:
    case_id = await quick.ordered()
    quick.behave(CARD, "server-error")  # the bank has paid
    await quick.pay_all(case_id)
    view = await quick.accounts.account(quick.judge, case_id)
    payment = await _unknown(quick, case_id)
    fee = next(one for one in view.payments if one.state == "paid")

    async def propose(payment_id: UUID, papers: Papers) -> None:
        proposal = await quick.accounts.propose_settlement(quick.judge, payment_id, papers, idempotency_key=uuid4())
        await quick.approve(proposal)

    for papers in (
        Papers(Outcome.PAID, "x", "", TODAY),
        Papers(Outcome.PAID, "x", "V1", date(2026, 11, 21)),
        Papers(Outcome.PAID, "x", "V1", date(2026, 11, 23)),
    ):
        with pytest.raises(BadFormat):
            await propose(payment.id, papers)
    with pytest.raises(Conflict, match="bank-serial-used"):
        await propose(payment.id, Papers(Outcome.PAID, "x", fee.bank_serial, TODAY))
    with pytest.raises(Conflict, match="payment-settled"):
        await propose(fee.id, Papers(Outcome.NOT_EXECUTED, "x"))
    await propose(payment.id, Papers(Outcome.NOT_EXECUTED, "银行函：未执行"))
    assert (await quick.places(case_id)).undistributed_cents == 50_00
    await quick.accounts.collector.read(quick.main_id)
    assert (await quick.places(case_id)).paid_cents == 50_00
    await quick.require_sound()


class Telling:
    """A bank that answers no order, and whose statement says what the test has it say."""

    name = "telling"

    def __init__(self) -> None:
        self.movements: tuple[Movement, ...] = ()

    async def pay(self, order: PayOrder) -> PayReceipt:
        raise GatewayUnreachable(self.name)

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        return Statement(since, until, 0, sum(one.cents for one in self.movements), self.movements)

    async def close(self) -> None:
        """Nothing is open."""


async def test_money_that_left_and_is_not_what_was_ordered_is_a_discrepancy_until_it_is_explained(
    treasury: Treasury,
) -> None:
    case_id = await treasury.case(claim(100_00))
    bank = Telling()
    accounts = CaseAccounts(treasury.database, bank, Audit(treasury.clock), treasury.clock, _nobody, notice_words)
    treasury.accounts, simulated = accounts, treasury.accounts
    await treasury.arrive(100_00, case_id=case_id)
    await treasury.name_payees(case_id)
    await treasury.approve(await treasury.propose(case_id))
    assert await treasury.pay_all(case_id) == ["unknown", "unknown"]
    fee, owed = (await accounts.account(treasury.judge, case_id)).payments

    def gone(serial: str, cents: int, number: str) -> Movement:
        return Movement(serial, treasury.clock(), -cents, "李某", CARD, "", "", number)

    bank.movements = (
        gone("B1", 50_00, fee.number), gone("B2", 50_00, fee.number), gone("B3", 40_00, owed.number),
        gone("B4", 5_00, ""),
    )  # fmt: skip
    for _ in range(2):  # read again, nothing is noted again
        await accounts.collector.read(treasury.main_id)
    found = await accounts.discrepancies(treasury.judge)
    assert {(one.code, one.bank_serial, one.bank_cents, one.ordered_cents, one.case_id) for one in found} == {
        ("paid-twice", "B2", -50_00, -50_00, case_id),
        ("order-amount-differs", "B3", -40_00, -50_00, case_id),
        ("not-ordered", "B4", -5_00, 0, None),
    }
    states = [one.state for one in (await accounts.account(treasury.judge, case_id)).payments]
    assert states == ["paid", "unknown"]
    report = await accounts.reconciliation(treasury.judge, treasury.court_id, 2026, 11)
    assert {(one.code, one.reference, one.bank_cents, one.book_cents) for one in report.differences} >= {
        ("paid-twice", "B2", -50_00, 0),
        ("order-amount-differs", owed.number, -40_00, -50_00),
        ("not-booked", "B4", -5_00, 0),
    }
    with pytest.raises(NotPermitted):
        await accounts.close_discrepancy(treasury.judge, found[0].id, reason="x", idempotency_key=uuid4())
    key = uuid4()
    of_case = next(one.id for one in found if one.code == "paid-twice")
    for _ in range(2):
        await accounts.close_discrepancy(treasury.approver, of_case, reason="张某甲来电，银行更正", idempotency_key=key)
    with pytest.raises(Conflict, match="discrepancy-closed"):
        await accounts.close_discrepancy(treasury.approver, of_case, reason="x", idempotency_key=uuid4())
    assert len(await accounts.discrepancies(treasury.judge)) == 2
    told = {one.close_reason for one in await accounts.discrepancies(treasury.judge, open_only=False)}
    assert told == {"", "张*来电，银行更正"}
    await treasury.require_sound()
    treasury.accounts = simulated


async def test_a_serial_that_was_mistyped_from_the_papers_is_no_second_payment(quick: Treasury) -> None:
    case_id = await quick.case(claim(50_00))
    bank = Telling()
    quick.accounts, simulated = (
        CaseAccounts(quick.database, bank, Audit(quick.clock), quick.clock, _nobody, notice_words),
        quick.accounts,
    )
    await quick.arrive(50_00, case_id=case_id)
    await quick.name_payees(case_id)
    await quick.approve(await quick.propose(case_id))
    await quick.pay_all(case_id)
    payment = await _unknown(quick, case_id)
    papers = Papers(Outcome.PAID, "银行回单", "V20261", TODAY)
    await quick.approve(
        await quick.accounts.propose_settlement(quick.judge, payment.id, papers, idempotency_key=uuid4())
    )

    async def read(*serials: str) -> tuple[list[tuple[str, str]], str]:
        bank.movements = tuple(
            Movement(one, quick.clock(), -payment.cents, "李某", CARD, "", "", payment.number) for one in serials
        )
        await quick.accounts.collector.read(quick.main_id)
        found = [(one.code, one.bank_serial) for one in await quick.accounts.discrepancies(quick.judge)]
        payments = (await quick.accounts.account(quick.judge, case_id)).payments
        return found, next(one.bank_serial for one in payments if one.id == payment.id)

    # The bank's own serial stands in the books from then on; only another movement is a second payment.
    assert await read("V20216") == ([("serial-differs", "V20216")], "V20216")
    assert await read("V20216", "V3") == ([("paid-twice", "V3"), ("serial-differs", "V20216")], "V20216")
    quick.accounts = simulated


async def _nobody(_case_id: UUID | None) -> None:
    """Nobody is told."""


# Money of another case, and of none


@pytest.mark.parametrize("remark", ["", "诉讼费"])
async def test_what_was_matched_to_the_wrong_case_waits_again_by_a_posting_that_reverses_it(
    treasury: Treasury, remark: str
) -> None:
    wrong, right = await treasury.case(claim(100_00)), await treasury.case(claim(100_00))
    await treasury.arrive(30_00, case_id=wrong, remark=remark)
    (arrival,) = (await treasury.accounts.account(treasury.judge, wrong)).arrivals
    key = uuid4()
    for _ in range(2):  # pressed twice, it is done once
        waiting = await treasury.accounts.unmatch(
            treasury.judge, arrival.id, reason="张某甲写错案号", idempotency_key=key
        )
    assert (waiting.state, waiting.case_id, waiting.notified_at) == ("waiting", None, arrival.notified_at)
    places = await treasury.places(wrong)
    assert (places.received_cents, places.undistributed_cents, places.prepaid_cents) == (0, 0, 0)
    assert await treasury.unclaimed_cents() == 30_00
    kinds = [one.kind for one in await treasury.accounts.postings(treasury.judge, wrong)]
    assert kinds == ["arrival", "unmatch"]
    await treasury.accounts.claim(
        treasury.judge, arrival.id, case_id=right, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
    )
    assert (await treasury.places(right)).undistributed_cents == 30_00
    await treasury.require_sound()
    async with treasury.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action == "case_money.unmatched")
        (entry,) = await session.scalars(query)
    assert str(wrong) in entry.details
    assert "张某甲" not in entry.details


async def test_what_was_computed_or_paid_with_cannot_be_taken_from_its_case(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    (arrival,) = (await quick.accounts.account(quick.judge, case_id)).arrivals

    async def unmatch() -> None:
        await quick.accounts.unmatch(quick.judge, arrival.id, reason="x", idempotency_key=uuid4())

    proposal = await quick.propose(case_id)
    with pytest.raises(Conflict, match="arrival-computed"):
        await unmatch()
    await quick.approve(proposal)
    quick.behave(CARD, "refuses")
    await quick.pay_all(case_id)  # the fee is paid, the claim's money is back
    await quick.arrive(60_00, case_id=case_id)  # so that the money alone wouldn't stop it
    with pytest.raises(Conflict, match="arrival-computed"):
        await unmatch()
    assert (await quick.places(case_id)).received_cents == 160_00


async def test_money_of_nobody_goes_back_to_its_payer_by_two_people_and_once(treasury: Treasury) -> None:
    case_id = await treasury.case(claim(100_00))
    await treasury.deposit(30_00)
    (arrival,) = (await treasury.accounts.of_no_case(treasury.judge)).arrivals
    treasury.behave(CARD, "refuses")

    async def send_back() -> None:
        proposal = await treasury.accounts.propose_return(
            treasury.judge, arrival.id, note="与本院案件无关", idempotency_key=uuid4()
        )
        with pytest.raises(Conflict, match="proposal-open"):
            await treasury.accounts.propose_return(treasury.judge, arrival.id, note="x", idempotency_key=uuid4())
        assert [one.id for one in (await treasury.accounts.of_no_case(treasury.judge)).proposals] == [proposal.id]
        with pytest.raises(NotPermitted):
            await treasury.accounts.approve(treasury.judge, proposal.id, idempotency_key=uuid4())
        await treasury.approve(proposal)

    await send_back()
    for attempt in (
        lambda: treasury.accounts.propose_return(treasury.judge, arrival.id, note="x", idempotency_key=uuid4()),
        lambda: treasury.accounts.claim(
            treasury.judge, arrival.id, case_id=case_id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
        ),
    ):
        with pytest.raises(Conflict, match="arrival-returned"):
            await attempt()
    await _pay_of_no_case(treasury)
    # The bank refused: it waits again, and may be sent back again.
    assert [one.id for one in (await treasury.accounts.of_no_case(treasury.judge)).arrivals] == [arrival.id]
    assert await treasury.unclaimed_cents() == 30_00
    treasury.behave(CARD, "plain")
    await send_back()
    await _pay_of_no_case(treasury)
    found = await treasury.accounts.of_no_case(treasury.judge)
    assert (found.arrivals, found.proposals, found.payments) == ((), (), ())
    (back,) = found.returned  # the refused one isn't among them
    assert (back.payer_name, back.payer_account, back.cents) == ("张*", "****0008", 30_00)
    assert (back.proposed_by, back.approved_by) == (treasury.judge.user_id, treasury.approver.user_id)
    assert (back.arrival_serial, back.paid_at is not None) == (arrival.bank_serial, True)
    assert (back.main_id, found.returned_before) == (treasury.main_id, 0)
    sent = [(one["dfzh"], one["je"]) for one in await treasury.statement() if one["fx"] == "2"]
    assert sent == [(CARD, "30.00")]
    assert (await treasury.require_sound()).balance_cents == 0


async def _pay_of_no_case(treasury: Treasury) -> None:
    for one in (await treasury.accounts.of_no_case(treasury.judge)).payments:
        await treasury.accounts.payer.pay(one.id)
