"""Key frames and frame ends are recognised in what real encoders make."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rtp.header import build_packet
from streams.rtp.payload import (
    KEY_FRAME_TESTS,
    FrameBoundaries,
    PictureShift,
    h264_starts_key_frame,
    picture_shift,
    shift_numbers,
    vp8_frame_offset,
    vp8_numbers,
    vp8_starts_key_frame,
)

IDR, SLICE, SPS, PPS = b"\x65\x88", b"\x41\x9a", b"\x67\x42\xe0\x1f", b"\x68\xce"


def aggregate(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (IDR, True),
        (b"\x65\x40", False),  # a later slice of an IDR picture
        (SLICE, False),
        (SPS, True),
        (PPS, False),
        (aggregate(SPS, PPS), True),
        (aggregate(SPS, PPS, IDR), True),
        (aggregate(PPS, SLICE), False),
        (b"\x78\x00\x09\x67", False),  # says more than is there
        (b"\x7c\x85\x88", True),
        (b"\x7c\x05\x88", False),
        (b"\x7c\x81\x9a", False),
        (b"\x7c\x85", False),
        (b"", False),
    ],
)
def test_h264_starts_with_a_parameter_set_or_the_first_part_of_an_idr(payload: bytes, starts: bool) -> None:
    assert h264_starts_key_frame(payload, 0, len(payload)) is starts


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (b"\x10\x10", True),
        (b"\x10\x11", False),
        (b"\x00\x10", False),  # goes on with a frame
        (b"\x11\x10", False),  # a later partition
        (b"\x90\x80\x05\x10", True),
        (b"\x90\x80\x05\x11", False),
        (b"\x90\x80\x85\x10", False),  # the second half of the picture id is all that is left
        (b"\x90\x80\x85\x80\x10", True),
        (b"\x90\xf0\x80\x01\x05\x20\x10", True),
        (b"\x90\xf0\x80\x01\x05\x20\x11", False),
        (b"\x90\xf0", False),
        (b"", False),
    ],
)
def test_vp8_starts_with_the_first_partition_of_a_key_frame(payload: bytes, starts: bool) -> None:
    assert vp8_starts_key_frame(payload, 0, len(payload)) is starts


def encoded(encoder: H264Encoder | Vp8Encoder) -> list[bool]:
    """For each packet of 12 pictures, the seventh forced to be a key frame, whether it starts one."""
    name = "H264" if isinstance(encoder, H264Encoder) else "VP8"
    found = []
    for number in range(12):
        picture = VideoFrame(640, 480, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes((number * 9 + i // 97) & 0xFF for i in range(plane.buffer_size)))
        picture.pts, picture.time_base = number, Fraction(1, 30)
        payloads, _ = encoder.encode(picture, force_keyframe=number == 6)
        starts = [KEY_FRAME_TESTS[name](b"head" + p, 4, 4 + len(p)) for p in payloads]
        found.append(starts[0])
        assert not any(starts[1:]) or name == "H264"
    return found


@pytest.mark.parametrize("encoder", [H264Encoder, Vp8Encoder])
def test_key_frames_of_real_encoders_are_found(encoder: type[H264Encoder] | type[Vp8Encoder]) -> None:
    assert av.__version__
    starts = encoded(encoder())
    assert starts[0]
    assert starts[6]
    assert sum(starts) == 2


@settings(derandomize=True, max_examples=500)
@given(st.binary(max_size=40), st.integers(0, 10), st.integers(0, 10))
def test_garbage_is_never_read_beyond_its_end(data: bytes, start: int, cut: int) -> None:
    end = max(0, len(data) - cut)
    # What lies behind the end must make no difference.
    for test in KEY_FRAME_TESTS.values():
        assert test(data, start, end) == test(data[:end], start, end)
    assert vp8_frame_offset(data, start, end) < max(end, 1)


def test_frames_end_by_marker_or_by_the_next_timestamp() -> None:
    boundaries = FrameBoundaries()
    packets = [(1, False), (1, True), (2, True), (3, False), (4, False), (4, True), (5, False)]
    assert [boundaries.packet(*packet) for packet in packets] == [False, True, True, False, True, True, False]
    assert boundaries.frames == 4


@pytest.mark.parametrize(
    ("descriptor", "shifted"),
    [
        (b"\x90\xe0\x81\x02\x07\x20", b"\x90\xe0\x81\x07\x0a\x20"),
        (b"\x90\xe0\xff\xff\xff\x20", b"\x90\xe0\x80\x04\x02\x20"),  # both wrap
        (b"\x90\xe0\x7e\x07\x20\x00", b"\x90\xe0\x03\x0a\x20\x00"),  # seven bits
        (b"\x90\x80\x81\x02\x00\x00", b"\x90\x80\x81\x07\x00\x00"),  # no base layer
        (b"\x90\x60\x07\x20\x00\x00", b"\x90\x60\x0a\x20\x00\x00"),  # no picture number
        (b"\x10\x00\x00\x00\x00\x00", b"\x10\x00\x00\x00\x00\x00"),
    ],
)
def test_picture_numbers_are_shifted_in_their_own_width(descriptor: bytes, shifted: bytes) -> None:
    packet = bytearray(b"head" + descriptor)
    numbers = vp8_numbers(packet, 4, len(packet))
    if numbers is not None:
        shift_numbers(packet, numbers, PictureShift(5, 3))
    assert packet == b"head" + shifted


@settings(max_examples=500)
@given(st.binary(max_size=10), st.binary(max_size=10), st.integers(0, 0x7FFF), st.integers(0, 0xFF))
def test_no_descriptor_breaks_renumbering_and_numbers_follow_on(
    old: bytes, new: bytes, by_picture: int, by_base: int
) -> None:
    def packet_of(payload: bytes) -> bytearray:
        return bytearray(build_packet(payload_type=96, sequence=1, timestamp=2, ssrc=3, payload=payload))

    before, after = PictureShift(by_picture, by_base), packet_of(new)
    shift = picture_shift(packet_of(old), after, before)
    first, last = vp8_numbers(after, 12, len(after)), vp8_numbers(packet_of(old), 12, 12 + len(old))
    assert (shift is None) == (first is None)
    if shift is None or first is None:
        return
    size = len(after)
    shift_numbers(after, first, shift)
    assert len(after) == size
    out = vp8_numbers(after, 12, len(after))
    assert out is not None
    if last is not None and last.picture_at and first.picture_at:
        bits = 0x7FFF if first.is_wide else 0x7F
        assert (out.picture - last.picture - by_picture) & bits == 1
    if last is not None and last.base_at and first.base_at:
        assert (out.base - last.base - by_base) & 0xFF == 1
