"""A viewer goes from layer to layer without a break that a decoder would see."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest

from streams.rtp.header import REPAIRED_RID, find_extensions
from streams.rtp.payload import vp8_numbers
from streams.rtp.rtcp import Bye, Nack, build
from streams.sfu.track import LAYERS, Codec, CodecName, Kind, Layer
from streams.sfu.viewer import Viewer
from tests.streams.sfu.conftest import PUBLISHER_VIDEO, VIEWER_VIDEO, Bench
from tests.streams.sfu.stage import FRAME, assert_continuous, layers_in, stage
from tests.support.layers import LayeredStream, layered_track, mark_of
from tests.support.outlets import PeerOutlet, header_of, payload_of
from tests.support.stream import VideoStream

CODECS: list[CodecName] = ["VP8", "H264"]


@pytest.mark.parametrize(("codec", "is_wide"), [("VP8", True), ("VP8", False), ("H264", True)])
@pytest.mark.parametrize("reports", [True, False])
def test_a_viewer_switches_down_and_up_without_a_break(
    bench: Bench, codec: CodecName, is_wide: bool, reports: bool
) -> None:
    played = stage(bench, codec, is_wide=is_wide)
    viewer, outlet = played.watch()
    played.run(30, reports=reports)
    wishes: list[Layer] = ["low", "middle", "high", "low", "high", "middle", "low"]
    for wish in wishes:
        played.want(viewer, wish)
        played.run(40, reports=reports)
    got = outlet.received()
    assert layers_in(got) == ["high", *wishes]
    assert_continuous(got, codec, bits=15 if is_wide else 7)
    # At most one frame is left out, or shown twice, at each switch; no time is made up.
    first, last = header_of(got[0]), header_of(got[-1])
    passed = (last.timestamp - first.timestamp) & 0xFFFFFFFF
    frames = mark_of(payload_of(got[-1])).frame - mark_of(payload_of(got[0])).frame
    assert abs(passed - frames * 3000) <= 3000


def test_the_time_of_the_publishers_reports_is_kept_over_a_hundred_switches(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(30, reports=True)
    before = outlet.received()
    after = before
    for turn in range(100):
        played.want(viewer, "low" if turn % 2 == 0 else "high")
        played.run(32, reports=True)
        after = outlet.received()
    (branch,) = viewer.branches.values()
    assert branch.switches == 100
    passed = (header_of(after[-1]).timestamp - header_of(before[-1]).timestamp) & 0xFFFFFFFF
    assert abs(passed - 3200 * 3000) <= 3000


def test_until_the_key_frame_comes_the_old_layer_goes_on(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(5)
    outlet.received()
    played.want(viewer, "low")
    for _ in range(3):
        bench.send(*played.stream.next_frame())
    assert layers_in(outlet.received()) == ["high"]
    bench.send(*played.stream.next_frame(keys=["low"]), *played.stream.next_frame())
    got = outlet.received()
    assert layers_in(got) == ["low"]
    assert len(got) == 6


def test_a_wish_taken_back_changes_nothing(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(5)
    played.want(viewer, "low")
    played.want(viewer, "high")
    bench.send(*played.stream.next_frame(keys=LAYERS))
    assert layers_in(outlet.received()) == ["high"]
    assert not any(source.expects for source in bench.feed.layers.sources)


def test_others_see_nothing_of_a_switch(bench: Bench) -> None:
    played = stage(bench)
    watchers = [played.watch() for _ in range(4)]
    played.run(5)
    played.want(watchers[0][0], "low")
    played.run(20)
    played.want(watchers[0][0], "high")
    played.run(20)
    streams = [outlet.received() for _, outlet in watchers]
    assert layers_in(streams[0]) == ["high", "low", "high"]
    assert_continuous(streams[0], "VP8")
    payloads = [[payload_of(packet) for packet in stream] for stream in streams[1:]]
    assert payloads[0] == payloads[1] == payloads[2]
    numbers = vp8_numbers(payloads[0][0], 0, len(payloads[0][0]))
    assert numbers is not None
    own = LayeredStream(1).layers["high"]
    assert numbers.picture - own.picture == mark_of(payloads[0][0]).frame


def test_transport_wide_numbers_run_on_through_a_switch(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch(transport_cc=True)
    played.run(5)
    played.want(viewer, "low")
    played.run(5)
    got = outlet.received()
    assert layers_in(got) == ["high", "low"]
    numbers = []
    for packet in got:
        ((number, at, size),) = find_extensions(header_of(packet), packet)
        assert (number, size) == (5, 2)
        numbers.append(int.from_bytes(packet[at : at + 2], "big"))
    assert numbers == list(range(1, len(got) + 1))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("has_rtx", [True, False])
def test_what_was_lost_before_and_after_switches_comes_again_as_it_was(
    bench: Bench, codec: CodecName, has_rtx: bool
) -> None:
    played = stage(bench, codec)
    if has_rtx:
        viewer, outlet = played.watch()
    else:
        viewer, outlet = bench.watch(replace(VIEWER_VIDEO, codec=Codec(codec, 90_000, 100)))
    wishes: list[Layer] = ["low", "high", "middle"]
    played.run(20)
    for wish in wishes:
        played.want(viewer, wish)
        played.run(34)
    sealed = outlet.datagrams()
    got = [outlet.open(datagram) for datagram in sealed]
    assert layers_in(got) == ["high", *wishes]
    wanted = {header_of(packet).sequence: (packet, one) for packet, one in list(zip(got, sealed, strict=True))[::5]}
    bench.now += 10
    ssrc = viewer.tracks[0].ssrc or 0
    for sequence in wanted:
        viewer.rtcp_received(bytes(Nack(1, ssrc, (sequence,))), bench.now)
    again = outlet.datagrams()
    assert len(again) == len(wanted)
    for datagram, (sequence, (original, sealed_original)) in zip(again, wanted.items(), strict=True):
        if has_rtx:
            packet = outlet.open(datagram)
            payload = payload_of(packet)
            assert int.from_bytes(payload[:2], "big") == sequence
            assert payload[2:] == payload_of(original)
            assert header_of(packet).timestamp == header_of(original).timestamp
        else:
            # One nonce must never seal two different packets.
            assert datagram == sealed_original


def test_what_is_older_than_the_switches_kept_is_refused(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(3)
    first = header_of(outlet.received()[0]).sequence
    for turn in range(9):
        played.want(viewer, "low" if turn % 2 == 0 else "high")
        played.run(32)
    outlet.received()
    (branch,) = viewer.branches.values()
    assert branch.switches == 9
    assert len(branch.past) == 8
    viewer.rtcp_received(bytes(Nack(1, branch.ssrc, (first,))), bench.now)
    assert outlet.received() == []
    assert branch.refused == 1


def test_a_late_packet_of_the_old_layer_is_not_sent_after_the_switch_but_can_be_asked_for(bench: Bench) -> None:
    played = stage(bench)
    viewer, outlet = played.watch()
    played.run(5)
    got = outlet.received()
    packets = played.stream.next_frame()
    late = packets.pop(-2)
    bench.send(*packets)
    played.want(viewer, "low")
    bench.send(*played.stream.next_frame(keys=["low"]))
    bench.send(late)
    got += outlet.received()
    assert layers_in(got) == ["high", "low"]
    (hole,) = [
        (header_of(one).sequence + 1) & 0xFFFF
        for one, two in itertools.pairwise(got)
        if (header_of(two).sequence - header_of(one).sequence) & 0xFFFF == 2
    ]
    viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, (hole,))), bench.now)
    (again,) = outlet.received()
    assert mark_of(payload_of(again)[2:]) == mark_of(payload_of(late))


@pytest.mark.parametrize("codec", CODECS)
def test_a_layer_that_stops_is_replaced_and_comes_back(bench: Bench, codec: CodecName) -> None:
    played = stage(bench, codec)
    _, outlet = played.watch()
    _, low = played.watch("low")
    played.run(30)
    played.run(60, without=["high"])
    got = outlet.received()
    assert layers_in(got) == ["high", "middle"]
    played.run(60, without=["high", "middle"])
    played.run(60)
    got += outlet.received()
    assert layers_in(got) == ["high", "middle", "low", "high"]
    assert_continuous(got, codec)
    frames = sorted({mark_of(payload_of(packet)).frame for packet in got})
    assert max(later - earlier for earlier, later in itertools.pairwise(frames)) <= 22
    played.run(60, without=["low"])
    assert layers_in(low.received())[-1] == "middle", "nothing lower comes: the lowest of the others"


def test_a_viewer_begins_with_what_there_is(bench: Bench) -> None:
    played = stage(bench)
    played.run(10, without=["high"])
    _, outlet = played.watch()
    played.run(10, without=["high"])
    assert layers_in(outlet.received()) == ["middle"]


def test_a_viewer_that_waits_for_a_silent_layer_begins_with_another(bench: Bench) -> None:
    played = stage(bench)
    _, outlet = played.watch()
    played.run(60, without=["middle", "high"])
    assert layers_in(outlet.received()) == ["low"]


def test_why_a_lower_layer_is_given_is_known(bench: Bench) -> None:
    played = stage(bench)
    viewer, _ = played.watch("low")
    told: list[tuple[Layer | None, str | None]] = []
    viewer.on_picture = lambda: told.append((viewer.layer, bench.feed.held(viewer, bench.now)))
    played.run(40)
    assert bench.feed.held(viewer, bench.now) is None
    told.clear()
    played.want(viewer, "high")
    assert ("low", "switching") in told
    played.run(40)
    assert told[-1] == ("high", None)
    viewer.limit("low", is_heard=True)
    bench.feed.settle(viewer, bench.now)
    played.run(40)
    assert told[-1] == ("low", "bandwidth")
    played.run(60, without=["middle", "high"])
    assert bench.feed.held(viewer, bench.now) == "publisher"
    viewer.limit("high", is_heard=True)
    played.run(60, without=["high"])
    assert told[-1] == ("middle", "publisher")
    viewer.limit(None, is_heard=True)
    bench.feed.settle(viewer, bench.now)
    assert bench.feed.held(viewer, bench.now) is None


def test_a_rested_layer_is_woken_when_the_one_above_it_stops(bench: Bench) -> None:
    played = stage(bench)
    low, _ = played.watch("low")
    high, outlet = played.watch("high")
    rested: list[Layer] = ["middle"]
    played.run(400)
    assert bench.feed.layers.wanted.names == ("low", "high")
    # The publisher's uplink no longer carries the high layer; the middle one it sends when it is asked for it.
    told: list[tuple[Layer | None, str | None]] = []
    high.on_picture = lambda: told.append((high.layer, bench.feed.held(high, bench.now)))
    for _ in range(150):
        if "middle" in bench.feed.layers.wanted.names:
            rested.clear()
        outlet.received()
        played.run(1, without=[*rested, "high"])
    assert bench.feed.layers.wanted.names == ("low", "middle", "high")
    assert (high.layer, told[-1]) == ("middle", ("middle", "publisher"))
    assert low.layer == "low"


def test_that_the_wanted_layer_will_not_come_is_told_without_anything_else_happening(bench: Bench) -> None:
    played = stage(bench)
    viewer, _ = played.watch("middle")
    played.run(60)
    played.run(400, without=["high"])
    told: list[str | None] = []
    viewer.on_picture = lambda: told.append(bench.feed.held(viewer, bench.now))
    played.want(viewer, "high")
    assert bench.feed.held(viewer, bench.now) == "switching"
    played.run(90, without=["high"])
    assert told[-1] == "publisher"


def test_a_layer_that_says_goodbye_is_not_the_publisher_that_leaves(bench: Bench) -> None:
    played = stage(bench)
    played.run(3)
    bench.feed.rtcp_received(build([Bye((played.stream.layers["high"].ssrc,))]), bench.now)
    assert not bench.feed.publisher_left


def test_layers_are_told_apart_when_the_names_stop_and_repairs_find_their_own(bench: Bench) -> None:
    played = stage(bench)
    _, low = played.watch("low")
    played.run(20)
    assert {layer.named for layer in played.stream.layers.values()} == {0}
    assert [source.packets for source in bench.feed.layers.sources] == [60, 60, 60]
    low.received()
    packets = played.stream.next_frame()
    lost = packets.pop(1)
    bench.send(*packets)
    bench.send(played.stream.layers["low"].again(lost))
    got = low.received()
    assert [mark_of(payload_of(packet)).part for packet in got] == [0, 2, 1]
    assert layers_in(got) == ["low"]
    assert bench.feed.counters.repeated == 1


def test_a_stream_without_a_name_that_was_agreed_on_is_not_guessed_at(bench: Bench) -> None:
    played = stage(bench)
    for layer in played.stream.layers.values():
        layer.named = 0
    played.run(3)
    assert [source.packets for source in bench.feed.layers.sources] == [0, 0, 0]
    assert bench.feed.counters.unknown == 27
    track = replace(layered_track(), rids=("a", "b"))
    bench.feed.publish([track], bench.publisher, bench.now)
    assert [source.layer for source in bench.feed.layers.sources] == ["low", "high"]
    for layer in played.stream.layers.values():
        layer.named = 6
    played.run(1)
    assert sum(source.packets for source in bench.feed.layers.sources) == 0


def test_repairs_without_a_name_are_left_alone(bench: Bench) -> None:
    track = replace(
        layered_track(), extensions={u: n for u, n in layered_track().extensions.items() if u != REPAIRED_RID}
    )
    played = stage(bench)
    bench.feed.publish([track], bench.publisher, bench.now)
    packets = played.stream.next_frame()
    bench.send(*packets)
    bench.send(played.stream.layers["low"].again(packets[1]))
    assert bench.feed.counters.repeated == 0
    assert bench.feed.counters.unknown == 1


@pytest.mark.parametrize("wanted", ["low", "high"])
def test_viewers_stay_when_publishers_of_three_layers_and_of_one_take_turns(bench: Bench, wanted: Layer) -> None:
    played = stage(bench)
    viewer, outlet = played.watch(wanted)
    played.run(10)
    three = outlet.received()
    assert layers_in(three) == [wanted]
    assert bench.feed.publish([PUBLISHER_VIDEO], bench.publisher, bench.now) == []
    bench.now += 1
    single = VideoStream(50)
    for _ in range(5):
        bench.send(*single.next_frame())
        bench.tick(FRAME)
    one = outlet.received()
    assert len(one) == 20
    played.stream = LayeredStream(2)
    played.begin()
    bench.now += 1
    played.run(10)
    again = outlet.received()
    assert layers_in(again)[-1] == wanted
    numbers = [header_of(packet).sequence for packet in [*three, *one, *again]]
    assert {(two - one) & 0xFFFF for one, two in itertools.pairwise(numbers)} == {1}
    bench.feed.remove_viewer(viewer)
    assert all(not source.branches and not source.expects for source in bench.feed.layers.sources)


def test_a_wish_from_before_the_feed_knew_the_viewer_counts(bench: Bench) -> None:
    played = stage(bench)
    played.run(10)
    outlet = PeerOutlet()
    bench.outlets.append(outlet)
    viewer = Viewer([replace(VIEWER_VIDEO, ssrc=7, rtx_ssrc=8)], outlet)
    bench.feed.want(viewer, "low", bench.now)
    bench.feed.add_viewer(viewer, bench.now)
    played.run(40)
    assert layers_in(outlet.received()) == ["low"]


def test_a_viewer_that_leaves_while_it_waits_leaves_nothing_behind(bench: Bench) -> None:
    played = stage(bench)
    viewer, _ = played.watch()
    played.run(5)
    played.want(viewer, "low")
    assert any(source.expects for source in bench.feed.layers.sources)
    bench.feed.remove_viewer(viewer)
    assert not any(source.expects or source.branches for source in bench.feed.layers.sources)
    played.run(5)


@dataclass
class Kept:
    """A sink that keeps all."""

    packets: list[bytes] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def packet(self, kind: Kind, packet: bytes, arrival_ns: int) -> None:
        self.packets.append(packet)

    def report(self, kind: Kind, ntp: int, rtp_timestamp: int) -> None:
        self.pairs.append((ntp, rtp_timestamp))


@pytest.mark.parametrize("codec", CODECS)
def test_the_recording_follows_the_highest_layer_in_one_line_of_numbers(bench: Bench, codec: CodecName) -> None:
    played = stage(bench, codec)
    sink = Kept()
    bench.feed.sink = sink
    played.run(30, reports=True)
    assert layers_in(sink.packets) == ["high"]
    played.run(60, without=["high"], reports=True)
    played.run(60, reports=True)
    assert layers_in(sink.packets) == ["high", "middle", "high"]
    assert_continuous(sink.packets, codec)
    # The clock pairs lie on the line of the timestamps, whichever layer they came from.
    (first_ntp, first), *others = sink.pairs
    for ntp, timestamp in others:
        expected = (ntp - first_ntp) * 90_000 / (1 << 32)
        assert abs(((timestamp - first) & 0xFFFFFFFF) - expected) <= 3000


def test_the_recordings_numbers_go_on_when_a_publisher_of_one_picture_follows(bench: Bench) -> None:
    played = stage(bench)
    sink = Kept()
    bench.feed.sink = sink
    played.run(30)
    played.run(60, without=["high"])
    assert layers_in(sink.packets) == ["high", "middle"]
    bench.feed.publish([PUBLISHER_VIDEO], bench.publisher, bench.now)
    single = VideoStream(51)
    for _ in range(5):
        bench.send(*single.next_frame())
        bench.tick(FRAME)
    numbers = [header_of(packet).sequence for packet in sink.packets]
    assert {(two - one) & 0xFFFF for one, two in itertools.pairwise(numbers)} == {1}
    assert len({header_of(packet).ssrc for packet in sink.packets}) == 1


def test_a_recording_begins_with_a_lower_layer_where_the_highest_stays_away(bench: Bench) -> None:
    played = stage(bench)
    sink = Kept()
    bench.feed.sink = sink
    played.run(10, without=["high"])
    assert sink.packets == []
    played.run(30, without=["high"])
    assert layers_in(sink.packets) == ["middle"]
    played.run(40)
    assert layers_in(sink.packets) == ["middle", "high"]
    assert_continuous(sink.packets, "VP8")
