"""What the simulated registry does with orders, seen through the gateway and in its own book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from assets.documents import Action
from assets.errors import GatewayRefused
from assets.gateway import ControlOrder, Subject
from assets.registry.http import HttpRegistry
from assets.terms import AssetKind
from tests.assets.simulators import orders
from tests.assets.simulators.conftest import Day
from tests.assets.simulators.orders import UNIT, query
from tests.support.simulator import Simulator


def order(number: str, action: Action = Action.SEIZE, *, court: str = "city", original: str = "") -> ControlOrder:
    """An order about the unit."""
    return orders.order(
        number, action, court=court, original=original, reference=UNIT, kind=AssetKind.REAL_ESTATE, day=orders.TODAY
    )


def _book(other: Simulator) -> list[tuple[str, str, int]]:
    return [(one["number"], one["state"], one["rank"]) for one in other.ledger.controls(UNIT)]


async def test_article_26_seizures_stand_in_line_and_take_effect_when_the_first_is_released(
    other_registry: Simulator, registry: HttpRegistry
) -> None:
    first = await registry.control(order("A1"))
    second = await registry.control(order("B1", court="saihan"))
    assert (first.waiting_rank, first.ends_on, first.receipt_number) == (0, date(2029, 11, 21), "CFA1")
    assert (second.waiting_rank, second.ends_on) == (1, None)
    assert other_registry.ledger.papers("A1") == ["执行裁定书"]
    assert (await registry.control(order("A2", Action.RELEASE, original="A1"))).is_registered
    assert _book(other_registry) == [("A1", "released", 0), ("B1", "in_force", 0)]
    standing = next(asset for asset in (await registry.query(query())).assets if asset.reference == UNIT).encumbrances
    assert [(one.kind, one.order_number, one.case_number, one.rank) for one in standing if one.kind == "seizure"] == [
        ("seizure", "B1", "（2026）内0105执456号", 0)
    ]


async def test_article_27_a_seizure_lapses_after_three_years_unless_renewed(
    other_registry: Simulator, registry: HttpRegistry, day: Day
) -> None:
    await registry.control(order("A1"))
    day.pass_days(1000)
    renewal = replace(order("A2", Action.RENEW, original="A1"), starts_on=date(2029, 8, 18), ends_on=date(2032, 8, 17))
    assert (await registry.control(renewal)).ends_on == date(2032, 8, 17)
    day.pass_days(1096)
    await registry.query(query())
    assert _book(other_registry) == [("A1", "lapsed", 0)]
    with pytest.raises(GatewayRefused, match="到期失效"):
        await registry.control(replace(order("A3", Action.RENEW, original="A1"), starts_on=None, ends_on=None))


async def test_a_title_that_was_passed_on_is_gone_and_nobody_waits_any_more(
    other_registry: Simulator, registry: HttpRegistry
) -> None:
    await registry.control(order("A1"))
    await registry.control(order("B1", court="saihan"))
    receipt = await registry.control(order("A2", Action.TRANSFER, original="A1"))
    assert receipt.is_registered
    assert _book(other_registry) == [("A1", "transferred", 0), ("B1", "void", 0)]
    assert UNIT not in {asset.reference for asset in (await registry.query(query())).assets}


async def test_without_its_original_or_with_a_certificate_missing_it_is_refused(
    other_registry: Simulator, registry: HttpRegistry
) -> None:
    await registry.control(order("A1"))
    with pytest.raises(GatewayRefused, match="缺少原查封单号"):
        await registry.control(orders.without_original(order("A2", Action.RELEASE, original="A1")))
    bare = order("B1", court="saihan")
    with pytest.raises(GatewayRefused, match="缺少公务证件"):
        await registry.control(replace(bare, head=replace(bare.head, duty_card="")))
    forged = replace(bare, papers=(replace(bare.papers[0], sha256="0" * 64),))
    with pytest.raises(GatewayRefused, match="摘要不符"):
        await registry.control(forged)
    assert _book(other_registry) == [("A1", "in_force", 0)]


async def test_what_is_not_registered_yet_is_pre_registered_and_never_seized(
    other_registry: Simulator, registry: HttpRegistry
) -> None:
    buyer = Subject("孙某庚（虚构）", False, "150125197504123029")
    unit = "150105001002GB00014F00420603"
    found = {asset.reference: asset for asset in (await registry.query(query("C1", buyer))).assets}
    assert found[unit].details["DJZT"] == "2"
    assert [one.kind for one in found["150102004001GB00023F00060202"].encumbrances] == ["mortgage", "objection"]
    seizure = replace(order("A1"), subject=buyer, reference=unit)
    with pytest.raises(GatewayRefused, match="应当预查封"):
        await registry.control(seizure)
    receipt = await registry.control(replace(order("A2", Action.PRE_REGISTER), subject=buyer, reference=unit))
    assert (receipt.is_registered, receipt.waiting_rank, receipt.ends_on) == (True, 0, date(2029, 11, 21))
    with pytest.raises(GatewayRefused, match="应当查封"):
        await registry.control(order("A3", Action.PRE_REGISTER))
