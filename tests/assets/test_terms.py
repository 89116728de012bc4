"""解释 §485: how long a control lasts, and the last day of its term."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from assets.errors import BadFormat
from assets.terms import AssetKind, check_term, china_day, china_time, last_day, longest_term


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        (date(2026, 3, 1), 1, date(2027, 2, 28)),
        (date(2028, 2, 29), 1, date(2029, 2, 27)),
        (date(2027, 3, 1), 1, date(2028, 2, 29)),
        (date(2026, 1, 1), 3, date(2028, 12, 31)),
        (date(2028, 2, 29), 4, date(2032, 2, 28)),
    ],
)
def test_the_last_day_is_the_same_day_less_one(start: date, years: int, end: date) -> None:
    assert last_day(start, years) == end


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (AssetKind.BANK_ACCOUNT, date(2027, 11, 21)),
        (AssetKind.MOVABLE, date(2028, 11, 21)),
        (AssetKind.REAL_ESTATE, date(2029, 11, 21)),
        (AssetKind.OTHER_RIGHT, date(2029, 11, 21)),
    ],
)
def test_article_485_one_two_and_three_years(kind: AssetKind, end: date) -> None:
    start = date(2026, 11, 22)
    assert longest_term(kind, start) == end
    check_term(kind, start, end)
    with pytest.raises(BadFormat) as refused:
        check_term(kind, start, date.fromordinal(end.toordinal() + 1))
    assert refused.value.why == "too-long"


def test_a_term_cannot_end_before_it_begins() -> None:
    with pytest.raises(BadFormat):
        check_term(AssetKind.MOVABLE, date(2026, 11, 22), date(2026, 11, 21))


def test_the_day_is_counted_in_china() -> None:
    assert china_day(datetime(2026, 11, 22, 15, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert china_day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
    assert china_time("20261123000000") == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
