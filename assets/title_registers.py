"""What registers of titles, of real estate and of vehicles, have in common: papers, measures and receipts over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from pydantic import Field, model_validator

from assets.documents import OFFICIAL_NAMES
from assets.errors import BadFormat, GatewayAnsweredGarbage
from assets.gateway import ControlOrder, ControlReceipt, Encumbrance, Paper
from assets.terms import AssetKind, check_term
from assets.wire import Cents, Day, DocumentBytes, Either, Message, Number, Rank, Reason, Word, contradiction_in

CONTROLLED, NOT_CONTROLLED = "1", "2"
"""`KZZT`."""
MOST_ITEMS = 5000


class Seizure(Message):
    """A court's measure that stands on the thing."""

    CFJG: Word
    AH: Word = ""
    JSRQ: Day = None
    CFDH: Number = ""
    LHSX: Rank = ""

    @property
    def case_number(self) -> str:
        """Of the case that it was made in, as far as it is told."""
        return self.AH


class Mortgage(Message):
    """A mortgage on the thing."""

    DYQR: Word
    BDBZZQSE: Cents = 0


class TitleReply(Message):
    """What all answers have in common."""

    CXQQDH: Number


class TitleControlReply(TitleReply):
    """The answer to an order to control."""

    KZZT: Either
    CSKSRQ: Day = None
    CSJSRQ: Day = None
    WNKZYY: Reason = ""
    YWH: Number = ""
    """The register's own number of this piece of business."""
    CFXX: tuple[Seizure, ...] = Field(default=(), max_length=MOST_ITEMS)
    """The measures that stand before this one."""
    HZNR: DocumentBytes = b""

    @model_validator(mode="after")
    def _agrees(self) -> TitleControlReply:
        if self.CSKSRQ and self.CSJSRQ and self.CSJSRQ < self.CSKSRQ:
            raise contradiction_in("CSJSRQ")
        if self.CFXX and self.CSKSRQ and self.KZZT == CONTROLLED:
            raise contradiction_in("CFXX")  # waiting, and yet with a term
        return self


def receipt_of(
    gateway: str, kind: AssetKind, order: ControlOrder, reply: TitleControlReply, receipt_number: str
) -> ControlReceipt:
    """What was done with a thing of this kind.

    Raises:
        GatewayAnsweredGarbage: the answer contradicts the order, or the law's longest term.
    """
    is_registered = reply.KZZT == CONTROLLED
    if is_registered and reply.CFXX and not order.action.is_first:
        raise GatewayAnsweredGarbage(gateway, "CFXX")
    if _is_too_long(kind, order, reply):
        raise GatewayAnsweredGarbage(gateway, "CSJSRQ")
    return ControlReceipt(
        is_registered=is_registered,
        waiting_rank=len(reply.CFXX) if is_registered else 0,
        controlled_cents=0,
        over_cents=0,
        starts_on=reply.CSKSRQ,
        ends_on=reply.CSJSRQ,
        reason=reply.WNKZYY,
        receipt_number=receipt_number,
        earlier=seizures(reply.CFXX),
        document=reply.HZNR,
    )


def seizures(told: Iterable[Seizure]) -> tuple[Encumbrance, ...]:
    """The measures of courts, as they stand on a thing."""
    return tuple(
        Encumbrance(
            "seizure",
            one.CFJG,
            None,
            one.JSRQ,
            case_number=one.case_number,
            order_number=one.CFDH,
            rank=int(one.LHSX or 0),
        )
        for one in told
    )


def mortgages(told: Iterable[Mortgage]) -> tuple[Encumbrance, ...]:
    """The mortgages on a thing."""
    return tuple(Encumbrance("mortgage", one.DYQR, one.BDBZZQSE, None) for one in told)


def follow_up(order: ControlOrder) -> dict[str, Any]:
    """What an order says further where it changes a measure (which one), or passes a title on (to whom)."""
    body: dict[str, Any] = {}
    if order.original is not None:
        body |= {"YDJDH": order.original.number, "YDJAH": order.original.case_number}
    if order.payee is not None:
        body["SRR"] = order.payee.name
    return body


def papers_of(sealed: Iterable[Paper]) -> list[dict[str, str]]:
    """Papers with their seals."""
    return [
        {
            "WSMC": OFFICIAL_NAMES[paper.document],
            "WSBH": paper.number,
            "WSNR": base64.b64encode(paper.content).decode(),
            "WSZY": paper.sha256,
            "DZQZ": paper.seal,
            "QZBH": paper.seal_key_id,
        }
        for paper in sealed
    ]


def _is_too_long(kind: AssetKind, order: ControlOrder, reply: TitleControlReply) -> bool:
    if reply.CSKSRQ is None or reply.CSJSRQ is None or not order.action.is_first:
        return False
    try:
        check_term(kind, reply.CSKSRQ, reply.CSJSRQ)
    except BadFormat:
        return True
    return False
