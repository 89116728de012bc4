"""A bank that answers queries and freezes accounts of fictional people."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from assets.banks.messages import CONTROLLED, FREEZE, NO_ACCOUNT, NOT_CONTROLLED, WAITING_FREEZE
from assets.formats import amount_cents, amount_text
from assets.simulators.conduct import Conduct, add_common_routes, china_now, refusal
from assets.simulators.people import Account, AtTheBank, everybody

UNKNOWN = AtTheBank()


def bank(conduct: Conduct) -> FastAPI:
    """The bank as a web application."""
    app = FastAPI(title="Simulated bank (fictional people)", docs_url=None, redoc_url=None)
    add_common_routes(app, "bank", lambda: conduct.ledger)

    @app.post("/bank/query")
    async def query(request: Request) -> Response:
        asked = await request.json()
        number = str(asked["bdhm"])
        if not asked.get("ckh"):
            return refusal(number, "缺少协助查询通知书")
        person = everybody().get(asked["dsrzjhm"])
        there = person.bank if person and person.name == asked["xm"] else UNKNOWN
        now = china_now()
        accounts = [_account(conduct, account, now) for account in there.accounts]
        body = {"bdhm": number, "zhxx": accounts or [{"khzh": NO_ACCOUNT, "fksj": now}]}
        return await conduct.answer(request, number, body, there.trouble)

    @app.post("/bank/control")
    async def control(request: Request) -> Response:
        asked = await request.json()
        number = str(asked["bdhm"])
        person = everybody().get(asked["dsrzjhm"])
        found = [one for one in (person.bank if person else UNKNOWN).accounts if one.number == asked["khzh"]]
        if not asked.get("ckwh") or "裁定书" not in asked.get("ckh", ""):
            return refusal(number, "缺少执行裁定书")
        if not found:
            return refusal(number, "账户不存在")
        account = found[0]
        first = conduct.ledger.receipt(number)
        if first is not None and first[0] != asked:
            return refusal(number, "请求单号重复")
        receipt = first[1] if first else _freeze(conduct, account, asked)
        # The trouble comes after the deed: a bank may have acted although no answer arrives.
        return await conduct.answer(request, number, receipt, account.control)

    return app


def _account(conduct: Conduct, account: Account, now: str) -> dict[str, Any]:
    return {
        "khzh": account.number,
        "cclb": "活期存款",
        "zhzt": "正常",
        "khwd": account.branch,
        "khwddm": account.branch_code,
        "khrq": account.opened,
        "xhrq": "",
        "bz": "CNY",
        "ye": amount_text(account.balance),
        "kyye": amount_text(_available(conduct, account)),
        "fksj": now,
        "zxdj": _standing(conduct, account),
        "yxq": [{"qlr": one.holder, "yxje": amount_text(one.amount)} for one in account.priority],
    }


def _standing(conduct: Conduct, account: Account) -> list[dict[str, str]]:
    scripted = [
        {"djjg": one.court, "djje": amount_text(one.amount), "jsrq": one.until, "ah": ""} for one in account.earlier
    ]
    ours = [
        {"djjg": one["court"], "djje": amount_text(one["cents"]), "jsrq": one["until"], "ah": one["case_number"]}
        for one in conduct.ledger.controls(account.number)
    ]
    return scripted + ours


def _available(conduct: Conduct, account: Account) -> int:
    held = sum(one.amount for one in account.earlier) + sum(one.amount for one in account.priority)
    frozen = sum(int(one["cents"]) for one in conduct.ledger.controls(account.number))
    return max(0, account.balance - held - frozen)


def _freeze(conduct: Conduct, account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    amount = amount_cents(asked["je"])
    standing = _standing(conduct, account)
    available = _available(conduct, account)
    controlled = 0 if account.not_controlled else min(amount, available)
    is_waiting = bool(standing) and available == 0 and not account.not_controlled
    receipt = {
        "bdhm": asked["bdhm"],
        "kzzt": NOT_CONTROLLED if account.not_controlled else CONTROLLED,
        "kzcs": WAITING_FREEZE if is_waiting else FREEZE,
        "skje": amount_text(controlled),
        "ceskje": amount_text(amount - controlled),
        "djxe": asked["je"],
        "ye": amount_text(account.balance),
        "kyye": amount_text(available - controlled),
        "csksrq": "" if is_waiting else asked["ksrq"],
        "csjsrq": "" if is_waiting else asked["jsrq"],
        "wnkzyy": account.not_controlled,
        "zxdj": standing,
        "yxq": [{"qlr": one.holder, "yxje": amount_text(one.amount)} for one in account.priority],
        "hzwsbh": f"HZ{asked['bdhm']}",
    }
    if not account.not_controlled:
        conduct.ledger.keep(
            asked["bdhm"],
            reference=account.number,
            court=asked["fymc"],
            case_number=asked["ah"],
            cents=controlled,
            until=receipt["csjsrq"],
            request=asked,
            receipt=receipt,
        )
    return receipt
