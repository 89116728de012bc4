"""Working days: weekends, and the holidays and make-up working days that the State Council announces each year.

The announcement of a year comes in November of the year before, so it is data: `holidays.json` beside this file, or
the file that an administrator puts in its place. In a year that the file doesn't hold only weekends count, and whoever
shows a date says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ANNOUNCED_FILE = Path(__file__).with_name("holidays.json")
_DAY = timedelta(days=1)
_SATURDAY = 5
_LONGEST_HOLIDAY_DAYS = 31


class HolidaysUnreadable(ValueError):
    """The file of holidays can't be used; the message is a plain sentence."""


class _Year(BaseModel):
    model_config = ConfigDict(extra="forbid")
    holidays: list[tuple[date, date]]
    """First and last day of each."""
    working_weekends: list[date]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: str
    years: Annotated[dict[int, _Year], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """A calendar of working days; `years` are those whose announcement it holds."""

    holidays: frozenset[date] = frozenset()
    working_weekends: frozenset[date] = frozenset()
    years: frozenset[int] = field(default_factory=frozenset)

    def is_working_day(self, day: date) -> bool:
        """Whether courts work on `day`."""
        if day in self.working_weekends:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def add_working_days(self, start: date, count: int) -> date:
        """The `count`th working day after `start`; the day of `start` itself isn't counted."""
        if count < 1:
            raise ValueError("a period has at least one working day")
        day = start
        while count:
            day += _DAY
            count -= self.is_working_day(day)
        return day

    def last_working_day_before(self, day: date) -> date:
        """The last working day before `day`, such as the last on which a term that ends on `day` can be renewed."""
        day -= _DAY
        while not self.is_working_day(day):
            day -= _DAY
        return day

    def count(self, after: date, last: date) -> int:
        """How many working days there are behind `after`, up to `last` and with it."""
        days = max((last - after).days, 0)
        weeks, rest = divmod(days, 7)
        weekdays = weeks * _SATURDAY + sum((after + _DAY * n).weekday() < _SATURDAY for n in range(1, rest + 1))
        off = sum(after < day <= last and day.weekday() < _SATURDAY for day in self.holidays - self.working_weekends)
        made_up = sum(after < day <= last and day.weekday() >= _SATURDAY for day in self.working_weekends)
        return weekdays - off + made_up

    def unknown_years(self, first: date, last: date) -> tuple[int, ...]:
        """The years between two days, both included, for which there is no announcement: only weekends count there."""
        return tuple(year for year in range(first.year, last.year + 1) if year not in self.years)


def read_holidays(path: Path) -> WorkingDays:
    """Read a file like `holidays.json`.

    Raises:
        HolidaysUnreadable: it isn't there, or isn't one.
    """
    try:
        given = _File.model_validate_json(path.read_bytes())
        return _calendar(given.years)
    except OSError as exc:
        raise HolidaysUnreadable(f"The file of holidays {path} can't be read.") from exc
    except ValidationError as exc:
        places = ", ".join(".".join(map(str, error["loc"])) for error in exc.errors()[:3])
        raise HolidaysUnreadable(f"The file of holidays {path} isn't one: {places}.") from exc
    except ValueError as exc:
        raise HolidaysUnreadable(f"The file of holidays {path} isn't one: {exc}.") from exc


@cache
def announced() -> WorkingDays:
    """What came with this version."""
    return read_holidays(ANNOUNCED_FILE)


def _calendar(years: Mapping[int, _Year]) -> WorkingDays:
    holidays: set[date] = set()
    working: set[date] = set()
    for number, year in years.items():
        for first, last in year.holidays:
            holidays.update(_days(first, last))
        for day in year.working_weekends:
            if day.weekday() < _SATURDAY or day.year != number:
                raise ValueError(f"{day} is no weekend day of {number}")
            working.add(day)
    if clash := sorted(holidays & working):
        raise ValueError(f"{clash[0]} is both")
    return WorkingDays(frozenset(holidays), frozenset(working), frozenset(years))


def _days(first: date, last: date) -> Iterator[date]:
    if not first <= last < first + timedelta(days=_LONGEST_HOLIDAY_DAYS):
        raise ValueError(f"{first} to {last} is no holiday")
    while first <= last:
        yield first
        first += _DAY
