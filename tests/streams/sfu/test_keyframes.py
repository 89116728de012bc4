"""A publisher is asked for key frames no more often than it need be, and only for what can come and is watched."""

from __future__ import annotations

import itertools

from streams.rtp.rtcp import PictureLoss
from streams.sfu.track import LAYERS
from tests.streams.sfu.conftest import Bench
from tests.streams.sfu.stage import FRAME, layers_in, stage
from tests.support.layers import mark_of
from tests.support.outlets import header_of, payload_of


def test_requests_are_merged_to_one_a_second(bench: Bench) -> None:
    played = stage(bench)
    watchers = [played.watch() for _ in range(6)]
    played.run(30)
    played.asked.clear()
    start = bench.now
    for turn in range(150):
        for place, (viewer, _) in enumerate(watchers):
            played.want(viewer, LAYERS[(turn + place) % 3])
        played.run(2)
    for layer in LAYERS:
        times = [at for at, asked in played.asked if asked == layer]
        assert times
        assert all(later - earlier > 0.95 for earlier, later in itertools.pairwise(times))
        assert len(times) <= bench.now - start + 1


def test_a_key_frame_that_comes_with_another_layers_is_not_asked_for(bench: Bench) -> None:
    played = stage(bench)
    (first, one), (second, other) = played.watch(), played.watch()
    played.run(40)
    for outlet in (one, other):
        outlet.received()
    bench.publisher.reports.clear()
    played.want(first, "low")
    played.want(second, "middle")
    bench.tick(FRAME)
    asked = [report for report in bench.publisher.reports if isinstance(report, PictureLoss)]
    assert [played.stream.layer_of(report.media_ssrc) for report in asked] == ["low"]
    bench.send(*played.stream.next_frame(keys=LAYERS))
    for _ in range(60):
        bench.send(*played.stream.next_frame())
        bench.tick(FRAME)
    assert [layers_in(outlet.received()) for outlet in (one, other)] == [["low"], ["middle"]]
    asked = [report for report in bench.publisher.reports if isinstance(report, PictureLoss)]
    assert len(asked) == 1


def test_a_publisher_is_asked_for_all_layers_at_once_and_once_a_second(bench: Bench) -> None:
    played = stage(bench)
    viewers = [played.watch(layer)[0] for layer in LAYERS]
    played.run(40)
    played.asked.clear()
    sent = bench.feed.counters.key_frame_requests
    for _ in range(90):
        for viewer in viewers:
            (branch,) = viewer.branches.values()
            viewer.rtcp_received(bytes(PictureLoss(1, branch.ssrc)), bench.now)
        played.run(1)
    assert {layer for _, layer in played.asked} == set(LAYERS)
    times = sorted({at for at, _ in played.asked})
    assert bench.feed.counters.key_frame_requests - sent == len(times)
    assert 2 <= len(times) <= 4
    assert all(later - earlier >= 1 - FRAME for earlier, later in itertools.pairwise(times))


def test_a_layer_that_nobody_follows_is_not_asked_for_key_frames(bench: Bench) -> None:
    played = stage(bench)
    played.watch("low")
    played.run(30)
    bench.publisher.reports.clear()
    high = played.stream.layers["high"]
    for _ in range(90):
        packets = played.stream.next_frame()
        # One packet of the high layer in each frame is lost, and never comes again.
        bench.send(*(p for p in packets if header_of(p).ssrc != high.ssrc or mark_of(payload_of(p)).part != 1))
        bench.tick(FRAME)
    assert bench.feed.layers.sources[-1].key_frames.wanted
    assert not any(isinstance(report, PictureLoss) for report in bench.publisher.reports)


def test_a_silent_layer_is_not_asked_for_key_frames(bench: Bench) -> None:
    played = stage(bench)
    viewer, _ = played.watch("low")
    played.run(30)
    played.asked.clear()
    played.want(viewer, "high")
    for _ in range(90):
        bench.send(*played.stream.next_frame(without=["high"]))
        bench.tick(FRAME)
    asked = [report for report in bench.publisher.reports if isinstance(report, PictureLoss)]
    assert [played.stream.layer_of(report.media_ssrc) for report in asked].count("high") <= 1
