"""What a bank answers, held against what was asked. A field that isn't here is ignored, a missing one an error.

The names of the lists inside a reply (`zhxx`, `zzhxx`, `jrzcxx`, `zxdj`, `yxq`, `gyrxx`, `jymx`) are agreed with each
bank, and so are `sydjje` (what stays frozen after a transfer or a part release), `djdh` (the order that began an
earlier measure), `lhsx` (its place in line) and `hznr` (the receipt itself).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from assets.banks import codes
from assets.wire import (
    Cents,
    Day,
    DocumentBytes,
    Either,
    MaybeCents,
    Message,
    Number,
    Rank,
    Reason,
    Time,
    Word,
    contradiction_in,
)

MOST_ITEMS = 5000


class Reply(Message):
    """What all have in common."""

    bdhm: Number


class EarlierFreeze(Message):
    """A judicial measure that stands on the account."""

    djjg: Word
    djje: Cents
    jsrq: Day = None
    ah: Word = ""
    djdh: Number = ""
    lhsx: Rank = ""


class PriorityRight(Message):
    """A right that goes before the claim."""

    qlr: Word
    yxje: Cents


class SubAccount(Message):
    """A part of an account: one currency, one fixed deposit."""

    zzhh: Number
    zzhlb: Word = ""
    bz: Word = "CNY"
    ye: Cents = 0
    kyye: Cents = 0


class FinancialAsset(Message):
    """What the bank keeps for the person beside deposits: a wealth product, a fund."""

    zcbh: Annotated[Number, Field(min_length=1)]
    zcmc: Word = ""
    zclx: Word = ""
    se: Word = ""
    zczje: Cents = 0
    kyje: Cents = 0
    zxdj: list[EarlierFreeze] = Field(default_factory=list, max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _agrees(self) -> FinancialAsset:
        if self.kyje > self.zczje:
            raise contradiction_in("kyje")
        return self


class CoOwner(Message):
    """Somebody whom it belongs to as well."""

    gyr: Word
    gybl: Word = ""


class Movement(Message):
    """One line of the statements."""

    jysj: Time
    jdbz: Either
    jyje: Cents
    jyhye: MaybeCents = None
    dfhm: Word = ""
    zy: Word = ""


class Account(Message):
    """One account of the person, or the word that there is none."""

    khzh: Annotated[Number, Field(min_length=1)]
    cclb: Word = ""
    zhzt: Word = ""
    zhxz: Annotated[str, Field(pattern="^[0-6]?$")] = ""
    khwd: Word = ""
    khwddm: Word = ""
    khrq: Day = None
    xhrq: Day = None
    bz: Word = "CNY"
    ye: Cents = 0
    kyye: Cents = 0
    fksj: Time
    zxdj: list[EarlierFreeze] = Field(default_factory=list, max_length=MOST_ITEMS)
    yxq: list[PriorityRight] = Field(default_factory=list, max_length=MOST_ITEMS)
    zzhxx: list[SubAccount] = Field(default_factory=list, max_length=MOST_ITEMS)
    jrzcxx: list[FinancialAsset] = Field(default_factory=list, max_length=MOST_ITEMS)
    gyrxx: list[CoOwner] = Field(default_factory=list, max_length=MOST_ITEMS)
    jymx: list[Movement] = Field(default_factory=list, max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _agrees(self) -> Account:
        if self.kyye > self.ye:
            raise contradiction_in("kyye")
        if self.khrq and self.xhrq and self.xhrq < self.khrq:
            raise contradiction_in("xhrq")
        return self


class AccountsReply(Reply):
    """The answer to a query; "nothing found" is one entry that says so, never an empty list."""

    zhxx: list[Account] = Field(min_length=1, max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _says_one_thing(self) -> AccountsReply:
        numbers = [account.khzh for account in self.zhxx]
        if codes.NO_ACCOUNT in numbers and len(numbers) > 1:
            raise contradiction_in("zhxx")
        if len(set(numbers)) < len(numbers):
            raise contradiction_in("zhxx")
        return self


class ControlReply(Reply):
    """The answer to an order to control."""

    kzzt: Either
    kzcs: Annotated[str, Field(pattern="^0[1-8]$")]
    skje: Cents
    ceskje: Cents
    djxe: MaybeCents = None
    ye: Cents
    kyye: Cents
    csksrq: Day = None
    csjsrq: Day = None
    wnkzyy: Reason = ""
    sydjje: MaybeCents = None
    zxdj: list[EarlierFreeze] = Field(default_factory=list, max_length=MOST_ITEMS)
    yxq: list[PriorityRight] = Field(default_factory=list, max_length=MOST_ITEMS)
    hzwsbh: Number = ""
    hznr: DocumentBytes = b""

    @model_validator(mode="after")
    def _agrees(self) -> ControlReply:
        if self.kyye > self.ye:
            raise contradiction_in("kyye")
        if self.csksrq and self.csjsrq and self.csjsrq < self.csksrq:
            raise contradiction_in("csjsrq")
        if self.kzzt == codes.NOT_CONTROLLED and self.skje:
            raise contradiction_in("skje")
        if self.kzcs == codes.WAITING_FREEZE and self.kzzt == codes.CONTROLLED and (self.skje or not self.zxdj):
            raise contradiction_in("zxdj")  # waiting behind nobody, or waiting and yet controlled
        if self.kzcs in (codes.FREEZE, codes.RENEW) and self.skje > self.ye:
            raise contradiction_in("skje")
        return self


def contradiction(asked: dict[str, Any], asked_cents: int | None, reply: ControlReply) -> str:
    """The name of the field in which an answer contradicts the order that was sent; empty where none does."""
    expected = {asked["kzcs"]}
    if asked["kzcs"] in (codes.FREEZE, codes.FREEZE_AND_TRANSFER):
        expected.add(codes.WAITING_FREEZE)
    if reply.kzzt == codes.CONTROLLED and reply.kzcs not in expected:
        return "kzcs"
    if asked_cents is not None:
        if reply.skje > asked_cents:
            return "skje"
        if reply.ceskje > asked_cents:
            return "ceskje"
    is_partial = asked["kzcs"] == codes.TRANSFER or (asked["kzcs"] == codes.RELEASE and asked["kznr"] == codes.AMOUNT)
    # What waits holds nothing, so only one that took effect has to say what stays frozen.
    is_partial = is_partial or codes.FREEZE_AND_TRANSFER == asked["kzcs"] == reply.kzcs
    if is_partial and reply.kzzt == codes.CONTROLLED and reply.sydjje is None:
        return "sydjje"
    return ""
