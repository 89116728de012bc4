"""The bodies that go to a bank and come back, by the field names of such integrations.

Amounts are yuan with two places as text, days are `yyyymmdd`, times `yyyymmddHHMMSS` in China's time. The names of
the lists inside a reply (`zhxx`, `zxdj`, `yxq`) and the code values of `zjlx` and `lb` are agreed with each bank.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assets import formats
from assets.documents import names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Subject
from assets.wire import Cents, Day, Time

NO_ACCOUNT = "查无开户信息"
"""What `khzh` says where the person has no account there."""
QUERY, CONTROL = "1", "2"
FREEZE, WAITING_FREEZE = "01", "03"
CONTROLLED, NOT_CONTROLLED = "1", "2"


class Reply(BaseModel):
    """What all have in common: a field that isn't here is ignored, one that is missing is an error."""

    model_config = ConfigDict(frozen=True)
    bdhm: str


class EarlierFreeze(BaseModel):
    """A measure of another court on the account."""

    djjg: str
    djje: Cents
    jsrq: Day = None


class PriorityRight(BaseModel):
    """A right that goes before the claim."""

    qlr: str
    yxje: Cents


class Account(BaseModel):
    """One account of the person."""

    khzh: str = Field(min_length=1, max_length=64)
    cclb: str = ""
    zhzt: str = ""
    khwd: str = ""
    khwddm: str = ""
    khrq: Day = None
    xhrq: Day = None
    bz: str = "CNY"
    ye: Cents = 0
    kyye: Cents = 0
    fksj: Time
    zxdj: list[EarlierFreeze] = Field(default_factory=list)
    yxq: list[PriorityRight] = Field(default_factory=list)


class AccountsReply(Reply):
    """The answer to a query; "nothing found" is one entry that says so, never an empty list."""

    zhxx: list[Account] = Field(min_length=1)


class ControlReply(Reply):
    """The answer to a freeze."""

    kzzt: str = Field(pattern="^[12]$")
    kzcs: str
    skje: Cents
    ceskje: Cents
    djxe: Cents
    ye: Cents
    kyye: Cents
    csksrq: Day = None
    csjsrq: Day = None
    wnkzyy: str = Field(default="", max_length=500)
    zxdj: list[EarlierFreeze] = Field(default_factory=list)
    yxq: list[PriorityRight] = Field(default_factory=list)
    hzwsbh: str = Field(default="", max_length=64)


def head(letter: Letterhead, subject: Subject, xz: str) -> dict[str, Any]:
    """The head of every request: `xz` is 1 for a query, 2 for a control."""
    return {
        "bdhm": letter.number,
        "lb": "2" if subject.is_firm else "1",
        "xz": xz,
        "xm": subject.name,
        "zjlx": "2" if subject.is_firm else "1",
        "dsrzjhm": subject.id_number,
        "fymc": letter.court_name,
        "fydm": letter.court_code,
        "cbr": letter.judge,
        "ah": letter.case_number,
        "gzzbh": letter.work_card,
        "gwzbh": letter.duty_card,
        "ckh": names_on_the_wire(letter.documents),
    }


def freeze(order: ControlOrder) -> dict[str, Any]:
    """The body that asks to freeze an amount on one account."""
    return {
        **head(order.head, order.subject, CONTROL),
        "ccxh": "1",
        "kzlx": "1",
        "kzcs": FREEZE,
        "kznr": "1",
        "khzh": order.reference,
        "je": formats.amount_text(order.amount_cents or 0),
        "ksrq": f"{order.starts_on:%Y%m%d}",
        "jsrq": f"{order.ends_on:%Y%m%d}",
        "ckwh": order.ruling_number,
    }
