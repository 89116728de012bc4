"""Reports let players keep lips and voices together, and tell each side how it goes."""

from __future__ import annotations

from fractions import Fraction

from streams.rtp.header import build_packet
from streams.rtp.rtcp import ReceiverReport, ReportBlock, SenderReport, SourceDescription
from tests.streams.sfu.conftest import VIEWER_AUDIO, VIEWER_VIDEO, Bench
from tests.support.outlets import PeerOutlet, header_of
from tests.support.stream import VideoStream

NTP = 3_900_000_000 << 32 | 0x40000000


def sound(sequence: int, timestamp: int) -> bytes:
    return build_packet(payload_type=111, sequence=sequence, timestamp=timestamp, ssrc=77, payload=b"sound")


def sender_reports(outlet: PeerOutlet, ssrc: int | None) -> list[SenderReport]:
    return [r for r in outlet.reports if isinstance(r, SenderReport) and r.ssrc == ssrc]


def test_the_publishers_clock_is_told_in_each_viewers_numbers_exactly(bench: Bench) -> None:
    stream = VideoStream(50)
    picture_at, sound_at = stream.timestamp, 123_456
    viewer, outlet = bench.watch(VIEWER_VIDEO, VIEWER_AUDIO)
    bench.send(*stream.next_frame(), sound(5, sound_at))
    got = {header_of(packet).ssrc: header_of(packet).timestamp for packet in outlet.received()}
    video, audio = (track.ssrc or 0 for track in viewer.tracks)
    bench.feed.rtcp_received(bytes(SenderReport(stream.ssrc, NTP, picture_at)), bench.now)
    bench.feed.rtcp_received(bytes(SenderReport(77, NTP + 1000, sound_at)), bench.now)
    for _ in range(200):
        bench.tick(0.0213)
    for ssrc, rate, base in ((video, 90_000, NTP), (audio, 48_000, NTP + 1000)):
        reports = sender_reports(outlet, ssrc)
        assert 4 <= len(reports) <= 6
        for report in reports:
            ticks = (report.rtp_timestamp - got[ssrc]) & 0xFFFFFFFF
            assert ticks < 10 * rate
            error = Fraction(report.ntp - base) - Fraction(ticks << 32, rate)
            assert abs(error) <= 1
    assert sender_reports(outlet, video)[-1].ntp > NTP + (3 << 32)


def test_both_lines_of_a_viewer_share_one_name(bench: Bench) -> None:
    stream = VideoStream(51)
    _, outlet = bench.watch(VIEWER_VIDEO, VIEWER_AUDIO)
    bench.send(*stream.next_frame(), sound(1, 1))
    for ssrc in (stream.ssrc, 77):
        bench.feed.rtcp_received(bytes(SenderReport(ssrc, NTP, 1)), bench.now)
    bench.tick()
    names = {report.cname for report in outlet.reports if isinstance(report, SourceDescription)}
    assert len(names) == 1
    assert len({r.ssrc for r in outlet.reports if isinstance(r, SourceDescription)}) == 2


def test_no_report_is_made_up_before_the_publisher_reports(bench: Bench) -> None:
    _, outlet = bench.watch()
    bench.send(*VideoStream(52).next_frame())
    for _ in range(200):
        bench.tick()
    assert outlet.reports == []


def test_counts_in_a_report_are_of_what_that_viewer_was_sent(bench: Bench) -> None:
    stream = VideoStream(53, key_every=3)
    bench.send(*stream.next_frame(), *stream.next_frame(), *stream.next_frame())
    viewer, outlet = bench.watch()
    bench.send(*stream.next_frame(), *stream.next_frame())
    got = outlet.received()
    bench.feed.rtcp_received(bytes(SenderReport(stream.ssrc, NTP, 0)), bench.now)
    bench.tick()
    (report,) = sender_reports(outlet, viewer.tracks[0].ssrc)
    assert report.packet_count == len(got) == 8
    assert report.octet_count == sum(len(packet) - 12 for packet in got)


def test_a_viewers_report_gives_its_loss_and_its_round_trip(bench: Bench) -> None:
    stream = VideoStream(54)
    viewer, outlet = bench.watch()
    bench.send(*stream.next_frame())
    bench.feed.rtcp_received(bytes(SenderReport(stream.ssrc, NTP, 0)), bench.now)
    bench.tick()
    ssrc = viewer.tracks[0].ssrc or 0
    (report,) = sender_reports(outlet, ssrc)
    bench.now += 0.25
    block = ReportBlock(ssrc, 64, 12, 0, 900, report.ntp >> 16 & 0xFFFFFFFF, int(0.2 * 65536))
    viewer.rtcp_received(bytes(ReceiverReport(1, (block,))), bench.now)
    (branch,) = viewer.branches.values()
    assert (branch.fraction_lost, branch.packets_lost, branch.jitter_seconds) == (0.25, 12, 0.01)
    assert viewer.rtt_seconds is not None
    assert abs(viewer.rtt_seconds - 0.05) < 0.001


def test_the_publisher_is_told_once_a_second_what_arrived(bench: Bench) -> None:
    stream = VideoStream(55)
    lost = 0
    for frame in range(150):
        for part, packet in enumerate(stream.next_frame()):
            if frame and frame % 5 == 0 and part == 1:
                lost += 1
            else:
                bench.send(packet)
        if frame == 10:
            bench.feed.rtcp_received(bytes(SenderReport(stream.ssrc, NTP, 0)), bench.now)
        bench.tick(1 / 30)
    bench.tick(1)
    blocks = [r.blocks[0] for r in bench.publisher.reports if isinstance(r, ReceiverReport) and r.blocks]
    assert 5 <= len(blocks) <= 7
    assert blocks[-1].ssrc == stream.ssrc
    assert blocks[-1].packets_lost == lost
    assert 0 < blocks[-2].fraction_lost < 26
    assert blocks[-1].last_report == NTP >> 16 & 0xFFFFFFFF
    assert blocks[-1].delay_since_report > 3 * 65536


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.packets: list[tuple[str, bytes, int]] = []
        self.reports: list[tuple[str, int, int]] = []

    def packet(self, kind: str, packet: bytes, arrival_ns: int) -> None:
        self.packets.append((kind, packet, arrival_ns))

    def report(self, kind: str, ntp: int, rtp_timestamp: int) -> None:
        self.reports.append((kind, ntp, rtp_timestamp))


def test_the_sink_gets_every_packet_once_with_the_publishers_clock(bench: Bench) -> None:
    stream = VideoStream(56)
    picture_at = stream.timestamp
    kept = Kept()
    bench.feed.sink = kept
    packets = stream.next_frame()
    bench.send(*packets, packets[1], sound(3, 3))
    bench.feed.rtcp_received(bytes(SenderReport(stream.ssrc, NTP, picture_at)), bench.now)
    assert [kind for kind, _, _ in kept.packets] == ["video"] * 4 + ["audio"]
    assert {at for _, _, at in kept.packets} == {int(bench.now * 1e9)}
    assert kept.reports == [("video", NTP, header_of(kept.packets[0][1]).timestamp)]


def test_the_age_of_the_picture_is_that_of_the_last_whole_frame(bench: Bench) -> None:
    stream = VideoStream(57)
    assert bench.feed.last_frame_at is None
    packets = stream.next_frame()
    bench.send(*packets[:-1])
    assert bench.feed.last_frame_at is None
    bench.now += 1
    bench.send(packets[-1])
    assert bench.feed.last_frame_at == bench.now
    whole = bench.now
    bench.now += 5
    bench.send(sound(1, 1))
    assert bench.feed.last_frame_at == whole
