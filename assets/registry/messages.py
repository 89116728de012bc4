"""The bodies that go to the real-estate registry and come back, by the field names of such integrations.

The names of the lists inside a reply (`BDCQL`, `CFXX`, `DYXX`) are agreed with the registry.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assets import formats
from assets.documents import names_on_the_wire
from assets.gateway import ControlOrder, Letterhead, Subject
from assets.wire import Cents, Day, Time

QUERY, CONTROL = "1", "2"
CONTROLLED = "1"
SEIZE = "11"


class Reply(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(frozen=True)
    CXQQDH: str


class Seizure(BaseModel):
    """A seizure of another court that stands on the unit."""

    CFJG: str
    CFWH: str = ""
    JSRQ: Day = None


class Mortgage(BaseModel):
    """A mortgage on the unit."""

    DYQR: str
    BDBZZQSE: Cents = 0


class Right(BaseModel):
    """One unit that the person has a title to."""

    BDCDYH: str
    ZL: str = Field(max_length=300)
    BDCQZH: str = ""
    BDCQLLX: str = ""
    JZMJ: str = ""
    SDZT: str = ""
    CFXX: list[Seizure] = Field(default_factory=list)
    DYXX: list[Mortgage] = Field(default_factory=list)


class RightsReply(Reply):
    """The answer to a query. An empty list under the request's own number says that nothing was found."""

    FKSJ: Time
    BDCQL: list[Right]


class ControlReply(Reply):
    """The answer to a seizure."""

    KZZT: str = Field(pattern="^[12]$")
    CSKSRQ: Day = None
    CSJSRQ: Day = None
    WNKZYY: str = Field(default="", max_length=500)
    YWH: str = Field(default="", max_length=64)
    CFYWH: str = Field(default="", max_length=64)
    CFXX: list[Seizure] = Field(default_factory=list)
    """The seizures that stand before this one."""


def head(letter: Letterhead, subject: Subject, xz: str) -> dict[str, Any]:
    """The head of every request: `xz` is 1 for a query, 2 for a control."""
    return {
        "CXQQDH": letter.number,
        "LB": "2" if subject.is_firm else "1",
        "XZ": xz,
        "XM": subject.name,
        "ZJZL": "2" if subject.is_firm else "1",
        "ZJH": subject.id_number,
        "FIFTEENZJH": "" if subject.is_firm else formats.fifteen_digit_form(subject.id_number),
        "FYMC": letter.court_name,
        "CBR": letter.judge,
        "AH": letter.case_number,
        "GZZBH": letter.work_card,
        "GWZBH": letter.duty_card,
        "CKH": names_on_the_wire(letter.documents),
    }


def seize(order: ControlOrder) -> dict[str, Any]:
    """The body that asks to seize one unit."""
    return {
        **head(order.head, order.subject, CONTROL),
        "KZCS": SEIZE,
        "BDCQLLX": order.details.get("BDCQLLX", ""),
        "BDCDYH": order.reference,
        "ZL": order.description,
        "BDCQZH": order.details.get("BDCQZH", ""),
        "CKWH": order.ruling_number,
        "KSRQ": f"{order.starts_on:%Y%m%d}",
        "JSRQ": f"{order.ends_on:%Y%m%d}",
    }
