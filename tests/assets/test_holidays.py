"""Working days, by the announcement for 2026."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.holidays import HolidaysUnreadable, WorkingDays, announced, read_holidays

DAYS_OF_2026 = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def test_the_announcement_of_2026_leaves_248_working_days() -> None:
    assert sum(map(announced().is_working_day, DAYS_OF_2026)) == 248


@pytest.mark.parametrize("day", ["2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10", "2026-01-04"])
def test_a_make_up_weekend_is_worked(day: str) -> None:
    assert announced().is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-01-02", "2026-02-16", "2026-04-06", "2026-05-05", "2026-06-19", "2026-10-07"])
def test_a_holiday_is_not_worked(day: str) -> None:
    assert not announced().is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-11-27", 3, "2026-12-02"),  # Friday, over a weekend
        ("2026-11-29", 3, "2026-12-02"),  # Sunday: the same three days
        ("2026-09-30", 3, "2026-10-10"),  # over the National Day, with its make-up Saturday
        ("2026-02-13", 3, "2026-02-25"),  # make-up Saturday, then the Spring Festival
        ("2026-09-18", 1, "2026-09-20"),
    ],
)
def test_working_days_after_a_day(start: str, count: int, end: str) -> None:
    assert announced().add_working_days(date.fromisoformat(start), count) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("day", "before"),
    [("2026-02-24", "2026-02-14"), ("2026-10-08", "2026-09-30"), ("2026-11-30", "2026-11-27")],
)
def test_the_last_working_day_before(day: str, before: str) -> None:
    assert announced().last_working_day_before(date.fromisoformat(day)) == date.fromisoformat(before)


def test_a_year_without_announcement_counts_weekends_only_and_is_told() -> None:
    calendar = announced()
    assert calendar.unknown_years(date(2026, 12, 1), date(2026, 12, 31)) == ()
    assert calendar.unknown_years(date(2026, 12, 30), date(2028, 1, 4)) == (2027, 2028)
    assert calendar.is_working_day(date(2027, 10, 1))
    assert not calendar.is_working_day(date(2027, 10, 2))
    assert WorkingDays().add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 5)


@given(start=st.dates(date(2026, 1, 1), date(2026, 11, 30)), count=st.integers(1, 15))
def test_so_many_working_days_lie_between(start: date, count: int) -> None:
    end = announced().add_working_days(start, count)
    between = [start + timedelta(days=number) for number in range(1, (end - start).days + 1)]
    assert sum(map(announced().is_working_day, between)) == count
    assert announced().is_working_day(end)


def test_no_period_is_shorter_than_a_working_day() -> None:
    with pytest.raises(ValueError, match="at least one"):
        announced().add_working_days(date(2026, 11, 27), 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"source": "s", "years": {}}',
        '{"source": "s", "years": {"2027": {"holidays": [["2027-10-07", "2027-10-01"]], "working_weekends": []}}}',
        '{"source": "s", "years": {"2027": {"holidays": [["2027-01-01", "2037-01-01"]], "working_weekends": []}}}',
        '{"source": "s", "years": {"2027": {"holidays": [], "working_weekends": ["2027-10-01"]}}}',
        '{"source": "s", "years": {"2026": {"holidays": [], "working_weekends": ["2027-10-02"]}}}',
        '{"source": "s", "years": {"2026": {"holidays": [["2026-10-10", "2026-10-10"]],'
        ' "working_weekends": ["2026-10-10"]}}}',
    ],
)
def test_what_is_no_file_of_holidays_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "holidays.json"
    path.write_text(text)
    with pytest.raises(HolidaysUnreadable):
        read_holidays(path)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(HolidaysUnreadable):
        read_holidays(Path("/nowhere/holidays.json"))


def test_working_days_are_counted_from_the_day_after() -> None:
    days = announced()
    start = date(2026, 1, 1)
    for length in (*range(40), 365, 800):
        last = start + timedelta(days=length)
        one_by_one = sum(days.is_working_day(start + timedelta(days=n)) for n in range(1, length + 1))
        assert days.count(start, last) == one_by_one
    assert days.count(start, start - timedelta(days=3)) == 0
