"""How a gateway is spared: left alone after failures in a row, never asked faster than agreed."""

from __future__ import annotations

import asyncio

import pytest

from assets.banks.http import HttpBank
from assets.breaker import Breaker
from assets.errors import GatewayBroke, GatewayBusy, GatewayRefused
from assets.pace import Pace
from assets.posting import Poster
from tests.assets.simulators.orders import query
from tests.support.simulator import Simulator
from tests.support.waiting import until


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_failures_in_a_row_lets_one_try_and_closes_again() -> None:
    clock = _Clock()
    breaker = Breaker(failures=3, rest_seconds=30, clock=clock)
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(3):
        assert breaker.wait_seconds() == 0
        breaker.failed()
    assert (breaker.state, breaker.wait_seconds(), breaker.openings) == ("open", 30, 1)
    clock.now += 29
    assert breaker.wait_seconds() == 1
    clock.now += 1
    assert breaker.wait_seconds() == 0  # this one is the probe
    assert (breaker.state, breaker.wait_seconds()) == ("half-open", 30)
    breaker.failed()
    assert (breaker.state, breaker.wait_seconds(), breaker.openings) == ("open", 30, 2)
    clock.now += 30
    assert breaker.wait_seconds() == 0
    breaker.abandoned()
    assert breaker.wait_seconds() == 0  # the probe that was given up says nothing: another one goes
    breaker.succeeded()
    assert (breaker.state, breaker.wait_seconds()) == ("closed", 0)


def test_a_pace_lets_a_burst_through_and_then_so_many_a_second() -> None:
    clock = _Clock()
    pace = Pace(per_second=2, burst=3, clock=clock)
    assert [pace.wait_seconds() for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert pace.wait_seconds() == 0
    clock.now += 1000
    assert [pace.wait_seconds() > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_gateway_that_keeps_breaking_is_left_alone_for_a_while(bank_simulator: Simulator) -> None:
    clock = _Clock()
    breaker = Breaker(failures=3, rest_seconds=30, clock=clock)
    poster = Poster("bank", bank_simulator.url, answer_seconds=1, breaker=breaker)
    bank = HttpBank(poster)
    bank_simulator.behave("broken")
    for number in range(3):
        with pytest.raises(GatewayBroke):
            await bank.query(query(f"C{number}"))
    with pytest.raises(GatewayBusy) as busy:
        await bank.query(query("C4"))
    assert (busy.value.seconds, busy.value.reason) == (30, "rest")
    assert bank_simulator.ledger.count_of("C4") == 0  # nothing was sent
    bank_simulator.behave_as_scripted()
    clock.now += 30
    assert (await bank.query(query("C4"))).assets
    assert poster.counts == {"gateway-broke": 3, "gateway-busy": 1, "answered": 1}
    bank_simulator.behave("refuses")
    for number in range(4):  # a refusal is an answer
        with pytest.raises(GatewayRefused):
            await bank.query(query(f"D{number}"))
    await bank.close()


async def test_a_probe_that_is_cancelled_does_not_bar_the_next(bank_simulator: Simulator) -> None:
    clock = _Clock()
    breaker = Breaker(failures=1, rest_seconds=30, clock=clock)
    bank = HttpBank(Poster("bank", bank_simulator.url, breaker=breaker))
    breaker.failed()
    clock.now += 30
    bank_simulator.behave("silent", requests=1)
    probe = asyncio.create_task(bank.query(query("C1")))
    await until(lambda: bank_simulator.ledger.count_of("C1"))
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert (await bank.query(query("C2"))).assets
    await bank.close()


async def test_a_gateway_is_never_asked_faster_than_agreed(bank_simulator: Simulator) -> None:
    bank = HttpBank(Poster("bank", bank_simulator.url, pace=Pace(per_second=0.1, burst=2)))
    await bank.query(query("C1"))
    await bank.query(query("C2"))
    with pytest.raises(GatewayBusy) as busy:
        await bank.query(query("C3"))
    assert 5 < busy.value.seconds <= 10
    assert bank_simulator.ledger.count_of("C3") == 0
    await bank.close()
