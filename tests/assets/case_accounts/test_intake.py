"""Arrivals: each once, matched by what names the case, claimed by a judge where nothing does."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from assets.audit import Actor
from assets.case_accounts.ledger_tables import MainAccount, Posting, SubAccount
from assets.case_accounts.states import ArrivalPurpose
from assets.case_accounts.tables import Arrival
from assets.errors import Conflict, NotFound, NotPermitted
from command_center.audit import AuditEntry
from tests.assets.case_accounts.conftest import MAIN, Treasury, claim


async def test_the_same_serial_told_twice_is_one_arrival(treasury: Treasury) -> None:
    case_id = await treasury.case(claim(100_00))
    movement = await treasury.movement(50_00, case_id=case_id)
    told = [treasury.accounts.intake.take(treasury.main_id, [movement, movement]) for _ in range(4)]
    assert sum(await asyncio.gather(*told)) == 1
    assert (await treasury.places(case_id)).received_cents == 50_00
    assert (await treasury.require_sound()).balance_cents == 50_00


async def test_an_arrival_is_matched_by_its_sub_account(treasury: Treasury) -> None:
    case_id = await treasury.case(claim(100_00))
    await treasury.accounts.collector.read(treasury.main_id)  # opens the sub-account
    async with treasury.database.read() as session:
        sub = (await session.scalars(select(SubAccount))).one()
    assert sub.number == f"{MAIN}000001"
    await treasury.accounts.intake.take(
        treasury.main_id, [await treasury.movement(70_00, sub_number=sub.number, remark="没有案号")]
    )
    view = await treasury.accounts.account(treasury.judge, case_id)
    assert [(one.state, one.matched_by) for one in view.arrivals] == [("matched", "sub-account")]
    assert view.line.places.undistributed_cents == 70_00


@pytest.mark.parametrize(
    "remark", ["（2026）内01执1号", "付(2026)内01执1号案款", "案款〔2026〕内 01 执 1 号。", "还款 [2026]内01执1号 张"]
)
async def test_an_arrival_is_matched_by_the_case_number_in_its_remark(quick: Treasury, remark: str) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(10_00, remark=remark)
    view = await quick.accounts.account(quick.judge, case_id)
    assert [one.matched_by for one in view.arrivals] == ["case-number"]


@pytest.mark.parametrize(
    "remark", ["", "案款", "（2026）内01执77号", "（2026）内01执1号（2026）内01执2号", "（2099）内01执1号"]
)
async def test_what_names_no_case_or_two_waits_to_be_claimed(quick: Treasury, remark: str) -> None:
    await quick.case(claim(100_00))
    await quick.case(claim(100_00))
    await quick.arrive(10_00, remark=remark)
    (waiting,) = (await quick.accounts.of_no_case(quick.judge)).arrivals
    assert (waiting.state, waiting.case_id, await quick.unclaimed_cents()) == ("waiting", None, 10_00)


async def test_another_courts_case_number_matches_nothing(quick: Treasury) -> None:
    await quick.case(claim(100_00), court_id=uuid4())
    await quick.arrive(10_00, remark="（2026）内01执1号")
    assert len((await quick.accounts.of_no_case(quick.judge)).arrivals) == 1


async def test_a_judge_claims_what_waits(treasury: Treasury) -> None:
    case_id = await treasury.case(claim(100_00))
    await treasury.arrive(30_00, remark="不知道")
    (waiting,) = (await treasury.accounts.of_no_case(treasury.judge)).arrivals
    key = uuid4()
    for _ in range(2):
        claimed = await treasury.accounts.claim(
            treasury.judge, waiting.id, case_id=case_id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=key
        )
    assert (claimed.state, claimed.claimed_by, claimed.claimed_at) == (
        "claimed", treasury.judge.user_id, treasury.clock(),
    )  # fmt: skip
    assert claimed.receipt_number.startswith("SK20261122")
    assert (await treasury.accounts.of_no_case(treasury.judge)).arrivals == ()
    assert await treasury.unclaimed_cents() == 0
    assert (await treasury.places(case_id)).undistributed_cents == 30_00
    await treasury.require_sound()
    with pytest.raises(Conflict, match="arrival-claimed"):
        await treasury.accounts.claim(
            treasury.judge, waiting.id, case_id=case_id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
        )
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await treasury.accounts.claim(
            treasury.judge, waiting.id, case_id=case_id, purpose=ArrivalPurpose.COURT_FEE, idempotency_key=key
        )


async def test_two_judges_who_claim_at_once_claim_it_once(treasury: Treasury) -> None:
    cases = [await treasury.case(claim(100_00)) for _ in range(6)]
    await treasury.arrive(30_00)
    (waiting,) = (await treasury.accounts.of_no_case(treasury.judge)).arrivals
    claims = [
        treasury.accounts.claim(
            treasury.judge, waiting.id, case_id=one, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
        )
        for one in cases
    ]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in outcomes) == 5
    await treasury.require_sound()


async def test_practice_a_remark_that_names_a_court_fee_is_kept_apart(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(23_00, case_id=case_id, remark="预交诉讼费")
    found = await quick.places(case_id)
    assert (found.prepaid_cents, found.undistributed_cents) == (23_00, 0)


async def test_who_may_not_claim_does_not_and_another_court_finds_nothing(quick: Treasury) -> None:
    case_id = await quick.case(claim(100_00))
    await quick.arrive(30_00)
    (waiting,) = (await quick.accounts.of_no_case(quick.judge)).arrivals
    stranger = Actor(uuid4(), frozenset({uuid4()}), may_see=True, may_handle_money=True)
    for actor, refusal in ((quick.approver, NotPermitted), (stranger, NotFound)):
        with pytest.raises(refusal):
            await quick.accounts.claim(
                actor, waiting.id, case_id=case_id, purpose=ArrivalPurpose.ENFORCEMENT, idempotency_key=uuid4()
            )
    assert (await quick.accounts.of_no_case(stranger)).arrivals == ()
    assert await quick.accounts.accounts(stranger) == []
    with pytest.raises(NotFound):
        await quick.accounts.account(stranger, case_id)


async def test_each_arrival_is_one_posting_and_one_note_in_the_audit(quick: Treasury) -> None:
    for _ in range(3):
        await quick.arrive(1_00)
    async with quick.database.read() as session:
        arrivals = (await session.execute(select(func.count(Arrival.id)))).scalar_one()
        numbers = list(await session.scalars(select(Posting.number).order_by(Posting.number)))
        noted = list(await session.scalars(select(AuditEntry.action)))
    assert (arrivals, numbers, noted) == (3, [1, 2, 3], ["case_money.arrived"] * 3)


async def test_a_statement_that_cannot_be_taken_in_keeps_no_other_court_from_its_own(
    quick: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with quick.database.write() as session:
        session.add(
            MainAccount(
                id=UUID(int=1), court_id=uuid4(), number="0610013200002222", bank_name="某行", fee_holder="专户",
                fee_number="0610013200003333", opened_at=quick.clock(),
            )
        )  # fmt: skip
    read, taken = quick.accounts.collector.read, list[UUID]()

    async def sometimes(main_id: UUID) -> int:
        if main_id == UUID(int=1):
            raise RuntimeError("what nobody has thought of")
        taken.append(main_id)
        return await read(main_id)

    monkeypatch.setattr(quick.accounts.collector, "read", sometimes)
    await quick.accounts.collector.read_all()
    assert taken == [quick.main_id]
