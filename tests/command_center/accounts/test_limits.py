"""Rate limits: a sliding window, bounded, forgiving of right tries."""

from __future__ import annotations

import pytest

from command_center.accounts.limits import RateLimit
from command_center.errors import TooMany


class Timer:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_one_more_than_allowed_is_refused_until_the_window_has_moved_on() -> None:
    timer = Timer()
    limit = RateLimit(3, 60.0, timer=timer)
    for _ in range(3):
        limit.take("a")
        timer.at += 10
    with pytest.raises(TooMany) as refused:
        limit.take("a")
    assert refused.value.parameters["retry_after"] == 30
    limit.take("b")
    timer.at += 30
    limit.take("a")


def test_a_try_that_is_given_back_does_not_count() -> None:
    limit = RateLimit(1, 60.0, timer=Timer())
    for _ in range(5):
        limit.take("a")
        limit.give_back("a")
    limit.take("a")
    with pytest.raises(TooMany):
        limit.take("a")


def test_the_table_does_not_grow_beyond_its_bound_and_keeps_the_latest() -> None:
    limit = RateLimit(1, 60.0, keys_kept=10, timer=Timer())
    for number in range(1000):
        limit.take(str(number))
    assert len(limit) == 10
    with pytest.raises(TooMany):
        limit.take("999")
