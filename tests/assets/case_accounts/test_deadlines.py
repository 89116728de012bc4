"""30 days to pay out, deferrals with a ground, 15 days to give a court fee back."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from assets.case_accounts.deadlines import ClockState, Deadline, Deferral, fee_refund_deadline, payout_deadline
from assets.case_accounts.practice import Practice
from assets.case_accounts.proposing import Ground
from assets.case_accounts.states import ArrivalPurpose
from assets.case_accounts.tables import CourtFeeRefund
from assets.errors import BadFormat, Conflict, NotFound
from tests.assets.case_accounts.conftest import CARD, MAIN, Treasury, claim

PRACTICE = Practice()
FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 20)
ARRIVALS = [(FIRST, 100), (SECOND, 50)]


def due(open_cents: int, today: date, *deferrals: Deferral, practice: Practice = PRACTICE) -> Deadline:
    return payout_deadline(ARRIVALS, open_cents, deferrals, today, practice)


def test_thirty_days_from_the_notice_of_the_oldest_arrival_that_is_not_paid_out() -> None:
    assert due(150, FIRST) == Deadline(ClockState.RUNNING, date(2026, 12, 1), 30)
    assert due(51, FIRST).due_on == date(2026, 12, 1)
    assert due(50, SECOND).due_on == date(2026, 12, 20)
    assert due(0, SECOND) == Deadline(ClockState.NONE)


def test_the_last_day_is_in_time_and_the_next_is_overdue() -> None:
    assert due(150, date(2026, 12, 1)) == Deadline(ClockState.RUNNING, date(2026, 12, 1), 0)
    assert due(150, date(2026, 12, 2)) == Deadline(ClockState.OVERDUE, date(2026, 12, 1), -1)


def test_nothing_is_due_while_the_ground_of_an_approved_deferral_goes_on() -> None:
    assert due(150, date(2027, 3, 1), Deferral(FIRST, None)) == Deadline(ClockState.DEFERRED)


def test_practice_ten_days_remain_after_the_ground_has_ended() -> None:
    ended = Deferral(FIRST, date(2027, 2, 10))
    assert due(150, date(2027, 2, 15), ended).due_on == date(2027, 2, 20)
    # one that ends early takes nothing away
    assert due(150, date(2026, 11, 10), Deferral(FIRST, date(2026, 11, 5))).due_on == date(2026, 12, 1)
    longer = Practice(days_after_ground=15)
    assert due(150, date(2027, 2, 15), ended, practice=longer).due_on == date(2027, 2, 25)


def test_a_deferral_that_was_over_before_puts_off_nothing_that_came_later() -> None:
    arrivals = [(date(2027, 3, 1), 100)]
    ended = Deferral(date(2026, 11, 1), date(2026, 12, 1))
    assert payout_deadline(arrivals, 100, [ended], date(2027, 3, 2), PRACTICE).due_on == date(2027, 3, 31)


def test_a_deferral_approved_after_the_day_does_not_undo_the_delay() -> None:
    late = Deferral(date(2026, 12, 15), date(2026, 12, 20))
    assert due(150, date(2026, 12, 21), late).state is ClockState.OVERDUE


def test_a_court_fee_goes_back_within_15_days_of_effectiveness() -> None:
    effective = date(2026, 11, 1)
    assert fee_refund_deadline(100, effective, date(2026, 11, 16)) == Deadline(
        ClockState.RUNNING, date(2026, 11, 16), 0
    )
    assert fee_refund_deadline(100, effective, date(2026, 11, 17)).state is ClockState.OVERDUE
    assert fee_refund_deadline(0, effective, date(2026, 11, 17)).state is ClockState.NONE
    assert fee_refund_deadline(100, None, date(2026, 11, 17)).state is ClockState.NONE


# On the case's account


async def test_the_list_shows_the_most_urgent_first_and_what_is_put_off(treasury: Treasury) -> None:
    late, put_off, early = [await treasury.case(claim(100_00)) for _ in range(3)]
    await treasury.arrive(1_00, case_id=put_off)
    await treasury.arrive(1_00, case_id=late)
    treasury.clock.move(31 * 86_400)
    await treasury.arrive(1_00, case_id=early)
    proposal = await treasury.accounts.propose_deferral(
        treasury.judge, put_off, ground=Ground.OBJECTION, note="执行异议审查中", idempotency_key=uuid4()
    )
    lines = await treasury.accounts.accounts(treasury.judge)
    assert [one.payout.state for one in lines] == ["overdue", "overdue", "running"]
    await treasury.accounts.approve(treasury.approver, proposal.id, idempotency_key=uuid4())
    lines = await treasury.accounts.accounts(treasury.judge)
    assert [(one.case_id, one.payout.state, one.payout.days_left) for one in lines] == [
        (late, "overdue", -1), (early, "running", 30), (put_off, "deferred", None),
    ]  # fmt: skip


async def test_the_most_urgent_of_very_many_are_shown_though_only_some_are(treasury: Treasury) -> None:
    cases = [await treasury.case(claim(100_00)) for _ in range(4)]
    for place in (0, 1, 2, 3):  # the first cases learnt of their money last
        await treasury.arrive(100_00, case_id=cases[3 - place])
        treasury.clock.move(86_400)
    await treasury.name_payees(cases[3])
    await treasury.approve(await treasury.propose(cases[3]))
    await treasury.bank.post("/paying/deposits", {"zh": MAIN, "je": "100.00"})
    await treasury.pay_all(cases[3])  # the oldest is paid out, and something new came in
    await treasury.arrive(5_00, case_id=cases[3])
    for limit, wanted in ((2, [cases[2], cases[1]]), (4, [cases[2], cases[1], cases[0], cases[3]])):
        lines = await treasury.accounts.accounts(treasury.judge, limit=limit)
        assert [one.case_id for one in lines] == wanted


async def test_a_deferral_ends_with_its_ground_and_only_one_stands_at_a_time(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(1_00, case_id=case_id)
    more = {"ground": Ground.SETTLEMENT, "note": ""}
    proposal = await quick.accounts.propose_deferral(quick.judge, case_id, idempotency_key=uuid4(), **more)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="proposal-open"):
        await quick.accounts.propose_deferral(quick.judge, case_id, idempotency_key=uuid4(), **more)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="illegal-transition"):
        await quick.accounts.end_deferral(
            quick.judge, proposal.id, ended_on=date(2026, 11, 22), idempotency_key=uuid4()
        )
    await quick.approve(proposal)
    for day in (date(2026, 11, 23), date(2026, 11, 21)):  # to come, and before it was approved
        with pytest.raises(BadFormat):
            await quick.accounts.end_deferral(quick.judge, proposal.id, ended_on=day, idempotency_key=uuid4())
    quick.clock.move(40 * 86_400)
    await quick.accounts.end_deferral(quick.judge, proposal.id, ended_on=date(2026, 12, 30), idempotency_key=uuid4())
    line = (await quick.accounts.account(quick.judge, case_id)).line
    assert (line.payout.state, line.payout.due_on) == ("running", date(2027, 1, 9))


async def prepaid(treasury: Treasury) -> tuple[UUID, UUID]:
    """A case with a court fee paid in advance: the case and the arrival."""
    case_id = await treasury.case(claim(100_00))
    await treasury.deposit(23_00, case_id=case_id, remark="预交诉讼费")
    (arrival,) = (await treasury.accounts.account(treasury.judge, case_id)).arrivals
    return case_id, arrival.id


async def test_a_court_fee_that_is_taken_from_its_case_meanwhile_is_proposed_for_no_refund(treasury: Treasury) -> None:
    for _ in range(8):
        _, arrival_id = await prepaid(treasury)
        taken, proposed = await asyncio.gather(
            treasury.accounts.unmatch(treasury.judge, arrival_id, reason="认错案件", idempotency_key=uuid4()),
            treasury.accounts.propose_fee_refund(
                treasury.judge, arrival_id, effective_on=date(2026, 11, 20), idempotency_key=uuid4()
            ),
            return_exceptions=True,
        )
        refused = [one for one in (taken, proposed) if isinstance(one, BaseException)]
        assert len(refused) == 1, "whichever comes first bars the other"
        assert isinstance(refused[0], Conflict | NotFound)
    await treasury.require_sound()


async def test_a_court_fee_goes_back_once_to_where_it_came_from(treasury: Treasury) -> None:
    case_id, arrival_id = await prepaid(treasury)
    effective = date(2026, 11, 20)
    proposal = await treasury.accounts.propose_fee_refund(
        treasury.judge, arrival_id, effective_on=effective, idempotency_key=uuid4()
    )
    with pytest.raises(Conflict, match="proposal-open"):
        await treasury.accounts.propose_fee_refund(
            treasury.judge, arrival_id, effective_on=effective, idempotency_key=uuid4()
        )
    line = (await treasury.accounts.account(treasury.judge, case_id)).line
    assert line.fee_refund == Deadline(ClockState.RUNNING, date(2026, 12, 5), 13)
    await treasury.approve(proposal)
    assert await treasury.pay_all(case_id) == ["paid"]
    view = await treasury.accounts.account(treasury.judge, case_id)
    assert (view.line.places.prepaid_cents, view.line.places.refunded_cents) == (0, 23_00)
    assert view.arrivals[0].is_refunded
    assert view.line.fee_refund.state is ClockState.NONE
    with pytest.raises(Conflict, match="fee-refunded"):
        await treasury.accounts.propose_fee_refund(
            treasury.judge, arrival_id, effective_on=effective, idempotency_key=uuid4()
        )
    (sent,) = [one for one in await treasury.statement() if one["fx"] == "2"]
    assert (sent["dfzh"], sent["je"]) == (CARD, "23.00")
    await treasury.require_sound()


async def test_the_days_of_a_fee_refund_that_is_rejected_or_withdrawn_run_no_more(quick: Treasury) -> None:
    case_id, arrival_id = await prepaid(quick)

    async def propose() -> UUID:
        proposal = await quick.accounts.propose_fee_refund(
            quick.judge, arrival_id, effective_on=date(2026, 11, 20), idempotency_key=uuid4()
        )
        return proposal.id

    async def clock_state() -> ClockState:
        return (await quick.accounts.account(quick.judge, case_id)).line.fee_refund.state

    first = await propose()
    assert await clock_state() is ClockState.RUNNING
    await quick.accounts.reject(quick.approver, first, reason="未生效", idempotency_key=uuid4())
    assert await clock_state() is ClockState.NONE
    second = await propose()
    await quick.accounts.withdraw(quick.judge, second, reason="误提", idempotency_key=uuid4())
    assert await clock_state() is ClockState.NONE


async def test_a_court_fee_that_many_approve_at_once_goes_back_once(treasury: Treasury) -> None:
    case_id, arrival_id = await prepaid(treasury)
    await treasury.arrive(50_00, case_id=case_id, remark="诉讼费")  # so that the money alone wouldn't stop it
    first = await treasury.accounts.propose_fee_refund(
        treasury.judge, arrival_id, effective_on=date(2026, 11, 20), idempotency_key=uuid4()
    )
    # Two proposals for one fee, as if the check before had been passed by two at once: the database's own rule is left.
    async with treasury.database.write() as session:
        from assets.case_accounts.tables import Proposal

        twin = Proposal(
            id=uuid4(), main_id=treasury.main_id, case_id=case_id, kind="fee_refund", state="proposed",
            cents=first.cents, content=first.content, proposed_by=treasury.judge.user_id, proposed_at=treasury.clock(),
        )  # fmt: skip
        session.add(twin)
    approvals = [
        treasury.accounts.approve(treasury.approver, one, idempotency_key=uuid4()) for one in [first.id, twin.id] * 4
    ]
    outcomes = await asyncio.gather(*approvals, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert {one.code for one in outcomes if isinstance(one, Conflict)} == {"fee-refunded", "proposal-decided"}
    assert await treasury.pay_all(case_id) == ["paid"]
    async with treasury.database.read() as session:
        assert (await session.execute(select(func.count(CourtFeeRefund.id)))).scalar_one() == 1
    await treasury.require_sound()


async def test_a_refund_that_the_bank_refused_may_be_proposed_again(quick: Treasury) -> None:
    case_id, arrival_id = await prepaid(quick)
    quick.behave(CARD, "refuses")
    for states in (["refused"], ["refused", "paid"]):
        proposal = await quick.accounts.propose_fee_refund(
            quick.judge, arrival_id, effective_on=date(2026, 11, 20), idempotency_key=uuid4()
        )
        await quick.approve(proposal)
        assert sorted(await quick.pay_all(case_id)) == sorted(states)
        quick.behave(CARD, "plain")
    await quick.require_sound()


async def test_enforcement_money_is_no_court_fee_to_give_back(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(50_00)
    (waiting,) = (await quick.accounts.of_no_case(quick.judge)).arrivals
    await quick.accounts.claim(
        quick.judge, waiting.id, case_id=case_id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
    )
    with pytest.raises(Conflict, match="no-court-fee"):
        await quick.accounts.propose_fee_refund(
            quick.judge, waiting.id, effective_on=date(2026, 11, 20), idempotency_key=uuid4()
        )
