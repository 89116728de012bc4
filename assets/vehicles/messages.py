"""The bodies that go to the register of motor vehicles and come back.

No integration's fields are known here: names and codes follow those of the real-estate registry, and are to be agreed
with the register.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assets.documents import OFFICIAL_NAMES, Action, names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Paper, Subject
from assets.wire import Cents, Day, DocumentBytes, Number, Time, Word, contradiction_in, day_text

QUERY, CONTROL = "1", "2"
CONTROLLED, NOT_CONTROLLED = "1", "2"
CODES: dict[Action, str] = {
    Action.SEIZE: "11",
    Action.RENEW: "12",
    Action.IMPOUND: "13",
    Action.RELEASE: "14",
    Action.TRANSFER: "15",
}
MOST_ITEMS = 2000


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Seizure(_Body):
    """A court's measure that stands on the vehicle."""

    CFJG: Word
    AH: Word = ""
    JSRQ: Day = None
    CFDH: Number = ""
    LHSX: Annotated[str, Field(pattern=r"^\d{0,3}$")] = ""


class Mortgage(_Body):
    """A mortgage on the vehicle."""

    DYQR: Word
    BDBZZQSE: Cents = 0


class Vehicle(_Body):
    """One vehicle that is registered in the person's name."""

    HPHM: Number
    CLSBDM: Number
    CLPP: Word
    FDJH: Word = ""
    CSYS: Word = ""
    CCDJRQ: Word = ""
    ZT: Word = ""
    CFXX: list[Seizure] = Field(default_factory=list, max_length=MOST_ITEMS)
    DYXX: list[Mortgage] = Field(default_factory=list, max_length=MOST_ITEMS)


class Reply(_Body):
    """What all have in common."""

    CXQQDH: Number


class VehiclesReply(Reply):
    """The answer to a query. An empty list under the request's own number says that nothing was found."""

    FKSJ: Time
    JDCXX: list[Vehicle] = Field(max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _names_each_once(self) -> VehiclesReply:
        plates = [vehicle.HPHM for vehicle in self.JDCXX]
        if len(set(plates)) < len(plates):
            raise contradiction_in("JDCXX")
        return self


class ControlReply(Reply):
    """The answer to an order to control."""

    KZZT: Annotated[str, Field(pattern="^[12]$")]
    CSKSRQ: Day = None
    CSJSRQ: Day = None
    WNKZYY: Annotated[str, Field(max_length=500)] = ""
    YWH: Number = ""
    CFXX: list[Seizure] = Field(default_factory=list, max_length=MOST_ITEMS)
    HZNR: DocumentBytes = b""

    @model_validator(mode="after")
    def _agrees(self) -> ControlReply:
        if self.CSKSRQ and self.CSJSRQ and self.CSJSRQ < self.CSKSRQ:
            raise contradiction_in("CSJSRQ")
        if self.CFXX and self.CSKSRQ and self.KZZT == CONTROLLED:
            raise contradiction_in("CFXX")  # waiting, and yet with a term
        return self


def query(letter: Letterhead, subject: Subject, papers: tuple[Paper, ...]) -> dict[str, Any]:
    """The body that asks what is registered in a person's name."""
    return _head(letter, subject, QUERY) | {"WSXX": [_paper(one) for one in papers]}


def control(order: ControlOrder) -> dict[str, Any]:
    """The body that asks to seize or impound one vehicle, to renew or release that, or to transfer its title."""
    body = {
        **_head(order.head, order.subject, CONTROL),
        "KZCS": CODES[order.action],
        "HPHM": order.reference,
        "CLSBDM": order.details.get("CLSBDM", ""),
        "CKWH": order.ruling_number,
        "KSRQ": day_text(order.starts_on),
        "JSRQ": day_text(order.ends_on),
        "WSXX": [_paper(one) for one in order.papers],
    }
    if order.original is not None:
        body |= {"YDJDH": order.original.number, "YDJAH": order.original.case_number}
    if order.payee is not None:
        body["SRR"] = order.payee.name
    return body


def _head(letter: Letterhead, subject: Subject, xz: str) -> dict[str, Any]:
    return {
        "CXQQDH": letter.number,
        "LB": "2" if subject.is_firm else "1",
        "XZ": xz,
        "XM": subject.name,
        "ZJZL": "2" if subject.is_firm else "1",
        "ZJH": subject.id_number,
        "FYMC": letter.court_name,
        "CBR": letter.judge,
        "AH": letter.case_number,
        "GZZBH": letter.work_card,
        "GWZBH": letter.duty_card,
        "CKH": names_on_the_wire(letter.documents),
    }


def _paper(paper: Paper) -> dict[str, str]:
    return {
        "WSMC": OFFICIAL_NAMES[paper.document],
        "WSBH": paper.number,
        "WSNR": base64.b64encode(paper.content).decode(),
        "WSZY": paper.sha256,
        "DZQZ": paper.seal,
        "QZBH": paper.seal_key_id,
    }
