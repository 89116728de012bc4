"""When alarms are due: practice, by settings; no law says how long before its end a term is to be remembered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from assets.holidays import WorkingDays, announced
from assets.term_days import LAPSED, alarm_days

DAYS = alarm_days(announced())


@pytest.mark.parametrize(
    ("ends_on", "days_before", "due"),
    [
        (date(2026, 3, 31), 7, date(2026, 3, 24)),
        (date(2026, 3, 31), 0, date(2026, 3, 31)),
        (date(2026, 3, 29), 0, date(2026, 3, 27)),  # the last day is a Sunday
        (date(2026, 10, 8), 7, date(2026, 9, 30)),  # 1 October: seven days' holiday
        (date(2026, 10, 5), 0, date(2026, 9, 30)),
        (date(2028, 2, 29), 60, date(2027, 12, 31)),
        (date(2028, 3, 7), 7, date(2028, 2, 29)),
        (date(2028, 2, 29), 0, date(2028, 2, 29)),
    ],
)
def test_practice_an_alarm_comes_on_its_day_or_on_the_last_working_day_before(
    ends_on: date, days_before: int, due: date
) -> None:
    assert DAYS.due_on(ends_on, days_before) == due


def test_practice_what_is_due_today_is_what_was_to_be_raised_by_today() -> None:
    day = date(2026, 1, 1)
    for _ in range(800):
        for distance in DAYS.distances:
            latest = DAYS.latest(day, distance)
            assert DAYS.due_on(latest, distance) <= day < DAYS.due_on(latest + timedelta(days=1), distance)
        day += timedelta(days=1)


def test_practice_the_distances_are_a_setting() -> None:
    days = alarm_days(WorkingDays(), (3, 10, 3))
    assert days.distances == (3, 10)
    assert [distance for distance, _ in days.bounds(date(2026, 3, 2))] == [LAPSED, 3, 10]
    for wrong in ((), (-1, 7), (2000,)):
        with pytest.raises(ValueError, match="days before"):
            alarm_days(WorkingDays(), wrong)
