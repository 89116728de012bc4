"""RTCP compounds are read as written; aiortc and hostile bytes agree with our reading."""

from __future__ import annotations

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rtp.rtcp import (
    MAX_REPORTS,
    BitrateEstimate,
    Bye,
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverReport,
    Report,
    ReportBlock,
    SenderReport,
    SourceDescription,
    build,
    parse,
)
from streams.rtp.transport_feedback import MAX_STATUSES, TransportFeedback

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words
)
reports = st.one_of(
    st.builds(
        SenderReport, words, st.integers(0, 2**64 - 1), words, words, words, st.lists(blocks, max_size=4).map(tuple)
    ),
    st.builds(ReceiverReport, words, st.lists(blocks, max_size=31).map(tuple)),
    st.builds(SourceDescription, words, st.text("abc-{}", max_size=40)),
    st.builds(Bye, st.lists(words, min_size=1, max_size=31).map(tuple)),
    st.builds(PictureLoss, words, words),
    st.builds(FullIntraRequest, words, st.lists(st.tuples(words, st.integers(0, 255)), max_size=5).map(tuple)),
    st.builds(BitrateEstimate, words, st.integers(0, 0x3FFFF), st.lists(words, max_size=5).map(tuple)),
)


@settings(derandomize=True)
@given(st.lists(reports, max_size=6))
def test_a_compound_is_read_as_it_was_written(written: list[Report]) -> None:
    assert parse(build(written)) == written


@settings(derandomize=True)
@given(start=st.integers(0, 0xFFFF), steps=st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_every_missing_number_is_named_once_in_order(start: int, steps: list[int]) -> None:
    lost = []
    for step in steps:
        start = (start + step) & 0xFFFF
        lost.append(start)
    nack = Nack(1, 2, tuple(lost))
    assert parse(bytes(nack)) == [nack]
    (theirs,) = RtcpPacket.parse(bytes(nack))
    assert isinstance(theirs, RtcpRtpfbPacket)
    assert theirs.lost == lost


def test_aiortc_reads_what_we_write() -> None:
    block = ReportBlock(5, 10, -3, 70000, 12, 99, 1000)
    written = [SenderReport(1, 2**63 + 5, 3, 4, 5), ReceiverReport(7, (block,)), PictureLoss(1, 2)]
    sender, receiver, loss = RtcpPacket.parse(build(written))
    assert isinstance(sender, RtcpSrPacket)
    assert sender.sender_info.ntp_timestamp == 2**63 + 5
    assert isinstance(receiver, RtcpRrPacket)
    assert (receiver.reports[0].packets_lost, receiver.reports[0].dlsr) == (-3, 1000)
    assert isinstance(loss, RtcpPsfbPacket)
    assert loss.media_ssrc == 2


@settings(derandomize=True)
@given(st.integers(1, 2**40))
def test_an_estimate_is_rounded_down_to_eighteen_bits(bitrate: int) -> None:
    (read,) = parse(bytes(BitrateEstimate(1, bitrate, (9,))))
    assert isinstance(read, BitrateEstimate)
    assert 0 <= bitrate - read.bitrate_bps < max(1, bitrate >> 17)


@settings(derandomize=True, max_examples=500)
@given(
    kind=st.integers(200, 207), count=st.integers(0, 31), padded=st.booleans(), words=st.integers(0, 20), data=st.data()
)
def test_malformed_parts_are_left_out_and_the_rest_stays(
    kind: int, count: int, padded: bool, words: int, data: st.DataObject
) -> None:
    body = data.draw(st.binary(min_size=4 * words, max_size=4 * words))
    odd = bytes((0x80 | (0x20 if padded else 0) | count, kind, 0, words)) + body
    kept = PictureLoss(1, 2)
    assert parse(bytes(kept) + odd + bytes(kept))[0] == kept
    assert parse(odd + bytes(kept))[-1] == kept


@settings(derandomize=True, max_examples=500)
@given(st.binary(max_size=200))
def test_garbage_is_no_report(data: bytes) -> None:
    parse(data)
    parse(b"\x8f\xcd" + data)
    assert TransportFeedback.read(data) is None or len(data) >= 16


arrivals = st.lists(st.one_of(st.none(), st.integers(-40, 300), st.integers(-9000, 30000)), min_size=1, max_size=400)


@settings(derandomize=True)
@given(first=st.integers(0, 0xFFFF), start=st.integers(0, 2**30), moves=arrivals)
def test_feedback_gives_back_each_arrival_and_each_loss(first: int, start: int, moves: list[int | None]) -> None:
    ticks: dict[int, int] = {}
    now = start
    for step, move in enumerate(moves):
        if move is not None:
            now = max(0, now + move)
            ticks[first + step] = now
    if not ticks:
        return
    last = max(ticks)
    feedback, covered = TransportFeedback.of(1, 2, 3, first, last, ticks)
    assert parse(bytes(feedback)) == [feedback]
    assert covered == last
    told = {first + step: at for step, at in enumerate(feedback.arrivals) if at is not None}
    reference = min(ticks.items())[1] // 256 * 256
    assert {number: reference + at for number, at in told.items()} == ticks
    assert feedback.received == len(ticks)


def test_a_pause_too_long_for_a_delta_ends_the_feedback_early() -> None:
    feedback, covered = TransportFeedback.of(1, 2, 0, 10, 13, {10: 0, 11: 100, 13: 100_000})
    assert covered == 11
    assert feedback.arrivals == (0, 100)


def test_feedback_that_claims_too_much_is_refused() -> None:
    body = bytes(8) + (5).to_bytes(2, "big") + (MAX_STATUSES + 1).to_bytes(2, "big") + bytes(4) + b"\x3f\xff" * 8
    assert TransportFeedback.read(body) is None


def test_a_compound_of_many_parts_is_read_so_far_only() -> None:
    endless = bytes(TransportFeedback(1, 2, 3, 4, 5, (0, 1))) * 200
    assert len(parse(endless)) == MAX_REPORTS


@settings(derandomize=True)
@given(
    arrived=st.lists(st.booleans(), min_size=1, max_size=40),
    steps=st.lists(st.integers(0, 300), min_size=40, max_size=40),
)
def test_the_usual_feedback_read_in_one_step_is_what_is_read_step_by_step(
    arrived: list[bool], steps: list[int]
) -> None:
    now, ticks = 5000, {}
    for number, (is_there, step) in enumerate(zip(arrived, steps, strict=False)):
        now += step
        if is_there:
            ticks[number] = now
    if not ticks:
        return
    feedback, _ = TransportFeedback.of(1, 2, 3, 0, max(ticks), ticks)
    compound = build([ReceiverReport(1), feedback])
    assert TransportFeedback.read_usual(compound) == feedback == parse(compound)[1]
    told = TransportFeedback.read_usual(compound)
    assert told is not None
    assert not (told.is_whole and None in told.arrivals)
    for other in (
        compound + bytes(Bye((1,))),
        bytes(feedback),
        build([ReceiverReport(1, (ReportBlock(2),)), feedback]),
    ):
        assert TransportFeedback.read_usual(other) is None


def test_all_received_is_known_to_be_whole() -> None:
    feedback, _ = TransportFeedback.of(1, 2, 3, 0, 11, {number: 5000 + 20 * number for number in range(12)})
    told = TransportFeedback.read_usual(build([ReceiverReport(1), feedback]))
    assert told == feedback
    assert told is not None
    assert told.is_whole


@settings(derandomize=True)
@given(head=st.sampled_from((b"\x8f", b"\xaf")), rest=st.binary(min_size=0, max_size=80))
def test_garbage_in_the_usual_form_is_refused_or_read_alike(head: bytes, rest: bytes) -> None:
    rest += bytes(-len(rest) % 4)
    words = len(rest) // 4
    compound = bytes(ReceiverReport(1)) + head + b"\xcd" + words.to_bytes(2, "big") + rest
    told = TransportFeedback.read_usual(compound)
    if told is not None:
        assert [told] == parse(compound)[1:]
