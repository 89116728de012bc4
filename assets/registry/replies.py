"""What the real-estate registry answers.

The names of the lists inside a reply (`BDCQL`, `CFXX`, `DYXX`, `YYXX`, `GYRXX`), `CFDH` (the order that began a
seizure) and `LHSX` (its place in line) are agreed with the registry.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from assets import title_registers
from assets.title_registers import MOST_ITEMS, Mortgage, TitleControlReply, TitleReply
from assets.wire import Either, Message, Number, Reason, Time, Word, contradiction_in


class Receipt(TitleReply):
    """The answer to papers or certificates."""

    JSZT: Either
    WJSYY: Reason = ""


class Seizure(title_registers.Seizure):
    """A seizure that stands on the unit."""

    CFWH: Word = ""

    @property
    def case_number(self) -> str:
        """Of the case; without one, the number of the seizure's own document."""
        return self.AH or self.CFWH


class Objection(Message):
    """An objection to the title that is on record (异议登记)."""

    YYR: Word
    YYSX: Word = ""


class CoOwner(Message):
    """Somebody whom it belongs to as well."""

    GYR: Word
    GYFE: Word = ""


class Right(Message):
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


class RightsReply(TitleReply):
    """The answer to a query. An empty list under the request's own number says that nothing was found."""

    FKSJ: Time
    BDCQL: list[Right] = Field(max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _names_each_once(self) -> RightsReply:
        units = [right.BDCDYH for right in self.BDCQL]
        if len(set(units)) < len(units):
            raise contradiction_in("BDCQL")
        return self


class ControlReply(TitleControlReply):
    """The answer to an order to control."""

    CFYWH: Number = ""
    """The registry's own number of the seizure."""
    CFXX: tuple[Seizure, ...] = Field(default=(), max_length=MOST_ITEMS)
