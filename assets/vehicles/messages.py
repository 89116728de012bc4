"""The bodies that go to the register of motor vehicles and come back.

No integration's fields are known here: names and codes follow those of the real-estate registry, and are to be agreed
with the register.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from assets.documents import Action, names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Paper, Subject
from assets.title_registers import Mortgage, Seizure, TitleControlReply, TitleReply, follow_up, papers_of
from assets.wire import Message, Number, Time, Word, contradiction_in, day_text

QUERY, CONTROL = "1", "2"
CODES: dict[Action, str] = {
    Action.SEIZE: "11",
    Action.RENEW: "12",
    Action.IMPOUND: "13",
    Action.RELEASE: "14",
    Action.TRANSFER: "15",
}
MOST_ITEMS = 2000


class Vehicle(Message):
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


class VehiclesReply(TitleReply):
    """The answer to a query. An empty list under the request's own number says that nothing was found."""

    FKSJ: Time
    JDCXX: list[Vehicle] = Field(max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _names_each_once(self) -> VehiclesReply:
        plates = [vehicle.HPHM for vehicle in self.JDCXX]
        if len(set(plates)) < len(plates):
            raise contradiction_in("JDCXX")
        return self


class ControlReply(TitleControlReply):
    """The answer to an order to control."""

    CFXX: tuple[Seizure, ...] = Field(default=(), max_length=MOST_ITEMS)


def query(letter: Letterhead, subject: Subject, papers: tuple[Paper, ...]) -> dict[str, Any]:
    """The body that asks what is registered in a person's name."""
    return _head(letter, subject, QUERY) | {"WSXX": papers_of(papers)}


def control(order: ControlOrder) -> dict[str, Any]:
    """The body that asks to seize or impound one vehicle, to renew or release that, or to transfer its title."""
    return {
        **_head(order.head, order.subject, CONTROL),
        "KZCS": CODES[order.action],
        "HPHM": order.reference,
        "CLSBDM": order.details.get("CLSBDM", ""),
        "CKWH": order.ruling_number,
        "KSRQ": day_text(order.starts_on),
        "JSRQ": day_text(order.ends_on),
        "WSXX": papers_of(order.papers),
        **follow_up(order),
    }


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
