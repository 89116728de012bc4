"""A real-estate registry that answers queries and carries out controls over fictional people's units."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from fastapi import FastAPI, Request, Response

from assets.documents import Action
from assets.registry import codes
from assets.simulators.asked import require_notice, require_ruling
from assets.simulators.conduct import Conduct, Refused, Service
from assets.simulators.manners import Trouble
from assets.simulators.page import add_pages
from assets.simulators.people import AtTheRegistry, Unit, everybody
from assets.simulators.title_messages import action_of, answer, control_service, order_of, seizures
from assets.simulators.titles import Deed, TitleOrder, Titles
from assets.terms import AssetKind
from assets.wire import yuan

UNKNOWN = AtTheRegistry()
FICTIONAL_REASON = "权利状态异常（虚构）"


def registry(conduct: Conduct) -> FastAPI:
    """The registry as a web application."""
    app = FastAPI(title="Simulated registry (fictional people)", docs_url=None, redoc_url=None, openapi_url=None)
    add_pages(app, "registry", conduct)
    desk = Desk(conduct)
    queries = Service("registry query", "CXQQDH", "ZJH", "", desk.person_trouble, desk.query, desk.nothing)
    controls = control_service("registry control", "BDCDYH", desk.unit_trouble, desk.control, FICTIONAL_REASON)

    @app.post("/registry/query")
    async def query(request: Request) -> Response:
        return await conduct.serve(request, queries)

    @app.post("/registry/control")
    async def control(request: Request) -> Response:
        return await conduct.serve(request, controls)

    @app.post("/registry/papers")
    async def papers(request: Request) -> Response:
        return await conduct.take_in(request, desk.take_papers)

    @app.post("/registry/certificates")
    async def certificates(request: Request) -> Response:
        return await conduct.take_in(request, desk.take_certificates)

    return app


class Desk:
    """Reads orders and writes answers; `Titles` does what they ask."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._titles = Titles(conduct, AssetKind.REAL_ESTATE)

    def person_trouble(self, asked: dict[str, Any]) -> Trouble | None:
        """What the script has happen to a query about this person."""
        person = everybody().get(str(asked["ZJH"]))
        return person.registry.trouble if person else None

    def unit_trouble(self, asked: dict[str, Any]) -> Trouble | None:
        """What the script has happen to a control of this unit."""
        unit = _unit(asked)
        return unit.control if unit else None

    def query(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """What the person has a title to."""
        require_notice(str(asked.get("CKH", "")))
        person = everybody().get(str(asked["ZJH"]))
        there = person.registry if person and person.name == asked["XM"] else UNKNOWN
        units = [] if manner.kind == "nothing" else there.units
        rights = [self._right(unit) for unit in units if not self._titles.is_gone(unit.unit)]
        return {"CXQQDH": asked["CXQQDH"], "FKSJ": self._conduct.stamp(), "BDCQL": rights}

    def nothing(self, body: dict[str, Any]) -> dict[str, Any]:
        """The contrary of what a query found."""
        return body | {"BDCQL": []}

    def control(self, asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        """Carry one order out."""
        order = order_of(asked)
        require_ruling(order.ruling, order.papers)
        unit = _unit(asked)
        if unit is None or self._titles.is_gone(unit.unit):
            raise Refused("不动产单元不存在")
        self._titles.settle(unit.unit, unit.earlier)
        if reason := unit.not_controlled or (FICTIONAL_REASON if manner.kind == "not-controlled" else ""):
            return self._reply(order, Deed(undone=reason))
        action = action_of(asked, codes.CODES)
        if action.is_first and unit.is_registered is (action is Action.PRE_REGISTER):
            raise Refused("该单元已办理登记，应当查封" if unit.is_registered else "该单元尚未登记，应当预查封")
        return self._reply(order, self._titles.carry_out(action, unit.unit, order, manner))

    def take_papers(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Keep the papers of an order, each as its hash says."""
        number = str(asked.get("CXQQDH", ""))
        for paper in asked.get("WSXX", []):
            content = base64.b64decode(paper["WSNR"])
            if hashlib.sha256(content).hexdigest() != paper["WSZY"]:
                return {"CXQQDH": number, "JSZT": codes.NOT_RECEIVED, "WJSYY": f"{paper['WSMC']}摘要不符"}
            self._conduct.ledger.keep_paper(number, paper["WSMC"], paper["WSZY"])
        return {"CXQQDH": number, "JSZT": codes.RECEIVED, "WJSYY": ""}

    def take_certificates(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Look whether both certificates are there."""
        number = str(asked.get("CXQQDH", ""))
        if any(not one.get("ZJBH") for one in asked.get("ZJXX", [])):
            return {"CXQQDH": number, "JSZT": codes.NOT_RECEIVED, "WJSYY": "缺少公务证件"}
        return {"CXQQDH": number, "JSZT": codes.RECEIVED, "WJSYY": ""}

    def _right(self, unit: Unit) -> dict[str, Any]:
        return {
            "BDCDYH": unit.unit,
            "ZL": unit.address,
            "BDCQZH": unit.certificate,
            "BDCQLLX": "国有建设用地使用权/房屋所有权",
            "JZMJ": unit.area,
            "DJZT": codes.REGISTERED if unit.is_registered else codes.NOT_YET_REGISTERED,
            "SDZT": unit.locked,
            "CFXX": seizures(self._titles.settle(unit.unit, unit.earlier)),
            "DYXX": [{"DYQR": one.holder, "BDBZZQSE": yuan(one.amount)} for one in unit.mortgages],
            "YYXX": [{"YYR": one} for one in unit.objections],
            "GYRXX": [{"GYR": one} for one in unit.co_owners],
        }

    def _reply(self, order: TitleOrder, deed: Deed) -> dict[str, Any]:
        return answer(order, deed) | {"CFYWH": "" if deed.undone else f"CF{order.number}"}


def _unit(asked: dict[str, Any]) -> Unit | None:
    person = everybody().get(str(asked["ZJH"]))
    units = (person.registry if person else UNKNOWN).units
    return next((unit for unit in units if unit.unit == asked.get("BDCDYH")), None)
