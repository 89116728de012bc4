"""How amounts, days and times stand in the messages of banks and registries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from assets.errors import BadFormat
from assets.formats import amount_cents
from assets.terms import china_time


def _cents(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("an amount is text")
    try:
        return amount_cents(value)
    except BadFormat as exc:
        raise ValueError(str(exc)) from exc


def _day(value: object) -> date | None:
    if value in ("", None):
        return None
    if not isinstance(value, str):
        raise ValueError("a day is text")
    return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("a time is text")
    return china_time(value)


Cents = Annotated[int, BeforeValidator(_cents), Field(ge=0)]
"""Yuan with two places as text, such as `1234.50`."""
Day = Annotated[date | None, BeforeValidator(_day)]
"""`yyyymmdd`, or empty."""
Time = Annotated[datetime, BeforeValidator(_time)]
"""`yyyymmddHHMMSS` in China's time."""
