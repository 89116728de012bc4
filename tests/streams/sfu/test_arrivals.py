"""Feedback on arrivals stays cheap, whatever numbers a publisher writes."""

from __future__ import annotations

import random
import sys
from types import FrameType
from typing import Any

from streams.rtp.transport_feedback import MAX_SILENCE
from streams.sfu.arrivals import INTERVAL, MAX_AT_ONCE, Arrivals


def steps_of(arrivals: Arrivals, now: float) -> int:
    """How many lines of Python one `build` takes."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    try:
        arrivals.build(1, 2, now)
    finally:
        sys.settrace(None)
    return steps


def test_numbers_that_jump_make_neither_much_work_nor_many_packets() -> None:
    chance = random.Random(1)
    for jump in (MAX_SILENCE - 1, MAX_SILENCE + 1, 2000, 30_000):
        arrivals, now, number, worst = Arrivals(), 100.0, 0, 0
        for _ in range(20):
            for _ in range(45):  # a thousand a second
                number = (number + jump + chance.randrange(3)) & 0xFFFF
                arrivals.add(number, now)
                now += INTERVAL / 45
            worst = max(worst, steps_of(arrivals, now))
            assert len(arrivals.build(1, 2, now + 1)) <= MAX_AT_ONCE
        assert worst < 100_000, jump


def test_after_an_outage_feedback_begins_with_what_came_then() -> None:
    arrivals = Arrivals()
    for number in (10, 11, 13 + MAX_SILENCE, 15 + MAX_SILENCE):
        arrivals.add(number, 100.0)
    first, second = arrivals.build(1, 2, 100.1)
    assert (first.base_sequence, len(first.arrivals)) == (10, 2)
    assert (second.base_sequence, second.received, len(second.arrivals)) == (13 + MAX_SILENCE, 2, 3)


def test_what_was_lost_is_told_up_to_an_outage() -> None:
    arrivals = Arrivals()
    for number in (10, 10 + MAX_SILENCE):
        arrivals.add(number, 100.0)
    (feedback,) = arrivals.build(1, 2, 100.1)
    assert (feedback.received, len(feedback.arrivals)) == (2, MAX_SILENCE + 1)
