"""The other side's word against our records: kept as it was said, and looked into by a person where it contradicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from assets.errors import Conflict
from assets.gateway import ControlOrder, ControlReceipt
from assets.measures import MeasureState
from tests.assets.conftest import ACCOUNT
from tests.support.courts import Court, Courts
from tests.support.line_keeper import LineKeeper, Thing


async def _ask(courts: Courts, court: Court) -> None:
    await courts.assets.query(
        court.judge, case_id=court.case_id, person_id=court.person_id, idempotency_key=uuid4(), gateways=["bank"]
    )
    await courts.exchange()


def _saying(keeper: LineKeeper, monkeypatch: pytest.MonkeyPatch, **said: object) -> None:
    """Have it say something else than what it did, in its next receipts."""
    control = keeper.control

    async def lying(order: ControlOrder) -> ControlReceipt:
        return replace(await control(order), **said)  # type: ignore[arg-type]

    monkeypatch.setattr(keeper, "control", lying)


async def test_more_than_is_there_is_controlled_in_part(courts: Courts) -> None:
    measure = await courts.courts[0].freeze(ACCOUNT, 150_000)
    held = await courts.measure(measure)
    assert (held.state, held.controlled_cents, held.over_cents) == ("in_force", 100_000, 50_000)


async def test_a_priority_right_leaves_nothing_and_all_of_it_is_too_much(courts: Courts) -> None:
    courts.bank.things[ACCOUNT].priority = 100_000
    measure = await courts.courts[0].freeze(ACCOUNT, 40_000)
    held = await courts.measure(measure)
    assert (held.state, held.controlled_cents, held.over_cents) == ("in_force", 0, 40_000)


async def test_what_is_not_controlled_keeps_the_reason(courts: Courts, monkeypatch: pytest.MonkeyPatch) -> None:
    _saying(courts.bank, monkeypatch, is_registered=False, reason="账户已销户（虚构）", controlled_cents=0)
    measure = await courts.courts[0].freeze(ACCOUNT, 40_000)
    held = await courts.measure(measure)
    assert (held.state, held.reason) == ("not_controlled", "账户已销户（虚构）")


async def test_the_receipts_own_term_is_kept(courts: Courts, monkeypatch: pytest.MonkeyPatch) -> None:
    _saying(courts.bank, monkeypatch, starts_on=date(2026, 11, 23), ends_on=date(2027, 5, 22))
    measure = await courts.courts[0].freeze(ACCOUNT, 40_000)
    assert await courts.term(measure) == (date(2026, 11, 23), date(2027, 5, 22))


async def test_two_that_are_said_to_be_in_force_are_a_contradiction_and_one_waits(
    courts: Courts, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _ = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    _saying(courts.bank, monkeypatch, waiting_rank=0, controlled_cents=30_000)
    second = await two.freeze(ACCOUNT, 30_000)
    assert await courts.standing(first) == ("in_force", 0, 40_000)
    assert await courts.standing(second) == ("waiting", 1, 0)
    assert (await courts.measure(second)).contradiction == "in_force_twice"
    assert (await courts.events(second))[-1] == "contradicted"
    assert await courts.most_in_force() == 1
    # A judge of the first court looks into it: theirs has ended, and nobody told.
    with pytest.raises(Conflict, match="nothing-contradicts"):
        await courts.findings.resolve(one.judge, first, "x", uuid4())
    await courts.findings.resolve(two.judge, second, "the bank was asked on the telephone", uuid4())
    await courts.exchange()
    assert (await courts.measure(second)).contradiction == ""


async def test_one_that_the_other_side_does_not_name_any_more_is_looked_into_and_ended(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 30_000)
    courts.clock.pass_days(1)
    thing = courts.bank.things[ACCOUNT]
    courts.bank._end(thing, thing.line[0], courts.clock.today)  # a judge went to the bank with a paper
    await _ask(courts, two)
    assert await courts.standing(first) == ("in_force", 0, 40_000)
    assert (await courts.measure(first)).contradiction == "not_listed"
    assert (await courts.measure(second)).contradiction == "in_force_twice"
    with pytest.raises(Conflict, match="measure-contradicted"):
        await one.transfer(first)
    courts.clock.pass_days(1)
    await courts.findings.resolve(one.judge, first, "released on paper", uuid4(), ends=MeasureState.RELEASED)
    await courts.exchange()
    assert await courts.standing(first) == ("released", 0, 0)
    assert await courts.standing(second) == ("in_force", 0, 30_000)
    assert (await courts.measure(second)).contradiction == ""


async def test_a_query_settles_ranks_and_amounts_by_the_numbers_of_our_own_orders(courts: Courts) -> None:
    one, two, three = courts.courts
    first, second, third = [await court.freeze(ACCOUNT, 40_000) for court in (one, two, three)]
    courts.clock.pass_days(1)
    courts.bank.things[ACCOUNT].line[1].is_over = True  # the second court's, by paper
    await _ask(courts, three)
    assert await courts.standing(third) == ("waiting", 1, 0)
    assert (await courts.measure(second)).contradiction == "not_listed"
    courts.bank.things[ACCOUNT].line[0].cents = 39_000
    courts.clock.pass_days(1)
    await _ask(courts, two)
    assert await courts.standing(first) == ("in_force", 0, 39_000)


async def test_an_answer_that_is_older_than_what_we_know_changes_nothing(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 30_000)
    courts.clock.pass_days(1)
    query = await courts.assets.query(
        two.judge, case_id=two.case_id, person_id=two.person_id, idempotency_key=uuid4(), gateways=["bank"]
    )
    stale = await courts.bank.query(courts.bank.queries[-1]) if courts.bank.queries else None
    courts.clock.instant = courts.clock.instant.replace(minute=30)
    await one.release(first)
    assert await courts.standing(second) == ("in_force", 0, 30_000)
    assert query[0].state == "sent"
    assert stale is None or (await courts.measure(second)).contradiction == ""


async def test_a_promotion_that_the_other_side_refutes_goes_back_into_line(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 30_000)
    thing = courts.bank.things[ACCOUNT]
    outsider = replace(thing.line[1], number="", asked=50_000)  # another province's court, before ours
    thing.line.insert(1, outsider)
    await one.release(first)
    assert await courts.standing(second) == ("waiting", 1, 0)
    assert await courts.term(second) == (None, None)
    assert "demoted" in await courts.events(second)


async def test_a_receipt_for_what_has_ended_meanwhile_is_a_contradiction(courts: Courts) -> None:
    one, *_ = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    order = await courts.controls.renew(one.judge, first, one.warrant())
    async with courts.database.write() as session:
        measure = await session.get_one(type(await courts.measure(first)), first)
        measure.move_to(MeasureState.RELEASED)
    await courts.answered(order)
    assert await courts.standing(first) == ("released", 0, 40_000)
    assert (await courts.measure(first)).contradiction == "ended_before"


async def test_jieshi_485_a_last_day_that_the_other_side_puts_too_far_off_is_not_believed(courts: Courts) -> None:
    court = courts.courts[0]
    far = date(2040, 1, 1)
    keep = courts.bank.control

    async def boast(order: ControlOrder) -> ControlReceipt:
        return replace(await keep(order), ends_on=far)

    courts.bank.control = boast  # type: ignore[method-assign]
    measure_id = await court.freeze(ACCOUNT, 100_00)
    assert await courts.term(measure_id) == (date(2026, 11, 22), date(2027, 11, 21))
    courts.clock.go_to(date(2027, 11, 21))
    await court.renew(measure_id)
    assert (await courts.term(measure_id))[1] == date(2028, 11, 21)


async def test_jieshi_485_nor_is_one_that_a_query_names(courts: Courts) -> None:
    court = courts.courts[0]
    measure_id = await court.freeze(ACCOUNT, 100_00)
    courts.clock.pass_days(1)
    held = courts.bank.things[ACCOUNT].line[0]
    held.days = (held.days[0], date(2040, 1, 1))
    await _ask(courts, court)
    assert (await courts.term(measure_id))[1] == date(2027, 11, 21)


async def test_two_banks_may_number_their_accounts_alike(courts: Courts) -> None:
    court = courts.courts[0]
    measure_id = await court.freeze(ACCOUNT, 100_00)
    courts.other_bank.add(Thing(ACCOUNT, courts.bank.things[ACCOUNT].owner, balance=70_00))
    await courts.assets.query(
        court.judge, case_id=court.case_id, person_id=court.person_id, idempotency_key=uuid4(), gateways=["other-bank"]
    )
    await courts.exchange()
    view = await courts.assets.overview(court.judge, court.case_id)
    assert sorted(one.gateway for one in view.assets if one.kind == "bank_account") == ["bank", "other-bank"]
    await court.release(measure_id)
    assert (courts.bank.orders[-1].action, courts.other_bank.orders) == ("release", [])
