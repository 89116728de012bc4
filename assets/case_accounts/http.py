"""The paying bank over HTTP: its messages and their reading."""

from __future__ import annotations

from datetime import date

from pydantic import Field, model_validator

from assets.case_accounts.bank import Movement, PayOrder, PayReceipt, Statement
from assets.case_accounts.states import PaymentPurpose
from assets.errors import GatewayAnsweredGarbage
from assets.formats import amount_text
from assets.identifiers import new_id
from assets.posting import Poster
from assets.wire import Cents, Either, Message, Reason, Time

PAID, REFUSED = "1", "2"
INCOMING, OUTGOING = "1", "2"
_PURPOSES = {
    PaymentPurpose.CLAIM: "案款发放",
    PaymentPurpose.FEE: "申请执行费",
    PaymentPurpose.REST: "余款退还",
    PaymentPurpose.COURT_FEE: "诉讼费退还",
    PaymentPurpose.RETURN: "来款退回",
}
"""What the payee's statement will say (`yt`)."""


class PayReply(Message):
    """The answer to a payment order: `zt` 1 paid, 2 refused with `sbyy`."""

    bdhm: str
    zt: Either
    yhlsh: str = Field(default="", max_length=64)
    hzdh: str = Field(default="", max_length=64)
    je: Cents
    jysj: Time | None = None
    sbyy: Reason = ""

    @model_validator(mode="after")
    def _is_whole(self) -> PayReply:
        if self.zt == PAID and not (self.yhlsh and self.hzdh and self.jysj):
            raise ValueError("a payment without serial, receipt or time")
        return self


class StatementLine(Message):
    """One movement: `fx` 1 came in, 2 went out."""

    yhlsh: str = Field(min_length=1, max_length=64)
    fx: Either
    je: Cents
    jysj: Time
    dfhm: str = Field(default="", max_length=200)
    dfzh: str = Field(default="", max_length=64)
    zy: str = Field(default="", max_length=300)
    zzh: str = Field(default="", max_length=64)
    bdhm: str = Field(default="", max_length=32)


class StatementReply(Message):
    """The main account over some days."""

    bdhm: str
    zh: str
    qcye: Cents
    qmye: Cents
    mx: list[StatementLine]

    @model_validator(mode="after")
    def _adds_up(self) -> StatementReply:
        moved = sum(line.je if line.fx == INCOMING else -line.je for line in self.mx)
        if self.qcye + moved != self.qmye:
            raise ValueError("the movements don't lead from the opening to the closing balance")
        return self


class HttpPayingBank:
    """The bank that keeps the main accounts, over a connection with whatever was agreed for it."""

    def __init__(self, poster: Poster) -> None:
        self.name = poster.name
        self._poster = poster

    async def close(self) -> None:
        """Give back every connection."""
        await self._poster.close()

    async def pay(self, order: PayOrder) -> PayReceipt:
        """Pay, or ask what became of this number."""
        reply = await self._poster.post("/paying/pay", _body(order), PayReply, "bdhm")
        if reply.je != order.cents:
            raise GatewayAnsweredGarbage(self.name, "je")
        return PayReceipt(
            number=reply.bdhm,
            is_paid=reply.zt == PAID,
            bank_serial=reply.yhlsh,
            receipt_number=reply.hzdh,
            paid_at=reply.jysj,
            reason=reply.sbyy,
        )

    async def statement(self, main_number: str, since: date, until: date) -> Statement:
        """What came in and went out on these days."""
        number = f"DZ{new_id().hex.upper()[-22:]}"
        body = {"bdhm": number, "zh": main_number, "ksrq": f"{since:%Y%m%d}", "jsrq": f"{until:%Y%m%d}"}
        reply = await self._poster.post("/paying/statement", body, StatementReply, "bdhm")
        if reply.zh != main_number:
            raise GatewayAnsweredGarbage(self.name, "zh")
        movements = tuple(_movement(line) for line in reply.mx)
        return Statement(since, until, reply.qcye, reply.qmye, movements)


def _body(order: PayOrder) -> dict[str, str]:
    return {
        "bdhm": order.number,
        "fkzh": order.main_number,
        "fkzzh": order.sub_number,
        "ah": order.case_number,
        "skhm": order.payee_name,
        "skzh": order.payee_account,
        "skhh": order.payee_bank_code,
        "je": amount_text(order.cents),
        "yt": _PURPOSES[order.purpose],
    }


def _movement(line: StatementLine) -> Movement:
    return Movement(
        serial=line.yhlsh,
        at=line.jysj,
        cents=line.je if line.fx == INCOMING else -line.je,
        counterparty_name=line.dfhm,
        counterparty_account=line.dfzh,
        remark=line.zy,
        sub_number=line.zzh,
        order_number=line.bdhm,
    )
