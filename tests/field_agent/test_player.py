"""The player keeps a camera's promises: unbroken numbers, reports, repairs, and a key frame when one is asked for."""

from __future__ import annotations

import itertools
import random
import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket, RtpPacket, unwrap_rtx

from field_agent.agent import player as player_module
from field_agent.agent.clips import SECONDS, Clip
from field_agent.agent.description import Outgoing, plan
from field_agent.agent.player import Player, Score
from field_agent.agent.reports import KeyFrameWanted, Lost, feedback

NACK, PLI = 1, 1


class Wire:
    """Notes what a player sends."""

    def __init__(self, score: Score, media: tuple[Outgoing, ...]) -> None:
        self.media = media
        self.raw: list[bytes] = []
        self.reports: list[bytes] = []
        self.player = Player(score, media, self.raw.append, self.reports.append, random.Random(1))

    @property
    def video_ssrc(self) -> int:
        return self.media[1].ssrc

    def packets(self, kind: str) -> list[RtpPacket]:
        ssrc = next(one.ssrc for one in self.media if one.kind == kind)
        return [packet for packet in map(RtpPacket.parse, self.raw) if packet.ssrc == ssrc]

    def play(self, start: float, end: float, step: float = 0.02) -> None:
        now = start
        while now < end:
            self.player.advance(now)
            now += step


@pytest.fixture(scope="session")
def score(h264: Clip) -> Score:
    return Score.of(h264)


def test_numbers_and_times_go_on_unbroken_over_the_loop(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, SECONDS + 3.0)
    for kind, clock in (("audio", 48_000), ("video", 90_000)):
        packets = wire.packets(kind)
        steps = {(other.sequence_number - one.sequence_number) & 0xFFFF for one, other in itertools.pairwise(packets)}
        assert steps == {1}
        times = [packet.timestamp for packet in packets]
        forward = [(other - one) & 0xFFFFFFFF for one, other in itertools.pairwise(times)]
        assert max(forward) <= clock // 10
        assert sum(forward) / clock == pytest.approx(SECONDS + 3.0, abs=0.1)
    last_of_frame = [packet.marker for packet in wire.packets("video")]
    assert sum(last_of_frame) == pytest.approx((SECONDS + 3) * 15, abs=2)


def test_vp8_picture_ids_count_on_over_the_loop(vp8: Clip) -> None:
    wire = Wire(Score.of(vp8), plan("VP8"))
    wire.play(0.0, SECONDS + 1.0)
    ids = [struct.unpack("!H", packet.payload[2:4])[0] & 0x7FFF for packet in wire.packets("video") if packet.marker]
    assert {(other - one) & 0x7FFF for one, other in itertools.pairwise(ids)} == {1}


def test_a_lost_packet_is_sent_again_as_rtx(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, 1.0)
    lost = wire.packets("video")[3:6]
    wire.raw.clear()
    numbers = [packet.sequence_number for packet in lost]
    wire.player.report_received(bytes(RtcpRtpfbPacket(fmt=NACK, ssrc=1, media_ssrc=wire.video_ssrc, lost=numbers)))
    repaired = [RtpPacket.parse(raw) for raw in wire.raw]
    assert {packet.ssrc for packet in repaired} == {wire.media[1].rtx_ssrc}
    again = [unwrap_rtx(packet, wire.media[1].payload_type, wire.video_ssrc) for packet in repaired]
    assert [packet.sequence_number for packet in again] == numbers
    assert [packet.payload for packet in again] == [packet.payload for packet in lost]
    assert wire.player.repaired == 3


def test_what_left_the_ring_is_not_sent_again(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, 10.0)
    old = wire.packets("video")[0].sequence_number
    wire.raw.clear()
    wire.player.report_received(bytes(RtcpRtpfbPacket(fmt=NACK, ssrc=1, media_ssrc=wire.video_ssrc, lost=[old])))
    assert wire.raw == []


def test_a_key_frame_that_is_asked_for_comes_with_the_next_frame(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, 2.5)
    before = wire.packets("video")[-1].timestamp
    wire.raw.clear()
    wire.player.report_received(bytes(RtcpPsfbPacket(fmt=PLI, ssrc=1, media_ssrc=wire.video_ssrc)))
    wire.play(2.5, 2.6)
    first = wire.packets("video")[0]
    # A STAP-A that opens with the sequence parameter set begins a key frame.
    assert first.payload[0] & 31 == 24
    assert first.payload[3] & 31 == 7
    assert 0 < (first.timestamp - before) & 0xFFFFFFFF <= 9_000
    assert wire.player.key_frames_given == 1


def test_many_wishes_for_a_key_frame_give_one_a_second(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    now = 0.0
    while now < 6.0:
        wire.player.report_received(bytes(RtcpPsfbPacket(fmt=PLI, ssrc=1, media_ssrc=wire.video_ssrc)))
        wire.player.advance(now)
        now += 0.02
    assert 3 <= wire.player.key_frames_given <= 6


def test_a_stall_is_not_made_up_for_in_one_burst(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, 1.0)
    wire.raw.clear()
    wire.player.advance(9.0)
    assert 0 < len(wire.raw) < 40


def test_sender_reports_tell_the_time_of_the_packets(score: Score) -> None:
    wire = Wire(score, plan("H264"))
    wire.play(0.0, 3.2)
    reports = [report for raw in wire.reports for report in RtcpPacket.parse(raw) if isinstance(report, RtcpSrPacket)]
    video = [report for report in reports if report.ssrc == wire.video_ssrc]
    assert len(video) == 4
    packets = wire.packets("video")
    assert video[-1].sender_info.packet_count <= len(packets)
    assert (video[-1].sender_info.rtp_timestamp - packets[0].timestamp) / 90_000 == pytest.approx(3.0, abs=0.2)


def test_garbage_in_a_report_asks_for_nothing() -> None:
    chance = random.Random(5)
    for length in range(64):
        list(feedback(bytes(chance.randrange(256) for _ in range(length))))
    good = bytes(RtcpRtpfbPacket(fmt=NACK, ssrc=1, media_ssrc=7, lost=[10, 12, 40]))
    assert list(feedback(good)) == [Lost(7, (10, 12, 40))]
    assert list(feedback(good[:-4])) == []
    assert list(feedback(bytes(RtcpPsfbPacket(fmt=PLI, ssrc=1, media_ssrc=7)))) == [KeyFrameWanted(7)]
    assert player_module.RING_PACKETS >= 512
