"""The bank that keeps courts' main accounts: it pays once by number, and gives statements. All of it is fictional."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from assets.case_accounts.demonstration import MAINS, sub_number
from assets.case_accounts.http import INCOMING, OUTGOING, PAID, REFUSED
from assets.formats import amount_cents, amount_text
from assets.identifiers import new_id
from assets.simulators.conduct import Conduct, Service
from assets.simulators.manners import Trouble
from assets.simulators.page import add_pages
from assets.simulators.paying_ledger import BankLine, PayingLedger
from assets.terms import SHANGHAI
from assets.wire import Cents

NO_FUNDS = "余额不足"
NOT_ACCEPTED = "收款账户异常（虚构）"


class Deposit(BaseModel):
    """Money that somebody pays in; with a known serial nothing happens twice."""

    zh: str = Field(max_length=32)
    je: Cents
    dfhm: str = Field(default="张某甲（虚构）", max_length=200)
    dfzh: str = Field(default="6217000060000000008", max_length=64)
    zy: str = Field(default="", max_length=300)
    zzh: str = Field(default="", max_length=64)
    yhlsh: str = Field(default="", max_length=64)


def paying(conduct: Conduct) -> FastAPI:
    """The bank as a web application."""
    path = conduct.ledger.path
    ledger = PayingLedger(path.with_suffix(".paying") if path else None)
    ledger.add(_opening(conduct))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        ledger.close()

    app = FastAPI(
        title="Simulated paying bank (fictional money)",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_pages(app, "paying", conduct)
    payments, statements = _payments(conduct, ledger), _statements(ledger)

    @app.post("/paying/pay")
    async def pay(request: Request) -> Response:
        return await conduct.serve(request, payments)

    @app.post("/paying/statement")
    async def statement(request: Request) -> Response:
        return await conduct.serve(request, statements)

    @app.post("/paying/deposits")
    async def deposit(given: Deposit) -> dict[str, str]:
        """What moves the simulation; no bank has this."""
        serial = given.yhlsh or f"IN{new_id().hex[-16:].upper()}"
        line = BankLine(
            serial=serial,
            main=given.zh,
            at=conduct.stamp(),
            cents=given.je,
            name=given.dfhm,
            account=given.dfzh,
            remark=given.zy,
            sub=given.zzh,
        )
        ledger.add([line])
        return {"yhlsh": serial}

    return app


def _payments(conduct: Conduct, ledger: PayingLedger) -> Service:
    def pay(asked: dict[str, Any], _manner: Trouble) -> dict[str, Any]:
        number = str(asked["bdhm"])
        first = ledger.order(number)
        if first is not None:  # paid, and killed before the receipt was kept
            return first
        cents = amount_cents(asked["je"])
        if ledger.balance(asked["fkzh"]) < cents:
            return {"bdhm": number, "zt": REFUSED, "je": asked["je"], "sbyy": NO_FUNDS}
        line = BankLine(
            serial=f"OUT{new_id().hex[-16:].upper()}",
            main=asked["fkzh"],
            at=conduct.stamp(),
            cents=-cents,
            name=asked["skhm"],
            account=asked["skzh"],
            remark=f"{asked['ah']} {asked['yt']}",
            sub=asked["fkzzh"],
            number=number,
        )
        reply = {
            "bdhm": number,
            "zt": PAID,
            "je": asked["je"],
            "yhlsh": line.serial,
            "hzdh": f"HZ{number}",
            "jysj": line.at,
        }
        ledger.settle(number, reply, line)
        return reply

    def contrary(body: dict[str, Any]) -> dict[str, Any]:
        return {"bdhm": body["bdhm"], "zt": REFUSED, "je": body["je"], "sbyy": NOT_ACCEPTED}

    return Service("pay", "bdhm", "skzh", "skzh", lambda _asked: None, pay, contrary)


def _statements(ledger: PayingLedger) -> Service:
    def statement(asked: dict[str, Any], _manner: Trouble) -> dict[str, Any]:
        main, since, until = asked["zh"], asked["ksrq"], asked["jsrq"]
        lines = ledger.movements(main, since, until)
        opening = ledger.balance(main, since)
        return {
            "bdhm": asked["bdhm"],
            "zh": main,
            "qcye": amount_text(opening),
            "qmye": amount_text(opening + sum(line.cents for line in lines)),
            "mx": [_shown(line) for line in lines],
        }

    return Service("statement", "bdhm", "zh", "", lambda _asked: None, statement, lambda body: body)


def _opening(conduct: Conduct) -> list[BankLine]:
    """What arrived before the demonstration began."""
    now = conduct.now().astimezone(SHANGHAI)
    return [
        BankLine(
            serial=one.serial,
            main=script.number,
            at=f"{now - timedelta(days=one.days_ago):%Y%m%d%H%M%S}",
            cents=one.cents,
            name=one.payer,
            account=one.account,
            remark=one.remark,
            sub=sub_number(script, one),
        )
        for script in MAINS
        for one in script.arrivals
    ]


def _shown(line: BankLine) -> dict[str, str]:
    return {
        "yhlsh": line.serial,
        "fx": INCOMING if line.cents >= 0 else OUTGOING,
        "je": amount_text(abs(line.cents)),
        "jysj": line.at,
        "dfhm": line.name,
        "dfzh": line.account,
        "zy": line.remark,
        "zzh": line.sub,
        "bdhm": line.number,
    }
