"""What is lost on either side is asked for, sent again, and never asked for or sent too much."""

from __future__ import annotations

import random
from dataclasses import replace

from streams.rtp.header import ABS_CAPTURE_TIME, build_packet
from streams.rtp.rtcp import FullIntraRequest, Nack, PictureLoss, ReceiverReport, build
from streams.rtp.rtx import encapsulate
from streams.rtp.transport_feedback import TransportFeedback
from streams.sfu.branch import REPEATS_AT_ONCE
from streams.sfu.source import RING_SIZE
from streams.sfu.track import Codec, Kind
from tests.streams.sfu.conftest import PUBLISHER_VIDEO, VIEWER_VIDEO, Bench
from tests.support.outlets import header_of, payload_of
from tests.support.stream import VideoStream, whole_frames


def as_rtx(packet: bytes, sequence: int, ssrc: int = 4242) -> bytes:
    return bytes(encapsulate(packet, header_size=12, payload_type=97, sequence=sequence, ssrc=ssrc))


def original(packet: bytes) -> tuple[int, bytes]:
    """The number and payload that a retransmission repeats."""
    payload = payload_of(packet)
    return int.from_bytes(payload[:2], "big"), payload[2:]


def test_what_a_later_key_frame_mended_is_no_reason_to_ask_for_another(bench: Bench) -> None:
    stream = VideoStream(23, parts=1)
    bench.watch()
    bench.send(*stream.next_frame(key=True))
    bench.tick(2)
    bench.publisher.reports.clear()
    stream.next_frame()  # is lost for good
    for turn in range(90):
        bench.send(*stream.next_frame(key=turn == 5))
        bench.tick(1 / 30)
    assert bench.feed.counters.beyond_repair == 1
    assert not any(isinstance(report, PictureLoss) for report in bench.publisher.reports)


def test_five_percent_lost_to_a_viewer_come_again_on_the_retransmission_stream(bench: Bench) -> None:
    chance = random.Random(20)
    stream = VideoStream(20)
    viewer, outlet = bench.watch()
    track = viewer.tracks[0]
    payloads, lost, recovered = [], set(), set()
    for _ in range(100):
        bench.send(*stream.next_frame())
        bench.tick()
        missing = []
        for packet in outlet.received():
            header = header_of(packet)
            if header.ssrc == track.rtx_ssrc:
                assert header.payload_type == 101
                number, payload = original(packet)
                recovered.add(number)
                payloads.append(payload)
            elif chance.random() < 0.05:
                missing.append(header.sequence)
            else:
                payloads.append(payload_of(packet))
        lost |= set(missing)
        if missing and track.ssrc is not None:
            viewer.rtcp_received(bytes(Nack(1, track.ssrc, tuple(missing))), bench.now)
    payloads += [original(packet)[1] for packet in outlet.received()]
    assert len(lost) > 10
    assert recovered <= lost
    assert whole_frames(payloads) == set(range(100))
    assert viewer.repeated == len(lost)


def test_without_a_retransmission_stream_the_same_packet_comes_again_to_the_bit(bench: Bench) -> None:
    track = replace(VIEWER_VIDEO, codec=Codec("VP8", 90_000, 100))
    viewer, outlet = bench.watch(track)
    bench.send(*VideoStream(21).next_frame())
    sealed = outlet.datagrams()
    wanted = header_of(sealed[2]).sequence
    viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, (wanted,))), bench.now)
    assert outlet.datagrams() == [sealed[2]]


def test_repeats_are_limited_in_rate(bench: Bench) -> None:
    viewer, outlet = bench.watch()
    stream = VideoStream(22)
    for _ in range(150):
        bench.send(*stream.next_frame())
    first = header_of(outlet.received()[0]).sequence
    wanted = tuple((first + step) & 0xFFFF for step in range(500))
    for _ in range(5):
        viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, wanted)), bench.now)
    assert viewer.repeated == REPEATS_AT_ONCE
    assert len(outlet.received()) == REPEATS_AT_ONCE


def test_what_left_the_ring_or_never_was_is_refused(bench: Bench) -> None:
    viewer, outlet = bench.watch()
    stream = VideoStream(23)
    for _ in range(RING_SIZE["video"] // stream.parts + 1):
        bench.send(*stream.next_frame())
    got = outlet.received()
    newest = header_of(got[-1]).sequence
    wanted = (header_of(got[0]).sequence, (newest + 5) & 0xFFFF, (newest - 30000) & 0xFFFF)
    viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, wanted)), bench.now)
    assert outlet.datagrams() == []
    (branch,) = viewer.branches.values()
    assert branch.refused == 3


def test_a_packet_from_before_the_viewers_start_is_not_given_to_it(bench: Bench) -> None:
    stream = VideoStream(24, key_every=2)
    bench.send(*stream.next_frame(), *stream.next_frame())
    viewer, outlet = bench.watch()
    bench.send(*stream.next_frame())
    first = header_of(outlet.received()[0]).sequence
    viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, ((first - 1) & 0xFFFF,))), bench.now)
    assert outlet.datagrams() == []


def test_a_gap_is_asked_for_at_once_again_and_not_for_ever(bench: Bench) -> None:
    stream = VideoStream(25)
    packets = stream.next_frame()
    bench.send(packets[0], packets[2], packets[3])
    wanted = header_of(packets[1]).sequence
    asked = [report for report in bench.publisher.reports if isinstance(report, Nack)]
    assert [report.lost for report in asked] == [(wanted,)]
    assert asked[0].media_ssrc == stream.ssrc
    for _ in range(100):
        bench.tick(0.02)
    asked = [report for report in bench.publisher.reports if isinstance(report, Nack)]
    assert len(asked) == 10
    assert any(isinstance(report, PictureLoss) for report in bench.publisher.reports)


def test_what_the_publisher_repeats_reaches_viewers_once_in_its_own_place(bench: Bench) -> None:
    stream = VideoStream(26)
    _, outlet = bench.watch()
    packets = stream.next_frame()
    bench.send(packets[0], packets[2], packets[3])
    repeated = as_rtx(packets[1], 7)
    bench.send(repeated, as_rtx(packets[1], 8), packets[2])
    got = outlet.received()
    order = [header_of(packet).sequence for packet in got]
    assert [(number - order[0]) & 0xFFFF for number in order] == [0, 2, 3, 1]
    assert payload_of(got[3]) == payload_of(packets[1])
    assert bench.feed.sources["video"].duplicates == 2
    bench.tick()
    assert [report.lost for report in bench.publisher.reports if isinstance(report, Nack)] == [
        (header_of(packets[1]).sequence,)
    ]


def test_a_late_first_packet_of_a_key_frame_still_starts_a_viewer_with_all_that_followed(bench: Bench) -> None:
    stream = VideoStream(27, key_every=1000)
    bench.send(*stream.next_frame())
    _, outlet = bench.watch()
    packets = stream.next_frame(key=True)
    bench.send(*packets[1:], *stream.next_frame())
    assert outlet.datagrams() == []
    bench.send(packets[0])
    assert whole_frames([payload_of(packet) for packet in outlet.received()]) == {1, 2}


def test_probing_padding_reaches_nobody_and_breaks_nothing(bench: Bench) -> None:
    stream = VideoStream(28)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    probe = build_packet(payload_type=97, sequence=1, timestamp=0, ssrc=4242, payload=b"", padding=200)
    bench.send(probe)
    bench.send(*stream.next_frame())
    assert len(outlet.received()) == 8
    assert bench.feed.counters.padding == 1


def test_padding_on_the_media_stream_keeps_the_numbering_whole_but_not_the_padding(bench: Bench) -> None:
    stream = VideoStream(29)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    padded = build_packet(
        payload_type=96, sequence=stream.sequence, timestamp=1, ssrc=stream.ssrc, payload=b"", padding=255
    )
    stream.sequence = (stream.sequence + 1) & 0xFFFF
    bench.send(padded, *stream.next_frame())
    got = outlet.received()
    numbers = [header_of(packet).sequence for packet in got]
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == list(range(9))
    assert len(got[4]) == 12


def test_one_key_frame_request_a_second_reaches_the_publisher_whatever_viewers_ask(bench: Bench) -> None:
    stream = VideoStream(30, key_every=100_000)
    viewers = [bench.watch()[0] for _ in range(10)]
    bench.send(*stream.next_frame())
    start = bench.now
    bench.publisher.reports.clear()
    command = 0
    while bench.now < start + 10:
        for viewer in viewers:
            command = (command + 1) & 0xFF
            ssrc = viewer.tracks[0].ssrc or 0
            asks = [PictureLoss(1, ssrc), FullIntraRequest(1, ((ssrc, command),))]
            viewer.rtcp_received(build([ReceiverReport(1), *asks]), bench.now)
        bench.send(*stream.next_frame())
        bench.tick(0.02)
    asked = sum(isinstance(report, PictureLoss) for report in bench.publisher.reports)
    assert 9 <= asked <= 11


def test_a_request_is_repeated_until_a_key_frame_begins(bench: Bench) -> None:
    stream = VideoStream(31, key_every=100_000)
    bench.send(*stream.next_frame())
    viewer, _ = bench.watch()
    viewer.rtcp_received(bytes(PictureLoss(1, viewer.tracks[0].ssrc or 0)), bench.now)

    def asked_within(seconds: float) -> int:
        bench.publisher.reports.clear()
        for _ in range(round(seconds / 0.02)):
            bench.tick(0.02)
        return sum(isinstance(report, PictureLoss) for report in bench.publisher.reports)

    assert asked_within(3.5) >= 3
    bench.send(*stream.next_frame(key=True))
    assert asked_within(3.5) == 0


def test_a_request_names_the_stream_that_the_publisher_sends(bench: Bench) -> None:
    stream = VideoStream(32)
    bench.send(*stream.next_frame()[1:])
    bench.watch()
    bench.tick()
    (asked,) = [report for report in bench.publisher.reports if isinstance(report, PictureLoss)]
    assert asked.media_ssrc == stream.ssrc


def test_transport_feedback_tells_each_arrival_and_each_loss(bench: Bench) -> None:
    stream = VideoStream(33, parts=2)
    first = stream.transport_sequence
    for frame in range(30):
        packets = stream.next_frame(transport_id=3)
        bench.send(*(packets[:1] if frame % 10 == 5 else packets))
        bench.tick(0.02)
    told: dict[int, bool] = {}
    reports = [report for report in bench.publisher.reports if isinstance(report, TransportFeedback)]
    for report in reports:
        for step, arrival in enumerate(report.arrivals):
            number = (report.base_sequence + step) & 0xFFFF
            told[number] = told.get(number, False) or arrival is not None
    expected = {(first + step) & 0xFFFF: step % 20 != 11 for step in range(60)}
    assert {number: told.get(number) for number in list(expected)[:56]} == dict(list(expected.items())[:56])
    assert [report.count for report in reports] == list(range(len(reports)))
    assert 8 <= len(reports) <= 13


def test_the_ring_and_every_table_keep_their_bound(bench: Bench) -> None:
    chance = random.Random(34)
    viewer, _ = bench.watch()
    for step in range(5000):
        ssrc = chance.getrandbits(32)
        bench.send(build_packet(payload_type=96, sequence=step * 7, timestamp=step, ssrc=ssrc, payload=b"\x00x"))
    assert len(bench.feed._inlets.all()) <= 16
    stream = VideoStream(35)
    bench.now += 2
    for step in range(2000):
        stream.sequence = (stream.sequence + chance.randrange(1, 40)) & 0xFFFF
        bench.send(*stream.next_frame(transport_id=3))
        if step % 10 == 0:
            bench.tick(0.02)
    assert bench.feed.upstream.arrivals is not None
    assert len(bench.feed.upstream.arrivals._ticks) <= 8192
    assert all(inlet.losses is None or len(inlet.losses) <= 512 for inlet in bench.feed._inlets.all())
    kinds: list[Kind] = ["video", "audio"]
    assert [bench.feed.sources[kind].ring.size for kind in kinds] == [1024, 128]
    for _ in range(3):
        viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, tuple(range(0, 60000, 60)))), bench.now)
    (branch,) = viewer.branches.values()
    assert len(branch._repeated) <= 512


def test_a_second_stream_of_the_same_track_does_not_disturb_the_first(bench: Bench) -> None:
    one, other = VideoStream(36), VideoStream(37)
    _, outlet = bench.watch()
    for _ in range(5):
        bench.send(*one.next_frame(), *other.next_frame())
        bench.tick(0.03)
    got = [payload_of(packet) for packet in outlet.received()]
    assert got == [payload_of(p) for stream in [VideoStream(36)] for _ in range(5) for p in stream.next_frame()]
    assert bench.feed.counters.unknown == 20


def test_a_publisher_that_starts_its_numbers_over_is_followed(bench: Bench) -> None:
    stream = VideoStream(38)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    stream.sequence = (stream.sequence + 20_000) & 0xFFFF
    bench.send(*stream.next_frame(key=True), *stream.next_frame(key=True))
    numbers = [header_of(packet).sequence for packet in outlet.received()]
    # The packet that made the jump is only believed with its successor.
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == list(range(11))


def test_garbage_from_a_publisher_is_counted_and_harmless(bench: Bench) -> None:
    chance = random.Random(39)
    stream = VideoStream(39)
    _, outlet = bench.watch()
    for _ in range(3000):
        bench.send(chance.randbytes(chance.randrange(0, 1600)))
        bench.feed.rtcp_received(chance.randbytes(chance.randrange(0, 200)), bench.now)
    bench.now += 1
    bench.send(*stream.next_frame())
    assert whole_frames([payload_of(packet) for packet in outlet.received()][-4:]) == {0}


def test_the_publisher_is_used_whether_or_not_its_extension_changes(bench: Bench) -> None:
    bench.feed.publish([replace(PUBLISHER_VIDEO, extensions={}, transport_cc=False)], bench.publisher, bench.now)
    _, outlet = bench.watch()
    bench.send(*VideoStream(40).next_frame(transport_id=3))
    bench.tick(1)
    assert len(outlet.received()) == 4
    assert not any(isinstance(report, TransportFeedback) for report in bench.publisher.reports)


def test_a_payload_type_that_was_not_negotiated_reaches_nobody(bench: Bench) -> None:
    stream = VideoStream(41)
    _, outlet = bench.watch()
    bench.send(*stream.next_frame())
    stream.payload_type = 120
    bench.send(*stream.next_frame())
    assert len(outlet.received()) == 4
    assert bench.feed.counters.unknown == 4


def test_viewers_that_come_and_go_leave_nothing_behind(bench: Bench) -> None:
    stream = VideoStream(42, key_every=1)
    staying, outlet = bench.watch()
    for _ in range(200):
        viewer, passing = bench.watch()
        bench.send(*stream.next_frame())
        assert len(passing.received()) == 4
        bench.feed.remove_viewer(viewer)
        passing.close()
        bench.outlets.remove(passing)
    source = bench.feed.sources["video"]
    assert bench.feed.viewers == [staying]
    assert [branch.viewer for branch in source.branches] == [staying]
    assert len(source._arranged) == source.fan_out._copies.viewers == 1
    assert len(outlet.received()) == 800


def test_a_former_publishers_packets_are_not_sealed_again_in_another_form(bench: Bench) -> None:
    first, second = VideoStream(43), VideoStream(44)
    viewer, outlet = bench.watch()
    bench.send(*first.next_frame())
    wanted = header_of(outlet.received()[0]).sequence
    another = replace(PUBLISHER_VIDEO, extensions={ABS_CAPTURE_TIME: 3}, transport_cc=False)
    bench.feed.publish([another], bench.publisher, bench.now)
    bench.send(*second.next_frame())
    outlet.received()
    for sequence in (wanted, (wanted + 4) & 0xFFFF):
        viewer.rtcp_received(bytes(Nack(1, viewer.tracks[0].ssrc or 0, (sequence,))), bench.now)
    assert [original(packet)[0] for packet in outlet.received()] == [(wanted + 4) & 0xFFFF]


def test_after_an_outage_of_the_publisher_a_key_frame_is_asked_for_and_no_packet(bench: Bench) -> None:
    stream = VideoStream(43)
    bench.watch()
    bench.send(*stream.next_frame())
    bench.tick()
    for _ in range(80):  # 320 packets
        stream.next_frame()
    bench.tick(2)
    bench.publisher.reports.clear()
    bench.send(*stream.next_frame())
    bench.tick()
    assert not [r for r in bench.publisher.reports if isinstance(r, Nack)]
    assert [r for r in bench.publisher.reports if isinstance(r, PictureLoss)] == [
        PictureLoss(bench.feed._ssrc, stream.ssrc)
    ]


def test_an_outage_that_ends_with_a_key_frame_needs_no_other(bench: Bench) -> None:
    stream = VideoStream(44)
    bench.watch()
    bench.send(*stream.next_frame())
    bench.tick()
    for _ in range(80):
        stream.next_frame()
    bench.tick(2)
    bench.publisher.reports.clear()
    bench.send(*stream.next_frame(key=True))
    bench.tick()
    assert not [r for r in bench.publisher.reports if isinstance(r, PictureLoss)]
