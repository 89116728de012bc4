"""Every manner of answering, over HTTP; and what was done in each by the other side's own book."""

from __future__ import annotations

import pytest

from assets.banks.http import HttpBank
from assets.errors import (
    GatewayAccepted,
    GatewayAnsweredGarbage,
    GatewayBroke,
    GatewayObjected,
    GatewayRefused,
    GatewayTrouble,
    GatewayUnreachable,
)
from assets.posting import Poster
from assets.registry.http import HttpRegistry
from assets.simulators.manners import KINDS, Kind, Trouble, draw
from assets.simulators.page_html import words
from assets.terms import AssetKind
from tests.assets.simulators import orders
from tests.assets.simulators.orders import ACCOUNT, PERSON, UNIT, order, query
from tests.support.simulator import Simulator
from tests.support.waiting import until

TROUBLES: dict[Kind, type[GatewayTrouble]] = {
    "silent": GatewayUnreachable,
    "late": GatewayUnreachable,
    "server-error": GatewayBroke,
    "broken": GatewayBroke,
    "garbage": GatewayAnsweredGarbage,
    "reset": GatewayUnreachable,
    "refuses": GatewayRefused,
    "objects": GatewayObjected,
    "accepted": GatewayAccepted,
    "twice": GatewayAnsweredGarbage,
}
NOT_DONE = ("broken", "refuses", "objects", "accepted")


@pytest.fixture
async def hasty(other_bank: Simulator) -> HttpBank:
    """A gateway that gives up soon."""
    return HttpBank(Poster("bank", other_bank.url, answer_seconds=1))


@pytest.mark.parametrize("kind", TROUBLES)
async def test_after_any_trouble_the_same_number_is_carried_out_once(
    other_bank: Simulator, hasty: HttpBank, kind: Kind
) -> None:
    other_bank.behave(kind, times=1)
    with pytest.raises(TROUBLES[kind]):
        await hasty.control(order("A1", cents=5_000))
    if kind in NOT_DONE:
        assert other_bank.ledger.controls(ACCOUNT) == []
    else:
        await until(lambda: len(other_bank.ledger.controls(ACCOUNT)) == 1)
    receipt = await hasty.control(order("A1", cents=5_000))
    assert (receipt.is_registered, receipt.controlled_cents) == (True, 5_000)
    assert [one["number"] for one in other_bank.ledger.controls(ACCOUNT)] == ["A1"]
    assert (await hasty.control(order("A1", cents=5_000))) == receipt
    await hasty.close()


@pytest.mark.parametrize("kind", TROUBLES)
async def test_no_trouble_with_a_query_looks_like_nothing_found(
    other_bank: Simulator, hasty: HttpBank, kind: Kind
) -> None:
    other_bank.behave(kind, person=PERSON.id_number)
    with pytest.raises(TROUBLES[kind]):
        await hasty.query(query())
    other_bank.behave_as_scripted(PERSON.id_number)
    assert len((await hasty.query(query())).assets) == 3
    await hasty.close()


async def test_the_matters_of_the_domain(other_bank: Simulator, bank: HttpBank) -> None:
    other_bank.behave("nothing", requests=1)
    assert (await bank.query(query())).assets == ()
    other_bank.behave("not-controlled", requests=1)
    refused = await bank.control(order("A1", cents=1_000))
    assert (refused.is_registered, refused.reason) == (False, "账户状态异常（虚构）")
    other_bank.behave("partly", requests=1)
    partly = await bank.control(order("A2", cents=1_000))
    assert (partly.controlled_cents, partly.over_cents) == (500, 500)
    other_bank.behave("priority", requests=1)
    nothing = await bank.control(order("A3", cents=1_000, reference="6217000060000001022"))
    assert (nothing.is_registered, nothing.controlled_cents, nothing.over_cents) == (True, 0, 1_000)
    assert [one.kind for one in nothing.earlier] == ["priority"]


async def test_another_court_may_have_been_first_everywhere(
    other_bank: Simulator, bank: HttpBank, other_registry: Simulator, registry: HttpRegistry
) -> None:
    other_bank.behave("waiting")
    other_registry.behave("waiting")
    account = await bank.control(order("A1", cents=1_000))
    unit = await registry.control(
        orders.order("A1", reference=UNIT, kind=AssetKind.REAL_ESTATE, action=orders.Action.SEIZE)
    )
    for receipt in (account, unit):
        assert (receipt.is_registered, receipt.waiting_rank, receipt.controlled_cents) == (True, 1, 0)
        assert receipt.earlier[0].holder == "外地某某人民法院（虚构）"


async def test_a_second_answer_may_contradict_the_first(other_bank: Simulator, bank: HttpBank) -> None:
    other_bank.behave("contradicts")
    first, second = [await bank.control(order("A1", cents=1_000)) for _ in range(2)]
    assert (first.is_registered, second.is_registered) == (True, False)
    found, none = [await bank.query(query()) for _ in range(2)]
    assert (len(found.assets), none.assets) == (3, ())
    assert [one["state"] for one in other_bank.ledger.controls(ACCOUNT)] == ["in_force"]


async def test_a_slow_one_answers_all_the_same(other_bank: Simulator, bank: HttpBank) -> None:
    other_bank.conduct.delay_seconds = 0.05
    other_bank.behave("slow")
    assert len((await bank.query(query())).assets) == 3


async def test_a_pick_holds_for_so_many_numbers_and_for_each_so_many_times(
    other_bank: Simulator, bank: HttpBank
) -> None:
    other_bank.behave("broken", requests=2, times=1)
    for number in ("C1", "C2"):
        with pytest.raises(GatewayBroke):
            await bank.query(query(number))
        assert (await bank.query(query(number))).assets
    assert (await bank.query(query("C3"))).assets


async def _kinds_drawn(simulator: Simulator, gateway: HttpBank, prefix: str) -> list[str]:
    for place in range(12):
        try:
            await gateway.control(order(f"{prefix}{place}", cents=100))
        except GatewayTrouble:
            continue
    return [one.manner for one in simulator.conduct.noted if one.number.startswith(prefix)]


async def test_mixed_manners_are_drawn_by_the_seed_whatever_the_numbers_are(
    other_bank: Simulator, hasty: HttpBank, other_registry: Simulator
) -> None:
    other_bank.behave("mixed")
    drawn = await _kinds_drawn(other_bank, hasty, "A")
    expected = [draw(7, f"bank control/{PERSON.id_number}/{ACCOUNT}/{place}").kind for place in range(1, 13)]
    assert drawn == expected
    assert len(set(drawn)) > 4
    other_bank.conduct.reseed(8)
    assert await _kinds_drawn(other_bank, hasty, "B") != drawn
    await hasty.close()


def test_every_manner_can_be_drawn_but_refusing_and_all_have_words() -> None:
    drawn = {draw(seed, "x").kind for seed in range(2_000)}
    assert drawn == set(KINDS) - {"mixed", "refuses"}
    assert all(draw(seed, "x").times for seed in range(200) if draw(seed, "x").kind in TROUBLES)
    assert words("zh").keys() == words("en").keys()
    assert {f"manner.{kind}" for kind in KINDS} <= words("zh").keys()
    assert Trouble(kind="slow").times is None
