"""What the real-estate registry answers.

The names of the lists inside a reply (`BDCQL`, `CFXX`, `DYXX`, `YYXX`, `GYRXX`), `CFDH` (the order that began a
seizure) and `LHSX` (its place in line) are agreed with the registry.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assets.registry import codes
from assets.wire import Cents, Day, DocumentBytes, Number, Time, Word, contradiction_in

MOST_ITEMS = 5000
_Rank = Annotated[str, Field(pattern=r"^\d{0,3}$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reply(_Body):
    """What all have in common."""

    CXQQDH: Number


class Receipt(Reply):
    """The answer to papers or certificates."""

    JSZT: Annotated[str, Field(pattern="^[12]$")]
    WJSYY: Annotated[str, Field(max_length=500)] = ""


class Seizure(_Body):
    """A seizure that stands on the unit."""

    CFJG: Word
    CFWH: Word = ""
    AH: Word = ""
    JSRQ: Day = None
    CFDH: Number = ""
    LHSX: _Rank = ""


class Mortgage(_Body):
    """A mortgage on the unit."""

    DYQR: Word
    BDBZZQSE: Cents = 0


class Objection(_Body):
    """An objection to the title that is on record (异议登记)."""

    YYR: Word
    YYSX: Word = ""


class CoOwner(_Body):
    """Somebody whom it belongs to as well."""

    GYR: Word
    GYFE: Word = ""


class Right(_Body):
    """One unit that the person has a title to."""

    BDCDYH: Number
    ZL: Word
    BDCQZH: Word = ""
    BDCQLLX: Word = ""
    JZMJ: Word = ""
    DJZT: Annotated[str, Field(pattern="^[12]?$")] = ""
    SDZT: Word = ""
    """What it is locked for, where it is."""
    CFXX: list[Seizure] = Field(default_factory=list, max_length=MOST_ITEMS)
    DYXX: list[Mortgage] = Field(default_factory=list, max_length=MOST_ITEMS)
    YYXX: list[Objection] = Field(default_factory=list, max_length=MOST_ITEMS)
    GYRXX: list[CoOwner] = Field(default_factory=list, max_length=MOST_ITEMS)


class RightsReply(Reply):
    """The answer to a query. An empty list under the request's own number says that nothing was found."""

    FKSJ: Time
    BDCQL: list[Right] = Field(max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _names_each_once(self) -> RightsReply:
        units = [right.BDCDYH for right in self.BDCQL]
        if len(set(units)) < len(units):
            raise contradiction_in("BDCQL")
        return self


class ControlReply(Reply):
    """The answer to an order to control."""

    KZZT: Annotated[str, Field(pattern="^[12]$")]
    CSKSRQ: Day = None
    CSJSRQ: Day = None
    WNKZYY: Annotated[str, Field(max_length=500)] = ""
    YWH: Number = ""
    CFYWH: Number = ""
    """The registry's own number of the seizure; `YWH` is that of this piece of business."""
    CFXX: list[Seizure] = Field(default_factory=list, max_length=MOST_ITEMS)
    """The seizures that stand before this one."""
    HZNR: DocumentBytes = b""

    @model_validator(mode="after")
    def _agrees(self) -> ControlReply:
        if self.CSKSRQ and self.CSJSRQ and self.CSJSRQ < self.CSKSRQ:
            raise contradiction_in("CSJSRQ")
        if self.CFXX and self.CSKSRQ and self.KZZT == codes.CONTROLLED:
            raise contradiction_in("CFXX")  # waiting, and yet with a term
        return self
