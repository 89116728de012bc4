"""A register of motor vehicles that answers queries and carries out controls over fictional people's vehicles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from assets.simulators.asked import require_notice, require_ruling
from assets.simulators.conduct import Conduct, Refused, Service
from assets.simulators.manners import Trouble
from assets.simulators.page import add_pages
from assets.simulators.people import EarlierSeizure, PriorityRight, Scripted, everybody
from assets.simulators.title_messages import action_of, answer, control_service, order_of, seizures
from assets.simulators.titles import Deed, Titles
from assets.terms import AssetKind
from assets.vehicles import messages
from assets.wire import yuan

FICTIONAL_REASON = "车辆状态异常（虚构）"


class FictionalVehicle(Scripted):
    """One vehicle."""

    owner: str
    plate: str
    vin: str
    model: str
    engine: str
    colour: str
    registered: str
    earlier: tuple[EarlierSeizure, ...] = ()
    mortgages: tuple[PriorityRight, ...] = ()
    control: Trouble | None = None
    not_controlled: str = ""


class _File(BaseModel):
    vehicles: tuple[FictionalVehicle, ...]


@cache
def fictional_vehicles() -> tuple[FictionalVehicle, ...]:
    """All of them."""
    text = (Path(__file__).parent / "people.json").read_text(encoding="utf-8")
    return _File.model_validate_json(text).vehicles


def vehicles(conduct: Conduct) -> FastAPI:
    """The register as a web application."""
    app = FastAPI(title="Simulated vehicle register", docs_url=None, redoc_url=None, openapi_url=None)
    add_pages(app, "vehicles", conduct)
    desk = Desk(conduct)
    queries = Service(
        "vehicles query", "CXQQDH", "ZJH", "", lambda _: None, desk.query, lambda body: body | {"JDCXX": []}
    )
    controls = control_service("vehicles control", "HPHM", desk.trouble, desk.control, FICTIONAL_REASON)

    @app.post("/vehicles/query")
    async def query(request: Request) -> Response:
        return await conduct.serve(request, queries)

    @app.post("/vehicles/control")
    async def control(request: Request) -> Response:
        return await conduct.serve(request, controls)

    return app


class Desk:
    """Reads orders and writes answers; `Titles` does what they ask."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._titles = Titles(conduct, AssetKind.MOVABLE)

    def trouble(self, asked: dict[str, Any]) -> Trouble | None:
        """What the script has happen to a control of this vehicle."""
        vehicle = _vehicle(asked)
        return vehicle.control if vehicle else None

    def query(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """What is registered in the person's name."""
        require_notice(str(asked.get("CKH", "")))
        person = everybody().get(str(asked["ZJH"]))
        is_known = person is not None and person.name == asked["XM"] and manner.kind != "nothing"
        owned = [one for one in fictional_vehicles() if is_known and one.owner == asked["ZJH"]]
        told = [self._told(one) for one in owned if not self._titles.is_gone(one.plate)]
        return {"CXQQDH": asked["CXQQDH"], "FKSJ": self._conduct.stamp(), "JDCXX": told}

    def control(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """Carry one order out."""
        order = order_of(asked)
        require_ruling(order.ruling, order.papers)
        vehicle = _vehicle(asked)
        if vehicle is None or self._titles.is_gone(vehicle.plate):
            raise Refused("机动车不存在")
        self._titles.settle(vehicle.plate, vehicle.earlier)
        if reason := vehicle.not_controlled or (FICTIONAL_REASON if manner.kind == "not-controlled" else ""):
            return answer(order, Deed(undone=reason))
        action = action_of(asked, messages.CODES)
        return answer(order, self._titles.carry_out(action, vehicle.plate, order, manner))

    def _told(self, vehicle: FictionalVehicle) -> dict[str, Any]:
        return {
            "HPHM": vehicle.plate,
            "CLSBDM": vehicle.vin,
            "CLPP": vehicle.model,
            "FDJH": vehicle.engine,
            "CSYS": vehicle.colour,
            "CCDJRQ": vehicle.registered,
            "ZT": "正常",
            "CFXX": seizures(self._titles.settle(vehicle.plate, vehicle.earlier)),
            "DYXX": [{"DYQR": one.holder, "BDBZZQSE": yuan(one.amount)} for one in vehicle.mortgages],
        }


def _vehicle(asked: dict[str, Any]) -> FictionalVehicle | None:
    wanted = (asked.get("HPHM"), asked["ZJH"])
    return next((one for one in fictional_vehicles() if (one.plate, one.owner) == wanted), None)
