"""A real-estate registry that answers queries and seizes units of fictional people."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from assets.formats import amount_text
from assets.registry.messages import CONTROLLED
from assets.simulators.conduct import Conduct, add_common_routes, china_now, refusal
from assets.simulators.people import AtTheRegistry, Unit, everybody

NOT_CONTROLLED = "2"
UNKNOWN = AtTheRegistry()


def registry(conduct: Conduct) -> FastAPI:
    """The registry as a web application."""
    app = FastAPI(title="Simulated real-estate registry (fictional people)", docs_url=None, redoc_url=None)
    add_common_routes(app, "registry", lambda: conduct.ledger)

    @app.post("/registry/query")
    async def query(request: Request) -> Response:
        asked = await request.json()
        number = str(asked["CXQQDH"])
        if not asked.get("CKH"):
            return refusal(number, "缺少协助查询通知书")
        person = everybody().get(asked["ZJH"])
        there = person.registry if person and person.name == asked["XM"] else UNKNOWN
        body = {"CXQQDH": number, "FKSJ": china_now(), "BDCQL": [_right(conduct, unit) for unit in there.units]}
        return await conduct.answer(request, number, body, there.trouble)

    @app.post("/registry/control")
    async def control(request: Request) -> Response:
        asked = await request.json()
        number = str(asked["CXQQDH"])
        person = everybody().get(asked["ZJH"])
        found = [one for one in (person.registry if person else UNKNOWN).units if one.unit == asked["BDCDYH"]]
        if not asked.get("CKWH") or "裁定书" not in asked.get("CKH", ""):
            return refusal(number, "缺少执行裁定书")
        if not found:
            return refusal(number, "不动产单元不存在")
        unit = found[0]
        first = conduct.ledger.receipt(number)
        if first is not None and first[0] != asked:
            return refusal(number, "请求单号重复")
        receipt = first[1] if first else _seize(conduct, unit, asked)
        # The trouble comes after the deed: a registry may have acted although no answer arrives.
        return await conduct.answer(request, number, receipt, unit.control)

    return app


def _right(conduct: Conduct, unit: Unit) -> dict[str, Any]:
    return {
        "BDCDYH": unit.unit,
        "ZL": unit.address,
        "BDCQZH": unit.certificate,
        "BDCQLLX": "国有建设用地使用权/房屋所有权",
        "JZMJ": unit.area,
        "SDZT": "",
        "CFXX": _standing(conduct, unit),
        "DYXX": [{"DYQR": one.holder, "BDBZZQSE": amount_text(one.amount)} for one in unit.mortgages],
    }


def _standing(conduct: Conduct, unit: Unit) -> list[dict[str, str]]:
    scripted = [{"CFJG": one.court, "CFWH": one.ruling, "JSRQ": one.until} for one in unit.earlier]
    ours = [
        {"CFJG": one["court"], "CFWH": one["case_number"], "JSRQ": one["until"]}
        for one in conduct.ledger.controls(unit.unit)
    ]
    return scripted + ours


def _seize(conduct: Conduct, unit: Unit, asked: dict[str, Any]) -> dict[str, Any]:
    number = asked["CXQQDH"]
    if unit.not_controlled:
        return {"CXQQDH": number, "KZZT": NOT_CONTROLLED, "WNKZYY": unit.not_controlled, "YWH": f"YW{number}"}
    standing = _standing(conduct, unit)
    receipt = {
        "CXQQDH": number,
        "KZZT": CONTROLLED,
        "CSKSRQ": "" if standing else asked["KSRQ"],
        "CSJSRQ": "" if standing else asked["JSRQ"],
        "WNKZYY": "",
        "YWH": f"YW{number}",
        "CFYWH": f"CF{number}",
        "CFXX": standing,
    }
    conduct.ledger.keep(
        number,
        reference=unit.unit,
        court=asked["FYMC"],
        case_number=asked["AH"],
        cents=0,
        until=str(receipt["CSJSRQ"]),
        request=asked,
        receipt=receipt,
    )
    return receipt
