"""Which layers a publisher need send, and what a viewer without feedback can take."""

from __future__ import annotations

from streams.sfu.rate import INTERVAL, Rate
from streams.sfu.reported import FIRST_PAUSE, ReportedLimit
from streams.sfu.track import LAYERS
from streams.sfu.wanted import IDLE_SECONDS, WAKE_SECONDS, WantedLayers


def test_a_layer_rests_after_a_while_and_is_wanted_again_at_once() -> None:
    wanted = WantedLayers(LAYERS, 0.0)
    assert not wanted.look({"high"}, IDLE_SECONDS - 1)
    assert wanted.look({"high"}, IDLE_SECONDS)
    assert wanted.names == ("high",)
    assert wanted.would_come("low", IDLE_SECONDS)
    assert wanted.look({"high", "low"}, IDLE_SECONDS + 1)
    assert wanted.names == ("low", "high")
    assert wanted.would_come("low", IDLE_SECONDS + 1)
    assert not wanted.would_come("low", IDLE_SECONDS + 1 + WAKE_SECONDS)
    assert not wanted.would_come("high", IDLE_SECONDS)


def test_where_nobody_follows_the_lowest_is_sent() -> None:
    wanted = WantedLayers(("low", "high"), 0.0)
    assert wanted.look((), IDLE_SECONDS)
    assert wanted.names == ("low",)
    assert not wanted.look((), 10 * IDLE_SECONDS)


def test_a_layer_that_is_not_offered_is_not_wanted() -> None:
    wanted = WantedLayers(("low", "high"), 0.0)
    assert not wanted.look({"low", "middle", "high"}, IDLE_SECONDS)
    assert wanted.names == ("low", "high")


def test_a_viewer_that_is_overrun_is_held_to_what_it_names_until_more_is_tried() -> None:
    limit = ReportedLimit()
    assert not limit.take(400_000, 400_000, 0.0)
    assert limit.take(300_000, 400_000, 1.0)
    assert limit.bps == 300_000
    assert not limit.take(300_000, 150_000, 2.0)
    assert limit.take(300_000, 150_000, 1.0 + FIRST_PAUSE)
    assert limit.bps is not None
    tried = limit.bps
    assert tried > 300_000
    # Too early: the next trial waits longer.
    assert limit.take(200_000, 400_000, 8.0)
    assert not limit.take(250_000, 150_000, 8.0 + FIRST_PAUSE)
    assert limit.take(250_000, 150_000, 8.0 + 2 * FIRST_PAUSE)


def test_a_rate_is_smoothed_and_remembered_while_the_stream_is_silent() -> None:
    rate = Rate()
    now, octets, packets = 0.0, 0, 0
    rate.look(packets, octets, now)
    assert rate.bps is None
    for turn in range(40):
        now += INTERVAL
        packets += 10
        octets += 12_500 if turn % 4 else 25_000
        rate.look(packets, octets, now)
    assert rate.bps is not None
    assert 200_000 < rate.bps < 400_000
    seen = rate.bps
    for _ in range(20):
        now += INTERVAL
        rate.look(packets, octets, now)
    assert rate.bps == seen
    rate.look(packets + 10, octets + 100, now + 0.01)
    assert rate.bps == seen
