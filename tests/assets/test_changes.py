"""What may be ordered about a measure, when, and what the answer does to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from assets.documents import Action
from assets.errors import BadFormat, Conflict, GatewayUnreachable, NotFound, RulingMissing
from assets.ordering import Warrant
from assets.terms import AssetKind, check_term, last_day
from tests.assets.conftest import ACCOUNT, CAR, HOUSE
from tests.support.courts import DEBTOR, Courts, Thing


@pytest.mark.parametrize(
    ("kind", "years"),
    [
        (AssetKind.BANK_ACCOUNT, 1),
        (AssetKind.MOVABLE, 2),
        (AssetKind.REAL_ESTATE, 3),
        (AssetKind.OTHER_RIGHT, 3),
    ],
)
def test_jieshi_485_no_term_is_longer_than_the_law_allows(kind: AssetKind, years: int) -> None:
    start = date(2026, 3, 1)
    check_term(kind, start, last_day(start, years))
    with pytest.raises(BadFormat, match="too-long"):
        check_term(kind, start, last_day(start, years + 1))


async def test_jieshi_485_a_judge_may_choose_a_shorter_term(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    measure = await one.seize(HOUSE, years=2)
    assert await courts.term(measure) == (date(2026, 11, 22), date(2028, 11, 21))
    with pytest.raises(BadFormat, match="too-long"):
        await courts.courts[1].seize(HOUSE, years=4)


async def test_jieshi_485_a_renewal_runs_from_the_next_day_and_may_be_as_long_again(
    courts: Courts,
) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    courts.clock.go_to(date(2027, 11, 21))  # the last day
    with pytest.raises(BadFormat, match="too-long"):
        await one.renew(measure, years=2)
    await one.renew(measure)
    assert await courts.term(measure) == (date(2026, 11, 22), date(2028, 11, 21))
    order = courts.bank.orders[-1]
    assert (order.starts_on, order.ends_on) == (date(2027, 11, 22), date(2028, 11, 21))
    assert order.original is not None
    assert order.original.number == courts.bank.orders[0].head.number
    assert (await courts.measure(measure)).renewals == 1


async def test_practice_a_term_that_begins_on_29_february_ends_on_the_27th(courts: Courts) -> None:
    courts.clock.go_to(date(2028, 2, 29))
    measure = await courts.courts[0].freeze(ACCOUNT, 40_000)
    assert await courts.term(measure) == (date(2028, 2, 29), date(2029, 2, 27))
    await courts.courts[0].renew(measure)
    assert (await courts.term(measure))[1] == date(2030, 2, 27)


async def test_article_27_what_has_lapsed_is_not_renewed(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    courts.clock.go_to(date(2027, 11, 22))
    with pytest.raises(Conflict, match="measure-lapsed"):
        await one.renew(measure)
    await courts.watch_terms()
    for change in (one.renew, one.release, one.transfer):
        with pytest.raises(Conflict, match="measure-lapsed"):
            await change(measure)


async def test_a_renewals_key_is_no_key_for_another_term(courts: Courts) -> None:
    one, *_ = courts.courts
    await courts.add(Thing(CAR, DEBTOR, AssetKind.MOVABLE))
    order = await courts.controls.impound(one.judge, one.assets[CAR], one.warrant())
    measure = await courts.answered(order)
    warrant = one.warrant(years=1)
    first, again = [await courts.controls.renew(one.judge, measure, warrant) for _ in range(2)]
    assert first.id == again.id
    for years in (0, 2):
        with pytest.raises(Conflict, match="idempotency-key-used"):
            await courts.controls.renew(one.judge, measure, replace(warrant, years=years))


async def test_practice_nothing_is_renewed_twice_ahead_of_its_term(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    await one.renew(measure)
    with pytest.raises(Conflict, match="renewed-already"):
        await one.renew(measure)
    courts.clock.go_to(date(2027, 11, 22))  # the renewed term has begun
    await one.renew(measure)
    assert (await courts.term(measure))[1] == date(2029, 11, 21)


async def test_practice_what_waits_has_no_term_to_renew_and_nothing_to_transfer_or_give_back(courts: Courts) -> None:
    one, two, _ = courts.courts
    await one.freeze(ACCOUNT, 40_000)
    waits = await two.freeze(ACCOUNT, 40_000)
    with pytest.raises(Conflict, match="waiting-has-no-term"):
        await two.renew(waits)
    with pytest.raises(Conflict, match="waiting-controls-nothing"):
        await two.transfer(waits)
    with pytest.raises(Conflict, match="waiting-controls-nothing"):
        await two.part_release(waits, 1)


async def test_practice_a_release_waits_for_the_transfer_on_the_same_freeze(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    await courts.controls.transfer(one.judge, measure, one.warrant(), amount_cents=10_000)
    with pytest.raises(Conflict, match="transfer-pending"):
        await one.release(measure)
    with pytest.raises(Conflict, match="change-pending"):
        await one.transfer(measure, 1)
    await courts.exchange()
    await one.release(measure)
    held = await courts.measure(measure)
    assert (held.state, held.transferred_cents, held.released_cents) == ("released", 10_000, 30_000)


async def test_a_change_whose_answer_is_lost_is_asked_again_and_done_once(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    courts.bank.troubles = [GatewayUnreachable("bank")]
    await courts.controls.transfer(one.judge, measure, one.warrant(), amount_cents=10_000)
    await courts.assets.send_due()
    assert await courts.standing(measure) == ("in_force", 0, 40_000)
    courts.clock.pass_days(1)
    await courts.exchange()
    assert await courts.standing(measure) == ("in_force", 0, 30_000)
    assert courts.bank.things[ACCOUNT].balance == 90_000
    assert len({order.head.number for order in courts.bank.orders if order.action is Action.TRANSFER}) == 1


async def test_a_change_that_is_refused_leaves_the_measure_as_it_stood(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    courts.bank.refusal = "no"
    await one.release(measure)
    assert await courts.standing(measure) == ("in_force", 0, 40_000)
    assert (await courts.events(measure))[-1] == "refused"
    await one.release(measure)
    assert await courts.standing(measure) == ("released", 0, 0)


async def test_a_transfer_goes_to_the_cases_account_and_is_never_more_than_is_held(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    with pytest.raises(BadFormat, match="more-than-held"):
        await one.transfer(measure, 40_001)
    await one.transfer(measure)
    payee = courts.bank.orders[-1].payee
    assert payee is not None
    assert payee.account == "05010001040001234"
    assert courts.bank.orders[-1].amount_cents == 40_000


async def test_a_title_goes_to_a_recipient_that_is_named(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, two, _ = courts.courts
    measure, waits = await one.seize(HOUSE), await two.seize(HOUSE)
    with pytest.raises(BadFormat, match="recipient"):
        await one.transfer(measure)
    await one.transfer(measure, recipient="某买受人（虚构）")
    assert await courts.standing(measure) == ("transferred", 0, 0)
    assert await courts.standing(waits) == ("void", 0, 0)


async def test_a_part_is_less_than_all_and_a_house_has_no_parts(courts: Courts) -> None:
    await courts.add(Thing(HOUSE, DEBTOR, AssetKind.REAL_ESTATE))
    one, *_ = courts.courts
    frozen, seized = await one.freeze(ACCOUNT, 40_000), await one.seize(HOUSE)
    with pytest.raises(BadFormat, match="not-a-part"):
        await one.part_release(frozen, 40_000)
    with pytest.raises(Conflict, match="not-divisible"):
        await one.part_release(seized, 1)


async def test_article_3_no_change_without_a_ruling(courts: Courts) -> None:
    one, *_ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    for change in (courts.controls.renew, courts.controls.release, courts.controls.transfer):
        with pytest.raises(RulingMissing):
            await change(one.judge, measure, Warrant(" ", uuid4()))


async def test_another_courts_measure_is_not_there(courts: Courts) -> None:
    one, two, _ = courts.courts
    measure = await one.freeze(ACCOUNT, 40_000)
    for change in (courts.controls.renew, courts.controls.release, courts.controls.transfer):
        with pytest.raises(NotFound, match="no-such-measure"):
            await change(two.judge, measure, two.warrant())


async def test_one_key_is_one_change(courts: Courts) -> None:
    one, *_ = courts.courts
    measure, key = await one.freeze(ACCOUNT, 40_000), uuid4()
    first = await courts.controls.release(one.judge, measure, one.warrant(key))
    await courts.exchange()
    again = await courts.controls.release(one.judge, measure, one.warrant(key))
    assert again.number == first.number
    with pytest.raises(Conflict, match="idempotency-key-used"):
        await courts.controls.renew(one.judge, measure, one.warrant(key))


async def test_what_a_page_offers_is_what_the_order_allows(courts: Courts) -> None:
    one, two, _ = courts.courts

    async def offered(court: int) -> dict[str, str]:
        who = courts.courts[court]
        sheet = await courts.controls.sheet(who.judge, who.assets[ACCOUNT])
        return {one.action.value: one.why for one in sheet.allowed}

    assert await offered(0) == {
        "freeze": "", "seize": "", "pre_register": "", "impound": "",
        "freeze_and_transfer": "", "withdraw_income": "",
        "renew": "no-measure", "part_release": "no-measure", "release": "no-measure", "transfer": "no-measure",
    }  # fmt: skip
    await one.freeze(ACCOUNT, 40_000)
    waits = await two.freeze(ACCOUNT, 40_000)
    assert {why for action, why in (await offered(0)).items() if not Action(action).is_first} == {""}
    assert await offered(1) == {
        "freeze": "measure-stands", "seize": "measure-stands", "pre_register": "measure-stands",
        "impound": "measure-stands", "freeze_and_transfer": "measure-stands",
        "withdraw_income": "measure-stands", "renew": "waiting-has-no-term", "part_release": "waiting-controls-nothing",
        "release": "", "transfer": "waiting-controls-nothing",
    }  # fmt: skip
    await courts.controls.release(two.judge, waits, two.warrant())
    assert (await offered(1))["release"] == "change-pending"
