"""From arrival to receipt: computed, approved by a second person, paid by the bank, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Update, select, update

from assets.audit import Actor
from assets.errors import BadFormat, Conflict, NotFound, NotPermitted
from assets.tables import Claim, Person
from command_center.audit import AuditEntry
from tests.assets.case_accounts.conftest import CARD, OTHER_CARD, Treasury, claim


async def test_jieshi_508_a_sum_goes_to_fee_priority_and_ordinary_and_the_bank_pays_it(treasury: Treasury) -> None:
    # 100 000: fee 50 + 90 000 × 1.5 % = 1 400; mortgage 60 000; 38 600 on 80 000 + 40 000
    case_id = await treasury.paid_in(100_000_00, claim(80_000_00), claim(60_000_00, is_priority=True), claim(40_000_00))
    proposal = await treasury.propose(case_id)
    assert [one["cents"] for one in proposal.content["claims"]] == [25_733_33, 60_000_00, 12_866_67]
    assert (proposal.content["fee"]["cents"], proposal.content["rest_cents"]) == (1_400_00, 0)
    before = await treasury.places(case_id)
    assert (before.undistributed_cents, before.paying_cents) == (100_000_00, 0)

    await treasury.approve(proposal)
    ordered = await treasury.places(case_id)
    assert (ordered.undistributed_cents, ordered.paying_cents) == (0, 100_000_00)

    assert set(await treasury.pay_all(case_id)) == {"paid"}
    after = await treasury.places(case_id)
    assert (after.paid_cents, after.fees_cents, after.paying_cents) == (98_600_00, 1_400_00, 0)
    assert (await treasury.require_sound()).balance_cents == 0
    view = await treasury.accounts.account(treasury.judge, case_id)
    assert all(one.receipt_number == f"HZ{one.number}" and one.bank_serial for one in view.payments)
    assert len(view.notices) == 3
    assert {one.state for one in view.notices} == {"not_sent"}
    assert "****0008" in view.notices[0].text
    assert CARD not in str(view)


async def test_what_remains_goes_back_to_the_debtor(quick: Treasury) -> None:
    case_id = await quick.paid_in(20_000_00, claim(15_000_00))
    (debtor,) = await quick.persons(case_id, "under_enforcement")
    with pytest.raises(Conflict, match="rest-needs-debtor"):
        await quick.propose(case_id)
    proposal = await quick.propose(case_id, rest_person_id=debtor)
    # the fee is reckoned on what is claimed, where more came in: 50 + 5 000 × 1.5 % = 125
    assert (proposal.content["fee"]["cents"], proposal.content["rest_cents"]) == (125_00, 4_875_00)
    await quick.approve(proposal)
    await quick.pay_all(case_id)
    found = await quick.places(case_id)
    assert (found.paid_cents, found.fees_cents, found.refunded_cents) == (15_000_00, 125_00, 4_875_00)


async def test_a_second_sum_takes_what_is_open_and_the_rest_of_the_fee(quick: Treasury) -> None:
    case_id = await quick.paid_in(10_000_00, claim(50_000_00))
    await quick.approve(await quick.propose(case_id))  # fee 50, 9 950 for the claim
    await quick.pay_all(case_id)
    await quick.deposit(20_000_00, case_id=case_id)
    second = (await quick.propose(case_id)).content
    # fee on 30 000 = 350, of which 50 are taken
    assert (second["fee"]["taken_cents"], second["fee"]["cents"]) == (50_00, 300_00)
    assert second["claims"][0]["open_principal_cents"] == 40_050_00
    assert second["claims"][0]["cents"] == 19_700_00


async def test_doubled_interest_runs_to_the_arrival_and_part_payments_lower_the_principal(quick: Treasury) -> None:
    # 100 000 from 1 October to the arrival on 22 November: 52 days × 17.50 = 910
    case_id = await quick.paid_in(30_000_00, claim(100_000_00, interest_from=date(2026, 10, 1)))
    proposal = await quick.propose(case_id)
    (figures,) = proposal.content["claims"]
    assert (figures["doubled_cents"], figures["stretches"][0]["days"]) == (910_00, 52)
    await quick.approve(proposal)
    await quick.pay_all(case_id)  # 350 fee, 29 650 on the principal
    quick.clock.move(10 * 86_400)
    await quick.deposit(100_000_00, case_id=case_id)
    (figures,) = (
        await quick.propose(case_id, rest_person_id=(await quick.persons(case_id, "under_enforcement"))[0])
    ).content["claims"]
    # 910 + 70 350 × 0.0175 % × 10 days = 910 + 123.1125
    assert figures["open_principal_cents"] == 70_350_00
    assert figures["doubled_cents"] == 910_00 + 123_11


async def test_a_day_of_ones_own_and_ranks_change_the_computation(quick: Treasury) -> None:
    first, second = claim(60_00, is_priority=True), claim(60_00, is_priority=True)
    case_id = await quick.paid_in(150_00, first, second)
    preview = await quick.accounts.preview(quick.judge, case_id, ranks={first.id: 2, second.id: 1})
    assert [one["cents"] for one in preview["claims"]] == [40_00, 60_00]
    with pytest.raises(BadFormat):
        await quick.propose(case_id, as_of=date(2026, 11, 23))
    with pytest.raises(BadFormat):
        await quick.propose(case_id, ranks={uuid4(): 1})


async def test_nothing_is_approved_by_the_one_who_proposed_it(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    both = Actor(
        uuid4(),
        frozenset({quick.court_id}),
        may_see=True,
        may_handle_money=True,
        may_approve_money=True,
        own_court_id=quick.court_id,
    )
    proposal = await quick.accounts.propose_distribution(both, case_id, idempotency_key=uuid4())
    with pytest.raises(NotPermitted, match="second-person-needed"):
        await quick.accounts.approve(both, proposal.id, idempotency_key=uuid4())
    with pytest.raises(NotPermitted, match="second-person-needed"):
        await quick.accounts.reject(both, proposal.id, reason="no", idempotency_key=uuid4())
    with pytest.raises(NotPermitted):
        await quick.accounts.approve(quick.judge, proposal.id, idempotency_key=uuid4())
    with pytest.raises(NotPermitted):
        await quick.accounts.propose_distribution(quick.approver, case_id, idempotency_key=uuid4())
    with pytest.raises(NotPermitted, match="only-the-proposer"):
        await quick.accounts.withdraw(quick.judge, proposal.id, reason="no", idempotency_key=uuid4())
    assert (await quick.places(case_id)).undistributed_cents == 100_00


async def test_a_proposal_is_decided_once_however_often_and_by_however_many(treasury: Treasury) -> None:
    case_id = await treasury.paid_in(100_00, claim(100_00))
    proposal = await treasury.propose(case_id)
    with pytest.raises(Conflict, match="proposal-open"):
        await treasury.propose(case_id)
    approvals = [treasury.accounts.approve(treasury.approver, proposal.id, idempotency_key=uuid4()) for _ in range(8)]
    outcomes = await asyncio.gather(*approvals, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in outcomes) == 7
    assert await treasury.pay_all(case_id) == ["paid", "paid"]
    assert len(await treasury.statement()) == 3
    await treasury.require_sound()


async def test_the_same_key_gives_the_same_proposal_and_approval(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    key, other = uuid4(), uuid4()
    made = [await quick.accounts.propose_distribution(quick.judge, case_id, idempotency_key=key) for _ in range(2)]
    assert made[0].id == made[1].id
    for _ in range(2):
        approved = await quick.accounts.approve(quick.approver, made[0].id, idempotency_key=other)
    assert approved.state == "approved"
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await quick.accounts.approve(quick.approver, made[0].id, idempotency_key=key)


async def test_a_rejected_or_withdrawn_proposal_moves_nothing_and_another_may_follow(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    first = await quick.propose(case_id)
    rejected = await quick.accounts.reject(quick.approver, first.id, reason="算错了", idempotency_key=uuid4())
    second = await quick.propose(case_id)
    withdrawn = await quick.accounts.withdraw(quick.judge, second.id, reason="重算", idempotency_key=uuid4())
    assert (rejected.state, rejected.reason, withdrawn.state) == ("rejected", "算错了", "withdrawn")
    with pytest.raises(Conflict, match="proposal-decided"):
        await quick.accounts.approve(quick.approver, first.id, idempotency_key=uuid4())
    assert (await quick.places(case_id)).undistributed_cents == 100_00


async def _new_account(treasury: Treasury, case_id: UUID, creditor: UUID) -> None:
    await treasury.name_payee(case_id, creditor, OTHER_CARD)


async def _renamed(treasury: Treasury, _case_id: UUID, creditor: UUID) -> None:
    await _change(treasury, update(Person).where(Person.id == creditor).values(name="王某某"))


async def _other_amount(treasury: Treasury, case_id: UUID, _creditor: UUID) -> None:
    await _change(treasury, update(Claim).where(Claim.case_id == case_id).values(amount_cents=200_00))


async def _priority(treasury: Treasury, case_id: UUID, _creditor: UUID) -> None:
    await _change(treasury, update(Claim).where(Claim.case_id == case_id).values(is_priority=True))


async def _other_creditor(treasury: Treasury, case_id: UUID, creditor: UUID) -> None:
    (debtor,) = await treasury.persons(case_id, "under_enforcement")
    await _change(treasury, update(Claim).where(Claim.creditor_id == creditor).values(creditor_id=debtor))


async def _change(treasury: Treasury, statement: Update) -> None:
    async with treasury.database.write() as session:
        await session.execute(statement)


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (_new_account, "payee-changed", ("account", "****0008", "****0016")),
        (_renamed, "payee-changed", ("name", "李*", "王*")),
        (_other_amount, "computation-stale", ("amount", "100.00", "200.00")),
        (_priority, "computation-stale", ("priority", "", "")),
        (_other_creditor, "computation-stale", ("creditor", "", "")),
    ],
)
async def test_what_a_proposal_rests_on_and_has_changed_is_shown_and_neither_old_nor_new_is_paid(
    quick: Treasury,
    change: Callable[[Treasury, UUID, UUID], Awaitable[None]],
    code: str,
    told: tuple[str, str, str],
) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    proposal = await quick.propose(case_id)
    assert proposal.changes == ()
    (creditor,) = await quick.persons(case_id, "applicant")
    await change(quick, case_id, creditor)
    (shown,) = (await quick.accounts.account(quick.approver, case_id)).proposals
    assert [(one.what, one.before, one.now) for one in shown.changes] == [told]
    assert shown.content["payees"][str(creditor)]["payee_account"] == "****0008"
    with pytest.raises(Conflict, match=code):
        await quick.approve(proposal)
    view = await quick.accounts.account(quick.approver, case_id)
    assert (view.payments, view.line.places.undistributed_cents) == ((), 100_00)


async def test_the_same_account_noted_once_more_changes_nothing(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    proposal = await quick.propose(case_id)
    await quick.name_payees(case_id)
    await quick.approve(proposal)
    assert set(await quick.pay_all(case_id)) == {"paid"}


async def test_money_that_would_not_know_where_to_go_is_not_proposed(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    with pytest.raises(Conflict, match="nothing-to-distribute"):
        await quick.propose(case_id)
    await quick.deposit(100_00, case_id=case_id)
    with pytest.raises(Conflict, match="payee-missing"):
        await quick.propose(case_id)
    without = await quick.case()
    await quick.deposit(100_00, case_id=without)
    with pytest.raises(Conflict, match="no-claims"):
        await quick.propose(without)
    with pytest.raises(BadFormat):
        await quick.name_payee(case_id, (await quick.persons(case_id, "applicant"))[0], "6217000060000000009")


async def test_a_share_is_held_with_a_reason_and_released_for_another_proposal(treasury: Treasury) -> None:
    first, second = claim(50_00), claim(50_00)
    case_id = await treasury.paid_in(80_00, first, second)
    proposal = await treasury.propose(case_id, holds={first.id: "债权人下落不明"})
    await treasury.approve(proposal)
    await treasury.pay_all(case_id)
    found = await treasury.places(case_id)
    assert (found.fees_cents, found.held_cents, found.paid_cents, found.undistributed_cents) == (50_00, 15_00, 15_00, 0)
    view = await treasury.accounts.account(treasury.judge, case_id)
    (hold,) = view.holds
    assert (hold.cents, hold.reason) == (15_00, "债权人下落不明")
    await treasury.accounts.release(treasury.judge, hold.id, reason="已联系上", idempotency_key=uuid4())
    with pytest.raises(Conflict, match="hold-released"):
        await treasury.accounts.release(treasury.judge, hold.id, reason="再来", idempotency_key=uuid4())
    found = await treasury.places(case_id)
    assert (found.held_cents, found.undistributed_cents) == (0, 15_00)
    again = (await treasury.propose(case_id)).content["claims"]
    # 50 and 35 are open: the money is shared anew
    assert [one["cents"] for one in again] == [8_82, 6_18]
    await treasury.require_sound()


async def test_another_court_finds_nothing_of_it(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    proposal = await quick.propose(case_id)
    courts = frozenset({uuid4()})
    stranger = Actor(uuid4(), courts, may_see=True, may_handle_money=True, may_approve_money=True)
    key = uuid4()
    for attempt in (
        lambda: quick.accounts.preview(stranger, case_id),
        lambda: quick.accounts.propose_distribution(stranger, case_id, idempotency_key=key),
        lambda: quick.accounts.approve(stranger, proposal.id, idempotency_key=key),
        lambda: quick.accounts.reject(stranger, proposal.id, reason="x", idempotency_key=key),
        lambda: quick.accounts.postings(stranger, case_id),
        lambda: quick.accounts.reconciliation(stranger, quick.court_id, 2026, 11),
        lambda: quick.accounts.refresh(stranger, quick.court_id),
    ):
        with pytest.raises(NotFound):
            await attempt()


async def test_everything_is_in_the_audit_without_names_or_numbers_of_people(quick: Treasury) -> None:
    case_id = await quick.paid_in(100_00, claim(100_00))
    await quick.approve(await quick.propose(case_id))
    await quick.pay_all(case_id)
    async with quick.database.read() as session:
        entries = list(await session.scalars(select(AuditEntry)))
    assert {one.action for one in entries} == {
        "case_money.arrived", "case_money.payee_named", "case_money.proposed", "case_money.approved", "case_money.paid",
    }  # fmt: skip
    for secret in ("张某甲", "李某1", CARD):
        assert secret not in "".join(one.details for one in entries)
