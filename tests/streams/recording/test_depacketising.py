"""Packets become the very frames that were coded, in order, and a frame with a hole is left out."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest

from streams.recording import opus
from streams.recording.frames import Depacketiser, Frame
from streams.recording.h264 import H264Depacketiser
from streams.recording.packets import REORDER_WAIT_NS, Reorder, RtpPacket, Unwrap, read_rtp
from streams.recording.sps import SpsRefused, read_sps
from streams.recording.vp8 import Vp8Depacketiser
from tests.streams.recording.publisher import Publisher, clip

BIG = {"width": 640, "height": 480}


def rtp(codec: str) -> list[RtpPacket]:
    units = list(clip(codec, 1.0, **BIG))  # type: ignore[arg-type]
    read = [read_rtp(data, arrival) for _, data, arrival in Publisher(units).packets()]
    return [packet for packet in read if packet is not None]


def frames(depacketiser: Depacketiser, packets: list[RtpPacket]) -> list[Frame]:
    return [frame for packet in packets for frame in depacketiser.push(packet)]


@pytest.mark.parametrize(("codec", "kind"), [("H264", H264Depacketiser), ("VP8", Vp8Depacketiser)])
def test_every_coded_frame_comes_out_once_with_its_size_known(codec: str, kind: type[Depacketiser]) -> None:
    depacketiser = kind()
    packets = rtp(codec)
    made = frames(depacketiser, packets)
    assert len(made) == 30 < len(packets)
    assert made[0].is_key
    assert not any(frame.is_key for frame in made[1:])
    assert depacketiser.format is not None
    assert (depacketiser.format.width, depacketiser.format.height) == (640, 480)


@pytest.mark.parametrize(("codec", "kind"), [("H264", H264Depacketiser), ("VP8", Vp8Depacketiser)])
def test_a_frame_with_a_missing_packet_is_left_out_and_the_others_are_whole(
    codec: str, kind: type[Depacketiser]
) -> None:
    packets = rtp(codec)
    whole = {frame.timestamp: frame.data for frame in frames(kind(), packets)}
    for missing in range(len(packets)):
        made: list[Frame] = []
        depacketiser = kind()
        for index, packet in enumerate(packets):
            if index == missing:
                depacketiser.lost()
            else:
                made += depacketiser.push(packet)
        hit = packets[missing].timestamp
        others = {frame.timestamp: frame.data for frame in made if frame.timestamp != hit}
        assert others == {timestamp: data for timestamp, data in whole.items() if timestamp != hit}
        assert len(made) <= 30


def test_the_units_of_an_aggregation_packet_are_taken_apart() -> None:
    depacketiser = H264Depacketiser()
    units = [b"\x67" + bytes(range(1, 10)), b"\x68\x01\x02", b"\x65" + b"x" * 50]
    payload = b"\x78" + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
    packet = RtpPacket(1, 9, True, 1, 102, payload, 0)
    (frame,) = depacketiser.push(packet)
    assert frame.data == b"".join(struct.pack(">I", len(unit)) + unit for unit in units)
    assert depacketiser.push(replace(packet, payload=payload[:-3])) == []


def test_a_key_frame_without_parameter_sets_gets_those_that_are_known() -> None:
    packets = rtp("H264")
    first = frames(H264Depacketiser(), packets)[0]
    fmtp = "packetization-mode=1;sprop-parameter-sets=Z0LAHtkAoD2hAAADAAEAAAMAPA8WLkg=,aMuDyyA="
    units, position = [], 0
    while position < len(first.data):
        size = int.from_bytes(first.data[position : position + 4])
        units.append(first.data[position + 4 : position + 4 + size])
        position += 4 + size
    slices = [unit for unit in units if unit[0] & 0x1F == 5]
    depacketiser = H264Depacketiser(fmtp)
    (frame,) = depacketiser.push(RtpPacket(1, 9, True, 1, 102, slices[0], 0))
    assert frame.is_key
    assert frame.data[4] & 0x1F == 7


def test_garbage_never_raises_and_never_becomes_a_picture_format() -> None:
    random_ = random.Random(5)
    for kind in (H264Depacketiser, Vp8Depacketiser):
        depacketiser = kind()
        for number in range(3000):
            data = random_.randbytes(random_.randrange(0, 60))
            packet = read_rtp(bytes([0x80]) + data, number)
            if packet is not None:
                depacketiser.push(packet)
    for _ in range(2000):
        try:
            width, height = read_sps(b"\x67" + random_.randbytes(random_.randrange(0, 40)))
        except SpsRefused:
            continue
        assert 0 < width <= 16_384
        assert 0 < height <= 16_384


@pytest.mark.parametrize(
    ("head", "milliseconds"), [(b"\x78", 20), (b"\x79", 40), (b"\x7b\x03", 60), (b"\xe0", 2.5), (b"\x18", 60)]
)
def test_an_opus_packet_tells_how_long_it_sounds(head: bytes, milliseconds: float) -> None:
    assert opus.duration(head + b"abc") == milliseconds * 48


def packet_of(sequence: int, arrival_ns: int = 0) -> RtpPacket:
    return RtpPacket(sequence & 0xFFFF, 0, False, 1, 96, b"x", arrival_ns)


def test_shuffled_packets_are_released_in_order_over_the_wrap_of_their_numbers() -> None:
    random_ = random.Random(3)
    released: list[int] = []
    lost: list[int] = []
    reorder = Reorder(lambda packet: released.append(packet.sequence), lost.append)
    numbers = list(range(65_400, 65_800))
    for start in range(1, len(numbers), 20):
        part = numbers[start : start + 20]
        random_.shuffle(part)
        numbers[start : start + 20] = part
    for number in numbers:
        reorder.push(packet_of(number))
    assert released == [number & 0xFFFF for number in range(65_400, 65_800)]
    assert lost == []


def test_a_retransmission_within_the_wait_gets_in_and_one_after_it_does_not() -> None:
    released: list[int] = []
    lost: list[int] = []
    reorder = Reorder(lambda packet: released.append(packet.sequence), lost.append)
    for number in (1, 2, 4, 5, 7):
        reorder.push(packet_of(number, arrival_ns=number))
    reorder.expire(REORDER_WAIT_NS - 1)
    assert released == [1, 2]
    reorder.push(packet_of(3))
    assert released == [1, 2, 3, 4, 5]
    reorder.expire(REORDER_WAIT_NS + 10)
    reorder.push(packet_of(6))
    assert released == [1, 2, 3, 4, 5, 7]
    assert lost == [1]


def test_timestamps_go_on_over_their_wrap_and_step_back_where_packets_are_late() -> None:
    unwrap = Unwrap()
    assert [unwrap(value) for value in (0xFFFFFF00, 0x50, 0xFFFFFFF0, 0x100)] == [
        0xFFFFFF00, 0x100000050, 0xFFFFFFF0, 0x100000100,
    ]  # fmt: skip


def test_a_parameter_set_too_long_for_a_file_changes_nothing() -> None:
    packets = rtp("H264")
    depacketiser = H264Depacketiser()
    frames(depacketiser, packets)
    known = depacketiser.format
    sets = b"\x67" + bytes.fromhex("42c01ed903c568400000030040") + bytes(70_000)
    last = packets[-1]
    pieces = [sets[start : start + 1000] for start in range(1, len(sets), 1000)]
    for number, piece in enumerate(pieces):
        head = bytes((0x7C, 0x07 | (0x80 if not number else 0) | (0x40 if number == len(pieces) - 1 else 0)))
        depacketiser.push(replace(last, timestamp=last.timestamp + 3000, marker=False, payload=head + piece))
    key = replace(last, timestamp=last.timestamp + 3000, marker=True, payload=b"\x65\x88" + bytes(20))
    assert depacketiser.push(key)[0].is_key
    assert depacketiser.format == known
