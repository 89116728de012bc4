"""A viewer whose picture is paused keeps its place: it goes on with a key frame, in one numbering without a break."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from streams.rtp.header import TRANSPORT_CC, build_packet
from streams.rtp.rtcp import Nack, PictureLoss, build
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.track import Codec, CodecName, Layer
from streams.sfu.viewer import Viewer
from streams.sfu.wanted import IDLE_SECONDS
from tests.streams.sfu.conftest import PUBLISHER_VIDEO, VIEWER_AUDIO, VIEWER_VIDEO, Bench
from tests.streams.sfu.stage import FRAME, Stage, assert_continuous, layers_in, stage
from tests.support.layers import layered_track, mark_of
from tests.support.outlets import header_of, payload_of


def hold(played: Stage, viewer: Viewer, layer: Layer | None, *, is_heard: bool = True) -> None:
    """Hold a viewer to a layer, or to none, as its page does."""
    viewer.limit(layer, is_heard=is_heard)
    played.bench.feed.settle(viewer, played.bench.now)


def only_branch(viewer: Viewer) -> int:
    (branch,) = viewer.branches.values()
    return branch.ssrc


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("reports", [True, False])
def test_a_paused_picture_goes_on_where_it_stood(bench: Bench, codec: CodecName, reports: bool) -> None:
    played = stage(bench, codec)
    viewer, outlet = played.watch()
    played.run(30, reports=reports)
    got = outlet.received()
    first = header_of(got[0]).timestamp
    for layer in ("high", "low", "low", "high"):
        hold(played, viewer, None)
        played.run(25, reports=reports)
        assert outlet.received() == []
        assert (viewer.layer, viewer.is_paused) == (None, True)
        hold(played, viewer, layer)  # type: ignore[arg-type]
        played.run(25, reports=reports)
        got += outlet.received()
        assert (viewer.layer, viewer.is_paused) == (layer, False)
    assert layers_in(got) == ["high", "low", "high"]
    assert_continuous(got, codec)
    # The time that passed in pauses passed for the viewer too.
    passed = (header_of(got[-1]).timestamp - first) & 0xFFFFFFFF
    frames = mark_of(payload_of(got[-1])).frame - mark_of(payload_of(got[0])).frame
    assert abs(passed - frames * 3000) <= 3000


def test_what_is_too_much_stops_at_once_and_the_lower_layer_begins_with_its_key_frame(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(30)
    outlet.received()
    bench.publisher.reports.clear()
    hold(played, viewer, "low")
    asked = [report for report in bench.publisher.reports if isinstance(report, PictureLoss)]
    assert [played.stream.layer_of(report.media_ssrc) for report in asked] == ["low"]
    bench.send(*played.stream.next_frame())
    assert outlet.received() == []
    bench.send(*played.stream.next_frame(keys=["low"]))
    assert layers_in(outlet.received()) == ["low"]


def test_a_wish_changes_nothing_beyond_what_the_viewer_is_held_to(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(30)
    hold(played, viewer, "middle")
    played.run(40)
    played.want(viewer, "low")
    played.run(40)
    played.want(viewer, "high")
    played.run(40)
    hold(played, viewer, "high")
    played.run(40)
    got = outlet.received()
    assert layers_in(got) == ["high", "middle", "low", "middle", "high"]
    assert_continuous(got, "VP8")


def test_a_viewer_that_is_paused_before_it_began_begins_later(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    hold(played, viewer, None)
    played.run(40)
    assert outlet.received() == []
    hold(played, viewer, "low")
    played.run(40)
    assert layers_in(outlet.received()) == ["low"]


def test_a_publisher_of_one_layer_is_paused_as_well(bench: Bench) -> None:
    played = stage(bench)
    bench.feed.publish([layered_track(rids=())], bench.publisher, bench.now)
    one = played.stream.layers["high"]
    viewer, outlet = played.watch("low")

    def run(frames: int, key: int) -> None:
        for number in range(frames):
            bench.send(*one.frame(played.stream.frame, played.stream.seconds, is_key=number == key))
            played.stream.frame += 1
            bench.tick(FRAME)

    run(10, 0)
    hold(played, viewer, None)
    run(20, 5)
    hold(played, viewer, "high")
    run(10, 3)
    got = outlet.received()
    frames = sorted({mark_of(payload_of(packet)).frame for packet in got})
    assert frames == [*range(10), *range(33, 40)]
    assert_continuous(got, "VP8")
    assert viewer.switches == 0


def test_what_a_paused_viewer_misses_is_neither_repeated_nor_made_anew(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(10)
    last = header_of(outlet.received()[-1]).sequence
    hold(played, viewer, None)
    bench.publisher.reports.clear()
    viewer.rtcp_received(build([Nack(1, only_branch(viewer), (last,)), PictureLoss(1, only_branch(viewer))]), bench.now)
    bench.tick(2)
    assert outlet.received() == []
    assert not any(isinstance(report, PictureLoss) for report in bench.publisher.reports)
    assert viewer.picture_losses == 0


def test_a_paused_viewer_is_ended_when_the_codec_changes(bench: Bench) -> None:
    played = stage(bench)
    viewer, _ = played.watch()
    played.run(10)
    hold(played, viewer, None)
    h264 = replace(PUBLISHER_VIDEO, codec=Codec("H264", 90_000, 96, 97))
    assert bench.feed.publish([h264], bench.publisher, bench.now) == [viewer]


def test_sound_is_paused_and_goes_on_without_a_break(bench: Bench) -> None:
    viewer, outlet = bench.watch(VIEWER_AUDIO)

    def run(packets: int) -> None:
        for _ in range(packets):
            number = next(numbers)
            bench.send(
                build_packet(payload_type=111, sequence=number, timestamp=number * 960, ssrc=77, payload=b"sound")
            )
            bench.tick(0.02)

    numbers = itertools.count(9)
    run(10)
    for is_heard in (False, True):
        viewer.limit("high", is_heard=is_heard)
        bench.feed.settle(viewer, bench.now)
        run(20)
    heads = [header_of(packet) for packet in outlet.received()]
    assert len(heads) == 30
    steps = [(two.sequence - one.sequence) & 0xFFFF for one, two in itertools.pairwise(heads)]
    assert set(steps) == {1}
    passed = (heads[-1].timestamp - heads[0].timestamp) & 0xFFFFFFFF
    assert abs(passed - 49 * 960) <= 960


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_train_is_sent_at_once_and_says_how_fast_it_came(bench: Bench, is_paused: bool) -> None:
    played = stage(bench)
    viewer, outlet = played.watch(transport_cc=True)
    played.run(30)
    outlet.received()
    assert viewer.trail.unanswered
    if is_paused:
        hold(played, viewer, None)
    (branch,) = viewer.branches.values()
    train = branch.pad(8000)
    assert train is not None
    got = outlet.received()
    assert len(got) == train.count
    rtx = viewer.tracks[0].rtx_ssrc
    assert {(header_of(packet).ssrc, header_of(packet).payload_type) for packet in got} == {(rtx, 101)}
    assert (viewer.repeated, branch.padded) == (0, train.count)
    if is_paused:
        assert {payload_of(packet) for packet in got} == {b""}
    viewer.road.train = train
    first = (viewer.trail.number - train.count + 1) & 0xFFFF
    # One each millisecond.
    arrivals = tuple(range(0, 4 * train.count, 4))
    viewer.rtcp_received(bytes(TransportFeedback(1, 2, first, 0, 50, arrivals)), bench.now)
    assert train.is_over
    rate = train.rate_bps()
    assert rate is not None
    assert abs(rate - train.octets / train.count * 8000) < 1


def test_without_a_stream_for_repeats_no_train_is_sent(bench: Bench) -> None:
    track = replace(VIEWER_VIDEO, codec=Codec("VP8", 90_000, 100), extensions={TRANSPORT_CC: 5}, transport_cc=True)
    viewer, _ = bench.watch(track)
    (branch,) = viewer.branches.values()
    assert branch.pad(8000) is None


def test_a_publisher_is_told_which_layers_it_need_send(bench: Bench) -> None:
    played = stage(bench)
    told: list[tuple[Layer, ...]] = []
    bench.feed.on_layers = lambda layers: told.append(tuple(layers))
    viewer, outlet = played.watch("low")
    other, _ = played.watch("high")
    played.run(30)
    assert told == []
    played.run(int(IDLE_SECONDS / FRAME))
    assert told == [("low", "high")]
    played.want(other, "middle")
    assert told[1:] == [("low", "middle", "high")]
    hold(played, other, None)
    played.run(int(IDLE_SECONDS / FRAME) + 40)
    assert told[2:] == [("low",)]
    bench.feed.remove_viewer(viewer)
    played.run(int(IDLE_SECONDS / FRAME) + 40)
    assert told[3:] == [], "the lowest is never rested"
    # A publisher that comes anew begins with all.
    played.begin()
    assert bench.feed.layers.wanted.names == ("low", "middle", "high")
    assert outlet.received()


def test_until_a_rested_layer_comes_viewers_keep_what_they_have(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch("low")
    played.run(int(IDLE_SECONDS / FRAME) + 40)
    assert bench.feed.layers.wanted.names == ("low",)
    played.run(30, without=["middle", "high"])
    assert [source.layer for source in bench.feed.layers.options("high", bench.now)] == ["low", "middle", "high"]
    played.want(viewer, "high")
    assert bench.feed.layers.wanted.names == ("low", "high")
    played.run(15, without=["middle", "high"])
    played.run(30, without=["middle"])
    got = outlet.received()
    assert layers_in(got) == ["low", "high"]
    assert_continuous(got, "VP8")
    played.run(75, without=["high"])
    assert [source.layer for source in bench.feed.layers.options("high", bench.now)] == ["low", "middle"]
