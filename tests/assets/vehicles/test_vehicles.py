"""The third kind: motor vehicles, through their gateway and the simulator's own book."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import assets
from assets import formats
from assets.documents import Action
from assets.errors import GatewayAnsweredGarbage, GatewayObjected, GatewayRefused
from assets.gateway import ControlOrder, Subject
from assets.posting import Poster
from assets.simulators.people import everybody
from assets.terms import AssetKind
from assets.vehicles.http import HttpVehicles
from assets.vehicles.messages import Vehicle
from assets.vehicles.simulator import fictional_vehicles
from tests.assets.simulators import orders
from tests.assets.simulators.orders import query
from tests.support.simulator import Simulator

PLATE = "蒙A12345"
SOURCE = Path(assets.__file__).parents[1]


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Simulator]:
    """The other side."""
    simulator = Simulator("vehicles", tmp_path / "vehicles.sqlite3", delay_seconds=0)
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def gateway(other: Simulator) -> AsyncIterator[HttpVehicles]:
    """Our side of it."""
    gateway = HttpVehicles(Poster("vehicles", other.url, answer_seconds=1))
    yield gateway
    await gateway.close()


def order(
    number: str, action: Action = Action.SEIZE, *, court: str = "city", original: str = "", plate: str = PLATE
) -> ControlOrder:
    """An order about a vehicle."""
    return orders.order(
        number, action, court=court, original=original, reference=plate, kind=AssetKind.MOVABLE, day=orders.TODAY
    )


async def test_a_persons_vehicles_are_found_with_what_stands_on_them(gateway: HttpVehicles) -> None:
    found = {asset.reference: asset for asset in (await gateway.query(query())).assets}
    assert set(found) == {PLATE, "蒙AD06789"}
    car = found[PLATE]
    assert (car.kind, car.details["CLSBDM"]) == (AssetKind.MOVABLE, "LSVFV2185N2000001")
    assert [(one.kind, one.amount_cents) for one in car.encumbrances] == [("mortgage", 3_800_000)]
    assert [(one.kind, one.until) for one in found["蒙AD06789"].encumbrances] == [("seizure", date(2028, 3, 1))]
    nobody = await gateway.query(query("C2", Subject("王某丙（虚构）", False, "150103197806072038")))
    assert nobody.assets == ()


@pytest.mark.parametrize("action", [Action.SEIZE, Action.IMPOUND])
async def test_jieshi_485_a_movable_is_held_for_two_years(gateway: HttpVehicles, action: Action) -> None:
    receipt = await gateway.control(order("A1", action))
    assert (receipt.is_registered, receipt.waiting_rank, receipt.ends_on) == (True, 0, date(2028, 11, 21))
    with pytest.raises(GatewayRefused, match="法定上限"):
        await gateway.control(replace(order("B1", action, court="saihan"), ends_on=date(2028, 11, 22)))


async def test_it_is_renewed_released_and_passed_on_in_turn(other: Simulator, gateway: HttpVehicles) -> None:
    await gateway.control(order("A1"))
    assert (await gateway.control(order("B1", court="saihan"))).waiting_rank == 1
    later = replace(order("A2", Action.RENEW, original="A1"), starts_on=date(2027, 1, 5), ends_on=date(2029, 1, 4))
    assert (await gateway.control(later)).ends_on == date(2029, 1, 4)
    assert (await gateway.control(order("A3", Action.RELEASE, original="A1"))).is_registered
    assert (await gateway.control(order("B2", Action.TRANSFER, court="saihan", original="B1"))).is_registered
    assert [(one["number"], one["state"]) for one in other.ledger.controls(PLATE)] == [
        ("A1", "released"),
        ("B1", "transferred"),
    ]
    assert PLATE not in {asset.reference for asset in (await gateway.query(query())).assets}


async def test_an_objection_is_told_from_a_refusal(gateway: HttpVehicles) -> None:
    firm = Subject("内蒙古某某商贸有限公司（虚构）", True, "91150100MA0000007W")
    truck = replace(order("A1", plate="蒙A88K66"), subject=firm)
    with pytest.raises(GatewayObjected, match="报废"):
        await gateway.control(truck)
    assert (await gateway.control(truck)).is_registered  # the court maintained it, with the same number


def test_a_vehicle_whose_numbers_cannot_be_is_garbage() -> None:
    gateway = HttpVehicles(Poster("vehicles", "http://127.0.0.1:9"))
    good = Vehicle(HPHM=PLATE, CLSBDM="LSVFV2185N2000001", CLPP="虚构牌")
    assert gateway._found(good).reference == PLATE
    for change, field in (({"CLSBDM": "LSVFV2186N2000001"}, "CLSBDM"), ({"HPHM": "京A12345"}, "HPHM")):
        with pytest.raises(GatewayAnsweredGarbage) as garbage:
            gateway._found(good.model_copy(update=change))
        assert garbage.value.reason == field


def test_the_fictional_vehicles_have_owners_plates_and_checked_numbers() -> None:
    for one in fictional_vehicles():
        assert one.owner in everybody()
        assert formats.plate(one.plate) == one.plate
        assert formats.vin(one.vin) == one.vin


def test_nothing_outside_its_module_names_it() -> None:
    named = re.compile(r"assets[./]vehicles|import vehicles|[\"']vehicles[\"']|\.vehicles\b")
    folders = ("assets", "command_center", "streams", "field_agent", "deploy")
    files = [
        path
        for folder in folders
        for path in (SOURCE / folder).rglob("*")
        if path.suffix in (".py", ".po", ".js", ".toml", ".env") and "assets/vehicles" not in path.as_posix()
    ]
    assert len(files) > 300
    assert [str(path) for path in files if named.search(path.read_text(encoding="utf-8"))] == []
