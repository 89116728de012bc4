"""The log of what was sent gives feedback its meaning: how much arrived, and how late."""

from __future__ import annotations

from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.sent_log import ENTRIES_KEPT, OVERHEAD, SentLog


def feedback(base: int, arrivals: list[int | None], reference: int = 0) -> TransportFeedback:
    return TransportFeedback(1, 2, base & 0xFFFF, 0, reference, tuple(arrivals))


def log_of(*entries: tuple[int, int, int, float]) -> SentLog:
    log = SentLog()
    for entry in entries:
        log.append(entry)
    return log


def test_what_arrived_and_what_did_not_is_told_once() -> None:
    log = log_of((3, 4, 4000, 1.0), (5, 2, 1000, 1.1))
    first = log.acknowledge(feedback(0, [40, 41, None, 44]))
    assert (first.received, first.lost, first.octets) == (3, 1, 3000 + 3 * OVERHEAD)
    assert first.delays == ((1.0, 0.01 - 1.0),)
    assert first.last_arrival == 0.011
    again = log.acknowledge(feedback(0, [40, 41, None, 44, 480, 480]))
    assert (again.received, again.lost, again.octets) == (2, 0, 1000 + 2 * OVERHEAD)
    assert not log.entries


def test_a_flush_may_be_told_of_in_two_parts() -> None:
    log = log_of((7, 8, 8000, 1.0))
    first = log.acknowledge(feedback(0, [4, 4, 4]))
    second = log.acknowledge(feedback(3, [8, 8, 8, 8, None]))
    assert (first.octets - 3 * OVERHEAD, second.octets - 4 * OVERHEAD) == (3000, 4000)
    assert (second.received, second.lost) == (4, 1)


def test_feedback_that_was_lost_is_passed_over() -> None:
    log = log_of((1, 2, 2000, 1.0), (3, 2, 2000, 1.1))
    told = log.acknowledge(feedback(2, [4, 4]))
    assert (told.received, told.lost, len(log.entries)) == (2, 0, 0)


def test_numbers_and_reference_times_begin_anew() -> None:
    log = log_of((0xFFFF, 2, 200, 5.0), (1, 2, 200, 5.0))
    assert log.acknowledge(feedback(0xFFFE, [0, 0], 0xFFFFFF)).last_arrival == 0xFFFFFF * 0.064
    later = log.acknowledge(feedback(0, [0, 0], 0))
    assert later.received == 2
    assert later.last_arrival == 0x1000000 * 0.064


def test_feedback_of_nothing_that_was_sent_is_nothing() -> None:
    log = SentLog()
    assert log.acknowledge(feedback(9, [1, 2, 3])).received == 0
    log.append((100, 1, 50, 1.0))
    assert log.acknowledge(feedback(9, [1, 2, 3])).received == 0
    assert len(log.entries) == 1


def test_the_log_is_bounded() -> None:
    log = log_of(*((number & 0xFFFF, 1, 100, 1.0) for number in range(5 * ENTRIES_KEPT)))
    assert len(log.entries) == ENTRIES_KEPT
