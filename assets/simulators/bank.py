"""A bank, or two hundred of them, that answers queries and carries out controls over fictional people's accounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request, Response

from assets.banks.codes import NO_ACCOUNT
from assets.simulators.accounts import Accounts, described, products, standing
from assets.simulators.asked import require_notice
from assets.simulators.conduct import Conduct, Service
from assets.simulators.deposits import Deposits
from assets.simulators.forwarding import Forwarding
from assets.simulators.manners import Trouble
from assets.simulators.page import add_pages
from assets.simulators.people import everybody
from assets.wire import yuan

MOST_BANKS = 200
"""Those of `/b/001/bank/query` and on; the one without a number knows what the file names."""
UNKNOWN_BANK = {"cwdm": "04", "cwxx": "无此银行"}


def bank(conduct: Conduct) -> FastAPI:
    """The bank as a web application."""
    app = FastAPI(
        title="Simulated bank (fictional people)",
        lifespan=_handing_on(conduct),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_pages(app, "bank", conduct)
    main = _services(conduct, "")

    @app.post("/bank/query")
    async def query(request: Request) -> Response:
        return await conduct.serve(request, main[0])

    @app.post("/bank/control")
    async def control(request: Request) -> Response:
        return await conduct.serve(request, main[1])

    numbered = {f"{place:03d}": _services(conduct, f"{place:03d}") for place in range(1, MOST_BANKS + 1)}

    async def at_a_numbered_bank(request: Request, place: str, ordinal: int) -> Response:
        if place not in numbered:
            return conduct.talk.respond(request, UNKNOWN_BANK, 404)
        return await conduct.serve(request, numbered[place][ordinal], is_numbered=True)

    @app.post("/b/{place}/bank/query")
    async def query_numbered(request: Request, place: str) -> Response:
        return await at_a_numbered_bank(request, place, 0)

    @app.post("/b/{place}/bank/control")
    async def control_numbered(request: Request, place: str) -> Response:
        return await at_a_numbered_bank(request, place, 1)

    return app


def _handing_on(conduct: Conduct) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Hand on what is transferred for as long as the application lives, where there is a bank that takes it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if not conduct.paying_url:
            yield
            return
        forwarding = Forwarding(conduct.ledger, conduct.paying_url)
        conduct.transferred = forwarding.wake
        running = asyncio.create_task(forwarding.run(), name="hand on transfers")
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    return lifespan


def _services(conduct: Conduct, place: str) -> tuple[Service, Service]:
    accounts = Accounts(conduct, place)
    deposits = Deposits(conduct, accounts)
    if not place:
        conduct.room_of = deposits.room_of
    name = f"bank {place}".strip()

    def person_trouble(asked: dict[str, Any]) -> Trouble | None:
        person = everybody().get(str(asked["dsrzjhm"]))
        return person.bank.trouble if person and not place else None

    def account_trouble(asked: dict[str, Any]) -> Trouble | None:
        account = accounts.find(str(asked.get("khzh", "")))
        return account.control if account else None

    def query(asked: dict[str, Any], manner: Trouble) -> dict[str, Any]:
        require_notice(str(asked.get("ckh", "")))
        now = conduct.stamp()
        period = (str(asked.get("ckkssj", "")), str(asked.get("ckjssj", "")))
        owned = [] if manner.kind == "nothing" else accounts.of(str(asked["dsrzjhm"]), str(asked["xm"]))
        told = []
        for account in owned:
            deposits.settle(account)
            told.append(
                described(account, period)
                | {
                    "ye": yuan(deposits.balance(account)),
                    "kyye": yuan(deposits.available(account)),
                    "fksj": now,
                    "zxdj": standing(deposits.standing(account)),
                    "jrzcxx": products(account, deposits),
                }
            )
        return {"bdhm": asked["bdhm"], "zhxx": told or [{"khzh": NO_ACCOUNT, "fksj": now}]}

    def nothing(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"zhxx": [{"khzh": NO_ACCOUNT, "fksj": conduct.stamp()}]}

    def not_controlled(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"kzzt": "2", "skje": "0.00", "wnkzyy": "未控制（虚构，与前次答复矛盾）"}

    return (
        Service(f"{name} query", "bdhm", "dsrzjhm", "", person_trouble, query, nothing),
        Service(
            f"{name} control", "bdhm", "dsrzjhm", "khzh", account_trouble, deposits.control, not_controlled, "ydjdh"
        ),
    )
