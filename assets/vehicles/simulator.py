"""A register of motor vehicles that answers queries and carries out controls over fictional people's vehicles."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from assets.simulators.conduct import Conduct, Refused, Service
from assets.simulators.lines import Hold, Scripted
from assets.simulators.manners import Trouble
from assets.simulators.page import add_pages
from assets.simulators.people import EarlierSeizure, PriorityRight, everybody
from assets.simulators.people import Scripted as ScriptedBody
from assets.simulators.titles import FICTIONAL_UNTIL, Deed, TitleOrder, Titles
from assets.terms import AssetKind
from assets.vehicles import messages
from assets.wire import day_text, read_day, yuan

FICTIONAL_REASON = "车辆状态异常（虚构）"


class FictionalVehicle(ScriptedBody):
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
    query_service = Service(
        "vehicles query", "CXQQDH", "ZJH", "", lambda _: None, desk.query, lambda body: body | {"JDCXX": []}
    )
    control_service = Service(
        "vehicles control",
        "CXQQDH",
        "ZJH",
        "HPHM",
        desk.trouble,
        desk.control,
        lambda body: body | {"KZZT": messages.NOT_CONTROLLED, "WNKZYY": FICTIONAL_REASON, "CFXX": []},
        "YDJDH",
    )

    @app.post("/vehicles/query")
    async def query(request: Request) -> Response:
        return await conduct.serve(request, query_service)

    @app.post("/vehicles/control")
    async def control(request: Request) -> Response:
        return await conduct.serve(request, control_service)

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
        if not asked.get("CKH"):
            raise Refused("缺少协助查询通知书")
        person = everybody().get(str(asked["ZJH"]))
        is_known = person is not None and person.name == asked["XM"] and manner.kind != "nothing"
        owned = [one for one in fictional_vehicles() if is_known and one.owner == asked["ZJH"]]
        told = [self._told(one) for one in owned if not self._titles.is_gone(one.plate)]
        return {"CXQQDH": asked["CXQQDH"], "FKSJ": self._conduct.stamp(), "JDCXX": told}

    def control(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """Carry one order out."""
        order = _order(asked)
        self._titles.require_papers(order)
        vehicle = _vehicle(asked)
        if vehicle is None or self._titles.is_gone(vehicle.plate):
            raise Refused("机动车不存在")
        self._titles.settle(vehicle.plate, _scripted(vehicle))
        if reason := vehicle.not_controlled or (FICTIONAL_REASON if manner.kind == "not-controlled" else ""):
            return _reply(order, Deed(undone=reason))
        code = asked.get("KZCS")
        if code in messages.FIRSTS:
            return _reply(order, self._titles.seize(vehicle.plate, order, manner))
        changes = {
            messages.RENEW: self._titles.renew,
            messages.RELEASE: self._titles.release,
            messages.TRANSFER: self._titles.transfer,
        }
        if code not in changes:
            raise Refused("控制措施代码不支持")
        return _reply(order, changes[code](vehicle.plate, order))

    def _told(self, vehicle: FictionalVehicle) -> dict[str, Any]:
        return {
            "HPHM": vehicle.plate,
            "CLSBDM": vehicle.vin,
            "CLPP": vehicle.model,
            "FDJH": vehicle.engine,
            "CSYS": vehicle.colour,
            "CCDJRQ": vehicle.registered,
            "ZT": "正常",
            "CFXX": _seizures(self._titles.settle(vehicle.plate, _scripted(vehicle))),
            "DYXX": [{"DYQR": one.holder, "BDBZZQSE": yuan(one.amount)} for one in vehicle.mortgages],
        }


def _vehicle(asked: dict[str, Any]) -> FictionalVehicle | None:
    wanted = (asked.get("HPHM"), asked["ZJH"])
    return next((one for one in fictional_vehicles() if (one.plate, one.owner) == wanted), None)


def _scripted(vehicle: FictionalVehicle) -> list[Scripted]:
    return [Scripted(one.court, one.ruling, 0, read_day(one.until) or FICTIONAL_UNTIL) for one in vehicle.earlier]


def _order(asked: dict[str, Any]) -> TitleOrder:
    return TitleOrder(
        number=str(asked["CXQQDH"]),
        court=str(asked.get("FYMC", "")),
        case_number=str(asked.get("AH", "")),
        ruling=str(asked.get("CKWH", "")),
        papers=str(asked.get("CKH", "")),
        first_day=str(asked.get("KSRQ", "")),
        last_day=str(asked.get("JSRQ", "")),
        original=str(asked.get("YDJDH", "")),
        original_case=str(asked.get("YDJAH", "")),
        receiver=str(asked.get("SRR", "")),
    )


def _reply(order: TitleOrder, deed: Deed) -> dict[str, Any]:
    receipt = f"协助执行回执（虚构）\n{order.number}\n{deed.undone}\n"
    return {
        "CXQQDH": order.number,
        "KZZT": messages.NOT_CONTROLLED if deed.undone else messages.CONTROLLED,
        "CSKSRQ": deed.first_day,
        "CSJSRQ": deed.last_day,
        "WNKZYY": deed.undone,
        "YWH": f"YW{order.number}",
        "CFXX": _seizures(deed.before),
        "HZNR": base64.b64encode(receipt.encode()).decode(),
    }


def _seizures(holds: Iterable[Hold]) -> list[dict[str, str]]:
    return [
        {
            "CFJG": one.court,
            "AH": one.case_number,
            "JSRQ": day_text(one.last_day) if rank == 0 else "",
            "CFDH": one.number,
            "LHSX": str(rank),
        }
        for rank, one in enumerate(holds)
    ]
