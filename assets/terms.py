"""How long a control may last and which day is its last.

Terms: 解释 §485. The date rule is practice, not law: the last day is the same day of the month in the end year,
less one day; where 29 February is missing, the same day is 28 February.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from assets.errors import BadFormat

SHANGHAI = ZoneInfo("Asia/Shanghai")


class AssetKind(StrEnum):
    """The classes of assets that can be controlled."""

    BANK_ACCOUNT = "bank_account"
    MOVABLE = "movable"
    REAL_ESTATE = "real_estate"
    OTHER_RIGHT = "other_right"


LONGEST_YEARS = {
    AssetKind.BANK_ACCOUNT: 1,
    AssetKind.MOVABLE: 2,
    AssetKind.REAL_ESTATE: 3,
    AssetKind.OTHER_RIGHT: 3,
}
"""Source: 解释 §485."""
OBJECTION_DAYS = 15
"""Source: 法释〔2013〕20号 §6."""


def china_day(instant: datetime) -> date:
    """The calendar day in China, where legal terms are counted."""
    return instant.astimezone(SHANGHAI).date()


def objection_due(raised_at: datetime) -> date:
    """By which day the court answers an objection: 15 calendar days in China. Source: 法释〔2013〕20号 §6."""
    return china_day(raised_at) + timedelta(days=OBJECTION_DAYS)


def china_time(text: str) -> datetime:
    """Read `yyyymmddHHMMSS` in China's time, as banks and registries write it, as an aware UTC instant."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI).astimezone(UTC)


def last_day(start: date, years: int) -> date:
    """The last day of a term of whole years: 2026-03-01 for one year ends on 2027-02-28."""
    try:
        same_day = start.replace(year=start.year + years)
    except ValueError:  # 29 February in a year without one
        same_day = date(start.year + years, 2, 28)
    return same_day - timedelta(days=1)


def first_day(end: date, years: int) -> date | None:
    """The first day of a term of whole years that ends on `end`; None where no day's term does."""
    following = end + timedelta(days=1)
    for month, day in ((following.month, following.day), (2, 29)):
        try:
            start = date(following.year - years, month, day)
        except ValueError:
            continue
        if last_day(start, years) == end:
            return start
    return None


def longest_term(kind: AssetKind, start: date) -> date:
    """The last day that a control of this class may have when it starts on `start`."""
    return last_day(start, LONGEST_YEARS[kind])


def check_term(kind: AssetKind, start: date, end: date) -> None:
    """Refuse a term that ends before it begins or lasts longer than the law allows.

    Raises:
        BadFormat: with `why` "order" or "too-long".
    """
    if end < start:
        raise BadFormat("term", "order")
    if end > longest_term(kind, start):
        raise BadFormat("term", "too-long")
