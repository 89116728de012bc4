"""A viewer gets a stream that begins on a key frame and never breaks its numbering."""

from __future__ import annotations

import itertools
import struct
from dataclasses import replace

import pytest

from streams.rtp.header import ABS_CAPTURE_TIME, TRANSPORT_CC, build_packet, find_extensions
from streams.sfu.datagrams import TRAILER
from streams.sfu.fanout import WORTH_SENDING, WORTH_WAITING
from streams.sfu.ring import MAX_PACKET
from streams.sfu.track import Codec
from tests.streams.sfu.conftest import PUBLISHER_VIDEO, VIEWER_AUDIO, VIEWER_VIDEO, Bench
from tests.support.outlets import PeerOutlet, header_of, payload_of
from tests.support.stream import VideoStream, mark_of, whole_frames


def sequences(packets: list[bytes]) -> list[int]:
    return [header_of(packet).sequence for packet in packets]


def steps(numbers: list[int], bits: int = 16) -> list[int]:
    return [(later - earlier) % (1 << bits) for earlier, later in itertools.pairwise(numbers)]


def test_each_viewer_gets_the_payload_unchanged_in_its_own_numbering(bench: Bench) -> None:
    stream = VideoStream(1)
    viewers = [bench.watch() for _ in range(5)]
    bench.tick()
    sent = [packet for _ in range(10) for packet in stream.next_frame()]
    bench.send(*sent)
    numberings = set()
    for viewer, outlet in viewers:
        got = outlet.received()
        assert [payload_of(packet) for packet in got] == [payload_of(packet) for packet in sent]
        assert {header_of(p).ssrc for p in got} == {viewer.tracks[0].ssrc}
        assert {header_of(p).payload_type for p in got} == {100}
        assert set(steps(sequences(got))) == {1}
        stamps = [header_of(p).timestamp for p in got]
        assert steps(stamps, 32) == steps([header_of(p).timestamp for p in sent], 32)
        assert [header_of(p).marker for p in got] == [header_of(p).marker for p in sent]
        numberings.add((sequences(got)[0], stamps[0]))
    assert len(numberings) == 5


def test_a_viewer_that_comes_late_starts_on_the_next_key_frame(bench: Bench) -> None:
    stream = VideoStream(2, key_every=10)
    bench.send(*stream.next_frame())
    _, outlet = bench.watch()
    for _ in range(20):
        bench.send(*stream.next_frame())
    got = [mark_of(payload_of(packet)) for packet in outlet.received()]
    assert got[0] == (10, 0, 4)
    assert whole_frames([payload_of(p) for p in outlet.received()]) == set()
    assert got[-1][0] == 20


def test_a_viewer_whose_outlet_opens_later_waits_and_asks_then(bench: Bench) -> None:
    stream = VideoStream(3, key_every=1000)
    bench.send(*stream.next_frame())
    _, outlet = bench.watch(is_open=False)
    bench.send(*stream.next_frame(key=True))
    assert outlet.datagrams() == []
    asked = bench.feed.sources["video"].key_frames.asked
    outlet.set_open(True)
    bench.tick(2)
    assert bench.feed.sources["video"].key_frames.asked == asked + 1
    bench.send(*stream.next_frame(key=True))
    assert len(outlet.received()) == 4


def test_numbers_and_time_go_on_when_another_publisher_takes_the_feed(bench: Bench) -> None:
    first, second = VideoStream(4), VideoStream(5, payload_type=120)
    _, outlet = bench.watch()
    bench.send(*first.next_frame(), *first.next_frame())
    before = outlet.received()
    bench.now += 2.0
    another = PeerOutlet()
    bench.outlets.append(another)
    track = replace(PUBLISHER_VIDEO, codec=Codec("VP8", 90_000, 120, 121))
    assert bench.feed.publish([track], another, bench.now) == []
    bench.send(*second.next_frame(), *second.next_frame())
    after = outlet.received()
    assert len(after) == 8
    joined = sequences([before[-1], after[0]])
    assert steps(joined) == [1]
    assert steps([header_of(before[-1]).timestamp, header_of(after[0]).timestamp], 32) == [180_000]
    assert {header_of(packet).payload_type for packet in after} == {100}
    assert next(payload_of(p) for p in after) == payload_of(VideoStream(5, payload_type=120).next_frame()[0])


def test_viewers_of_a_codec_that_is_gone_must_be_ended(bench: Bench) -> None:
    viewer, _ = bench.watch()
    track = replace(PUBLISHER_VIDEO, codec=Codec("H264", 90_000, 102, 103))
    assert bench.feed.publish([track], bench.publisher, bench.now) == [viewer]
    assert bench.feed.viewers == []


def test_a_viewer_that_left_gets_nothing_more(bench: Bench) -> None:
    stream = VideoStream(6)
    staying, leaving = bench.watch(), bench.watch()
    bench.send(*stream.next_frame())
    bench.feed.remove_viewer(leaving[0])
    assert len(leaving[1].received()) == 4
    bench.send(*stream.next_frame())
    assert leaving[1].datagrams() == []
    assert len(staying[1].received()) == 8


def test_a_viewer_that_moved_is_followed(bench: Bench) -> None:
    stream = VideoStream(7)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    before = outlet.received()
    outlet.move()
    bench.send(*stream.next_frame())
    after = outlet.received()
    assert set(steps(sequences(before + after))) == {1}
    assert len(after) == 4


def test_an_outlet_that_closed_is_left_out_and_taken_in_again(bench: Bench) -> None:
    stream = VideoStream(8)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    outlet.set_open(False)
    bench.send(*stream.next_frame())
    outlet.set_open(True)
    bench.send(*stream.next_frame())
    assert [mark_of(payload_of(packet))[0] for packet in outlet.received()] == [0] * 4 + [2] * 4


def test_packets_of_unequal_size_arrive_whole(bench: Bench) -> None:
    _, outlet = bench.watch()
    sizes = [400, 400, 400, 123, 700, 700, 64, 65, 64, 64, 1200, 12, 900]
    stream = VideoStream(9, parts=1)
    sent = []
    for size in sizes:
        stream.size = size
        sent += stream.next_frame(key=size == 400)
    bench.send(*sent)
    assert [payload_of(p) for p in outlet.received()] == [payload_of(p) for p in sent]


@pytest.mark.parametrize("way", ["one by one", "without segmentation"])
def test_older_kernels_get_the_same_packets(bench: Bench, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.forwarder, "segmentation", False)
    sizes: list[int] = []
    if way == "one by one":  # of the native loop the same as the other
        monkeypatch.setattr(bench.forwarder, "_sendmmsg", None)
    stream = VideoStream(10)
    outlets = [bench.watch()[1] for _ in range(3)]
    first = stream.next_frame()
    bench.send(*first)
    copies = bench.feed.sources["video"].fan_out._copies
    send = copies.send

    def counted(count: int, sent_at: float) -> None:
        sizes.append(count)
        send(count, sent_at)

    monkeypatch.setattr(copies, "send", counted)
    sent = stream.next_frame() + stream.next_frame()
    bench.send(*sent)
    for outlet in outlets:
        assert [payload_of(p) for p in outlet.received()] == [payload_of(p) for p in first + sent]
    assert sizes == [1] * len(sent)


@pytest.mark.parametrize("loops", ["python"], indirect=True)
def test_a_full_socket_drops_and_counts_and_never_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        from streams.sfu.datagrams import ffi

        ffi.errno = 11
        return -1

    stream = VideoStream(11)
    bench.watch()
    bench.watch()
    monkeypatch.setattr(bench.forwarder, "_sendmmsg", full)
    bench.send(*stream.next_frame())
    assert bench.forwarder.counters.dropped == 8
    assert bench.forwarder.counters.packets == 0


def test_what_the_kernel_refuses_is_counted_and_the_next_frame_goes_out(bench: Bench) -> None:
    stream = VideoStream(11)
    _, nowhere = bench.watch()
    _, outlet = bench.watch()
    # The kernel sends nothing to port 0.
    nowhere.address = ("127.0.0.1", 0)
    nowhere.address_version += 1
    nowhere.on_change()
    bench.send(*stream.next_frame())
    bench.send(*stream.next_frame())
    assert len(outlet.received()) == 8
    assert (bench.forwarder.counters.packets, bench.forwarder.counters.errors) == (8, 8)


def test_transport_wide_numbers_run_through_picture_sound_and_repeats(bench: Bench) -> None:
    extensions = {TRANSPORT_CC: 5}
    video = replace(VIEWER_VIDEO, extensions=extensions, transport_cc=True)
    audio = replace(VIEWER_AUDIO, extensions=extensions, transport_cc=True)
    viewer, outlet = bench.watch(video, audio)
    stream = VideoStream(12)
    sound = build_packet(payload_type=111, sequence=9, timestamp=9, ssrc=77, payload=b"sound")
    bench.send(*stream.next_frame(transport_id=3), sound)
    got = outlet.received()
    assert len(got) == 5
    numbers = []
    for packet in got:
        for number, start, _ in find_extensions(header_of(packet), packet):
            assert number == 5
            numbers.append(struct.unpack_from("!H", packet, start)[0])
    # Sound has no retransmission stream here; since it is never repeated, it may have numbers all the same.
    assert numbers == [1, 2, 3, 4, 5]
    assert viewer.trail.number == 5


def test_capture_time_is_passed_on_under_the_viewers_number(bench: Bench) -> None:
    track = replace(PUBLISHER_VIDEO, extensions={ABS_CAPTURE_TIME: 7, TRANSPORT_CC: 3})
    bench.feed.publish([track], bench.publisher, bench.now)
    _, with_it = bench.watch(replace(VIEWER_VIDEO, extensions={ABS_CAPTURE_TIME: 2}))
    _, without = bench.watch()
    value = bytes(range(8))
    packet = build_packet(
        payload_type=96,
        sequence=1,
        timestamp=2,
        ssrc=3,
        payload=VideoStream(13).next_frame()[0][12:],
        extensions=[(7, value), (3, b"\0\1")],
    )
    bench.send(packet)
    (got,) = with_it.received()
    assert [(number, got[at : at + size]) for number, at, size in find_extensions(header_of(got), got)] == [(2, value)]
    (plain,) = without.received()
    assert header_of(plain).extension_profile == 0
    assert payload_of(plain) == payload_of(got)


def test_delays_are_counted_packet_by_packet(bench: Bench) -> None:
    bench.watch()
    for packet in VideoStream(14, parts=WORTH_SENDING - 1).next_frame():
        buffer = bytearray(packet)
        bench.feed.rtp_received(buffer, len(buffer), bench.now)
    bench.now += 0.004
    bench.forwarder.flush()
    assert bench.forwarder.delays.total == WORTH_SENDING - 1
    assert bench.forwarder.delays.quantile(0.5) == 0.005


def test_a_frame_of_many_packets_goes_out_at_its_end_and_waits_for_nothing(bench: Bench) -> None:
    _, outlet = bench.watch()
    bench.tick()
    packets = VideoStream(15, parts=WORTH_SENDING).next_frame()
    for number, packet in enumerate(packets, 1):
        buffer = bytearray(packet)
        bench.feed.rtp_received(buffer, len(buffer), bench.now)
        assert len(outlet.datagrams()) == (len(packets) if number == len(packets) else 0)


@pytest.mark.parametrize("size", [1300, MAX_PACKET])
def test_the_longest_packets_reach_a_viewer_that_wants_numbers_of_its_own(bench: Bench, size: int) -> None:
    viewer = replace(VIEWER_VIDEO, extensions={TRANSPORT_CC: 5}, transport_cc=True)
    _, outlet = bench.watch(viewer)
    stream = VideoStream(10, parts=2)
    (longest, *_) = stream.next_frame(key=True)
    packet = longest + bytes(size - len(longest))
    bench.send(packet)
    bench.forwarder.flush()
    # Longer than what a test's own peer would open.
    (got,) = outlet.datagrams()
    assert size + 8 < len(got) <= size + 8 + TRAILER
    assert bench.forwarder.counters.errors == 0
    assert bench.feed.counters.packets == 1


@pytest.mark.parametrize(("watchers", "waits"), [(WORTH_WAITING, True), (WORTH_WAITING - 1, False)])
def test_a_frame_in_part_that_many_watch_awaits_the_rest_but_neither_a_whole_one_nor_sound_does(
    bench: Bench, watchers: int, waits: bool
) -> None:
    stream = VideoStream(9, parts=4)
    sound = build_packet(payload_type=111, sequence=1, timestamp=1, ssrc=5, payload=b"opus")
    for _ in range(watchers):
        bench.watch(VIEWER_VIDEO, VIEWER_AUDIO)
    bench.tick()
    bench.send(*stream.next_frame(key=True))

    def take(packet: bytes) -> bool:
        bench.take(packet)
        return bench.forwarder.awaits_more

    assert [take(packet) for packet in stream.next_frame()] == [waits, waits, waits, False]
    bench.forwarder.flush()
    assert not take(sound)
    bench.forwarder.flush()
    assert not bench.forwarder.awaits_more
