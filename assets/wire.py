"""How amounts, days, times and documents stand in the messages of banks and registries."""

from __future__ import annotations

import base64
import binascii
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from assets.errors import BadFormat
from assets.formats import amount_cents, amount_text
from assets.terms import china_time

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""A day outside these can't be meant."""
LARGEST_DOCUMENT_BYTES = 1_000_000
CONTRADICTION = "contradiction"


class Message(BaseModel):
    """A part of an answer. A field that isn't here is ignored, a missing one an error."""

    model_config = ConfigDict(frozen=True)


def contradiction_in(field: str) -> PydanticCustomError:
    """What a reply raises where one of its fields contradicts another."""
    return PydanticCustomError(CONTRADICTION, "a field contradicts another", {"field": field})


def yuan(cents: int | None) -> str:
    """An amount as messages carry it; empty where there is none."""
    return "" if cents is None else amount_text(cents)


def day_text(day: date | None) -> str:
    """A day as messages carry it; empty where there is none."""
    return "" if day is None else f"{day:%Y%m%d}"


def read_day(text: str) -> date | None:
    """A day from a message; None where it is empty."""
    if not text:
        return None
    day = datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    if len(text) != 8 or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError("a day is yyyymmdd")
    return day


def _cents(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("an amount is text")
    try:
        return amount_cents(value)
    except BadFormat as exc:
        raise ValueError(str(exc)) from exc


def _maybe_cents(value: object) -> int | None:
    return None if value in ("", None) else _cents(value)


def _day(value: object) -> date | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("a day is text")
    return read_day(value or "")


def _time(value: object) -> datetime:
    if not isinstance(value, str) or len(value) != 14:
        raise ValueError("a time is text")
    read_day(value[:8])  # before it is moved to UTC, which the first and last years can't be
    return china_time(value)


def _document(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > LARGEST_DOCUMENT_BYTES * 4 // 3 + 4:
        raise ValueError("a document is base64 text")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as exc:
        raise ValueError("a document is base64 text") from exc


Cents = Annotated[int, BeforeValidator(_cents), Field(ge=0)]
"""Yuan with two places as text, such as `1234.50`."""
MaybeCents = Annotated[int | None, BeforeValidator(_maybe_cents)]
"""The same, or empty."""
Day = Annotated[date | None, BeforeValidator(_day)]
"""`yyyymmdd`, or empty."""
Time = Annotated[datetime, BeforeValidator(_time)]
"""`yyyymmddHHMMSS` in China's time."""
DocumentBytes = Annotated[bytes, BeforeValidator(_document)]
"""A document, base64."""
Word = Annotated[str, Field(max_length=300)]
"""Any short text."""
Number = Annotated[str, Field(max_length=64)]
"""A number that somebody gave something."""
Reason = Annotated[str, Field(max_length=500)]
"""Why something was not done."""
Either = Annotated[str, Field(pattern="^[12]$")]
"""1 or 2, whatever the field means by them."""
Rank = Annotated[str, Field(pattern=r"^\d{0,3}$")]
"""How many stand before it, or empty."""
