"""Who holds a thing, who waits, and who comes next."""

from __future__ import annotations

from datetime import date

import pytest

from assets.errors import Conflict, GatewayUnreachable
from tests.assets.conftest import ACCOUNT
from tests.support.courts import Courts


async def test_article_26_the_next_in_line_takes_effect_by_itself_when_the_one_before_is_released(
    courts: Courts,
) -> None:
    one, two, three = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    second = await two.freeze(ACCOUNT, 70_000, years=1)
    third = await three.freeze(ACCOUNT, 10_000)
    assert [await courts.standing(each) for each in (first, second, third)] == [
        ("in_force", 0, 40_000),
        ("waiting", 1, 0),
        ("waiting", 2, 0),
    ]
    courts.clock.go_to(date(2027, 3, 1))
    await one.release(first)
    assert [await courts.standing(each) for each in (first, second, third)] == [
        ("released", 0, 0),
        ("in_force", 0, 70_000),
        ("waiting", 1, 0),
    ]
    assert await courts.term(second) == (date(2027, 3, 1), date(2028, 2, 29))
    assert (await courts.measure(second)).confirmed_at is not None
    assert await courts.events(second) == ["ordered", "waits", "promoted", "confirmed"]


async def test_what_was_promoted_holds_nothing_that_is_known_until_the_other_side_says_so(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 70_000)
    order = await courts.controls.release(one.judge, first, one.warrant())
    assert await courts.assets.send_due() == 1
    assert await courts.standing(second) == ("in_force", 0, 0)
    assert (await courts.measure(second)).confirmed_at is None
    with pytest.raises(Conflict, match="measure-unconfirmed"):
        await courts.controls.transfer(two.judge, second, two.warrant())
    await courts.answered(order)
    assert await courts.standing(second) == ("in_force", 0, 70_000)
    assert two.case_id in courts.changes


async def test_article_27_what_lapses_makes_room_and_its_court_goes_to_the_end(courts: Courts) -> None:
    one, two, three = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    second, third = await two.freeze(ACCOUNT, 70_000), await three.freeze(ACCOUNT, 10_000)
    courts.clock.go_to(date(2027, 11, 21))
    with pytest.raises(Conflict, match="measure-stands"):
        await one.freeze(ACCOUNT, 40_000)
    courts.clock.go_to(date(2027, 11, 25))
    again = await one.freeze(ACCOUNT, 40_000)
    assert [await courts.standing(each) for each in (first, second, third, again)] == [
        ("lapsed", 0, 0),
        ("in_force", 0, 70_000),
        ("waiting", 1, 0),
        ("waiting", 2, 0),
    ]
    # It took effect the day after the other one's last day, however late our records noticed.
    assert await courts.term(second) == (date(2027, 11, 22), date(2028, 11, 21))


async def test_article_27_the_watch_over_terms_has_the_next_take_effect(courts: Courts) -> None:
    one, two, three = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    second, third = await two.freeze(ACCOUNT, 70_000), await three.freeze(ACCOUNT, 10_000)
    courts.clock.go_to(date(2028, 11, 30))  # the term of the second is over as well by now
    await courts.watch_terms()
    assert [await courts.standing(each) for each in (first, second, third)] == [
        ("lapsed", 0, 0),
        ("lapsed", 0, 0),
        ("in_force", 0, 0),
    ]
    assert await courts.term(third) == (date(2028, 11, 22), date(2029, 11, 21))
    await courts.exchange()
    assert await courts.standing(third) == ("in_force", 0, 10_000)
    assert {one.case_id, two.case_id, three.case_id} <= set(courts.changes)


async def test_article_27_a_renewal_sent_in_time_and_not_answered_keeps_it_from_lapsing(
    courts: Courts,
) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 70_000)
    courts.clock.go_to(date(2027, 11, 21))
    courts.bank.troubles = [GatewayUnreachable("bank")]
    await courts.controls.renew(one.judge, first, one.warrant())
    await courts.assets.send_due()
    courts.clock.go_to(date(2027, 11, 23))
    await courts.watch_terms()
    assert await courts.standing(first) == ("in_force", 0, 40_000)
    await courts.exchange()
    assert await courts.term(first) == (date(2026, 11, 22), date(2028, 11, 21))
    assert await courts.standing(second) == ("waiting", 1, 0)


async def test_article_27_one_whose_renewal_was_refused_lapses_as_soon_as_that_is_known(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 70_000)
    courts.clock.go_to(date(2027, 11, 21))
    order = await courts.controls.renew(one.judge, first, one.warrant())
    courts.bank.refusal = "no"
    courts.clock.go_to(date(2027, 11, 23))
    await courts.answered(order)
    assert await courts.standing(first) == ("lapsed", 0, 0)
    assert await courts.standing(second) == ("in_force", 0, 70_000)
    assert (await courts.term(second))[0] == date(2027, 11, 22)


async def test_practice_what_waited_never_takes_effect_once_all_of_it_is_gone(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 100_000), await two.freeze(ACCOUNT, 70_000)
    await one.transfer(first)
    assert await courts.standing(first) == ("transferred", 0, 0)
    assert (await courts.measure(first)).transferred_cents == 100_000
    assert await courts.standing(second) == ("void", 0, 0)


async def test_article_26_a_transfer_of_a_part_leaves_the_rest_to_the_next(courts: Courts) -> None:
    one, two, _ = courts.courts
    first, second = await one.freeze(ACCOUNT, 40_000), await two.freeze(ACCOUNT, 70_000)
    await one.transfer(first, 15_000)
    assert await courts.standing(first) == ("in_force", 0, 25_000)
    await one.transfer(first, 25_000)
    assert await courts.standing(first) == ("transferred", 0, 0)
    assert await courts.standing(second) == ("in_force", 0, 60_000)
    assert (await courts.measure(second)).over_cents == 10_000


async def test_one_that_leaves_the_middle_of_the_line_lets_those_behind_move_up(courts: Courts) -> None:
    one, two, three = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    second, third = await two.freeze(ACCOUNT, 70_000), await three.freeze(ACCOUNT, 10_000)
    await two.release(second)
    assert await courts.standing(second) == ("released", 0, 0)
    assert await courts.standing(third) == ("waiting", 1, 0)
    assert await courts.standing(first) == ("in_force", 0, 40_000)
    assert courts.bank.orders[-1].original is not None
    assert courts.bank.orders[-1].original.is_waiting


async def test_a_part_release_gives_back_what_it_says(courts: Courts) -> None:
    one, *_ = courts.courts
    first = await one.freeze(ACCOUNT, 40_000)
    await one.part_release(first, 15_000)
    measure = await courts.measure(first)
    assert (measure.controlled_cents, measure.released_cents, measure.asked_cents) == (25_000, 15_000, 25_000)
