"""Who changes address goes on at once: the picture begins anew where what was missed can't be repaired."""

from __future__ import annotations

from streams.rtp.rtcp import PictureLoss, ReceiverReport
from streams.sfu.viewer import REPAIRABLE_SECONDS
from tests.streams.sfu.conftest import Bench
from tests.support.outlets import header_of
from tests.support.stream import VideoStream


def requests(bench: Bench) -> int:
    return sum(isinstance(report, PictureLoss) for report in bench.publisher.reports)


def begun(bench: Bench, seed: int) -> VideoStream:
    """A picture that has begun, and its last request for a key frame long ago."""
    stream = VideoStream(seed)
    bench.send(*stream.next_frame())
    bench.tick(2)
    bench.publisher.reports.clear()
    return stream


def test_a_viewer_that_was_silent_for_long_gets_a_key_frame_with_its_move(bench: Bench) -> None:
    viewer, outlet = bench.watch()
    stream = begun(bench, 70)
    viewer.rtcp_received(bytes(ReceiverReport(1)), bench.now)
    bench.now += REPAIRABLE_SECONDS + 0.1
    outlet.move()
    assert requests(bench) == 1
    packets = stream.next_frame(key=True)
    bench.send(*packets)
    assert len(outlet.received()) == len(packets)


def test_a_viewer_that_was_heard_just_now_repairs_what_it_missed(bench: Bench) -> None:
    viewer, outlet = bench.watch()
    stream = begun(bench, 71)
    outlet.received()
    viewer.rtcp_received(bytes(ReceiverReport(1)), bench.now)
    bench.now += REPAIRABLE_SECONDS - 0.1
    outlet.move()
    bench.tick()
    assert requests(bench) == 0
    bench.send(*stream.next_frame())
    assert [header_of(packet).marker for packet in outlet.received()] == [False, False, False, True]


def test_a_publisher_that_moved_is_asked_for_a_key_frame_once(bench: Bench) -> None:
    bench.watch()
    begun(bench, 72)
    bench.publisher.move()
    assert requests(bench) == 1
    bench.publisher.on_change()
    assert requests(bench) == 1


def test_a_publisher_that_moves_unanswered_is_asked_at_once_where_it_is_now(bench: Bench) -> None:
    bench.watch()
    begun(bench, 72)
    bench.publisher.move()
    bench.now += 0.2
    bench.publisher.move()
    assert requests(bench) == 2


def test_a_publisher_that_moves_again_after_its_answer_is_asked_when_the_second_is_over(bench: Bench) -> None:
    bench.watch()
    stream = begun(bench, 73)
    bench.publisher.move()
    bench.send(*stream.next_frame(key=True))
    bench.now += 0.2
    bench.publisher.move()
    assert requests(bench) == 1
    bench.tick(1)
    assert requests(bench) == 2


def test_an_outlet_that_opens_or_closes_has_not_moved(bench: Bench) -> None:
    _, outlet = bench.watch()
    begun(bench, 73)
    for end in (outlet, bench.publisher):
        end.set_open(False)
        end.set_open(True)
    bench.tick()
    assert requests(bench) == 0


def test_a_publisher_that_was_replaced_changes_nothing_any_more(bench: Bench) -> None:
    bench.watch()
    begun(bench, 74)
    bench.feed.unpublish(bench.now)
    bench.publisher.move()
    assert requests(bench) == 0
