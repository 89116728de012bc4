"""RTP headers are read as written, and nothing malformed is believed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rtp.header import Header, build_extensions, build_packet, find_extensions
from streams.rtp.rtx import encapsulate, header_size, restore
from streams.rtp.sequence import Unwrapper, distance, timestamp_distance

words = st.integers(0, 0xFFFFFFFF)
numbers = st.integers(0, 0xFFFF)
one_byte_elements = st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=8)
two_byte_elements = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=60)), max_size=8)


@settings(derandomize=True)
@given(
    payload_type=st.integers(0, 127),
    sequence=numbers,
    timestamp=words,
    ssrc=words,
    payload=st.binary(max_size=300),
    marker=st.booleans(),
    elements=st.one_of(one_byte_elements, two_byte_elements),
    padding=st.integers(0, 255),
)
def test_a_packet_is_read_as_it_was_written(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    marker: bool,
    elements: list[tuple[int, bytes]],
    padding: int,
) -> None:
    packet = build_packet(
        payload_type=payload_type,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=payload,
        marker=marker,
        extensions=elements,
        padding=padding,
    )
    header = Header()
    assert header.read(packet, len(packet))
    assert (header.payload_type, header.sequence, header.timestamp) == (payload_type, sequence, timestamp)
    assert (header.ssrc, header.marker) == (ssrc, marker)
    assert packet[header.payload_start : header.payload_end] == payload
    assert header_size(packet) == header.payload_start
    found = [(number, packet[at : at + size]) for number, at, size in find_extensions(header, packet)]
    assert found == elements


def test_contributing_sources_are_stepped_over() -> None:
    packet = bytes([0x82, 96]) + bytes(10) + bytes(8) + b"payload"
    header = Header()
    assert header.read(packet, len(packet))
    assert packet[header.payload_start : header.payload_end] == b"payload"


def test_the_one_byte_form_is_used_only_where_it_fits() -> None:
    assert build_extensions([(3, b"ab")])[:4] == b"\xbe\xde\x00\x01"
    assert build_extensions([(15, b"ab")])[:2] == b"\x10\x00"
    assert build_extensions([(3, b"")])[:2] == b"\x10\x00"
    assert build_extensions([(3, bytes(17))])[:2] == b"\x10\x00"
    assert build_extensions([]) == b""


def test_padding_between_elements_is_stepped_over_and_fifteen_ends_them() -> None:
    body = bytes([0x30, 7, 0, 0, 0x40, 8, 0xF0, 1])
    packet = bytes([0x90, 96]) + bytes(10) + b"\xbe\xde\x00\x02" + body + b"x"
    header = Header()
    assert header.read(packet, len(packet))
    assert [(number, packet[at]) for number, at, _ in find_extensions(header, packet)] == [(3, 7), (4, 8)]


@settings(derandomize=True, max_examples=500)
@given(st.binary(max_size=80))
def test_garbage_is_refused_or_read_within_its_bounds(data: bytes) -> None:
    for packet in (data, b"\x80" + data, b"\xb0" + data, bytes([0x90]) + data[:11] + b"\xbe\xde\x00\x02" + data):
        header = Header()
        if header.read(packet, len(packet)):
            assert 12 <= header.payload_start <= header.payload_end <= len(packet)
            for _, at, size in find_extensions(header, packet):
                assert header.extension_start <= at <= at + size <= header.extension_end <= len(packet)


def test_a_length_beyond_the_buffer_is_refused() -> None:
    assert not Header().read(bytes([0x80]) + bytes(20), 40)


@settings(derandomize=True)
@given(sequence=numbers, payload=st.binary(min_size=1, max_size=100), elements=one_byte_elements, marker=st.booleans())
def test_a_retransmission_gives_the_packet_back(
    sequence: int, payload: bytes, elements: list[tuple[int, bytes]], marker: bool
) -> None:
    packet = build_packet(
        payload_type=96, sequence=sequence, timestamp=7, ssrc=8, payload=payload, marker=marker, extensions=elements
    )
    repeated = encapsulate(packet, header_size=header_size(packet), payload_type=97, sequence=5, ssrc=9)
    header = Header()
    assert header.read(repeated, len(repeated))
    assert (header.payload_type, header.sequence, header.ssrc) == (97, 5, 9)
    length = restore(repeated, header, payload_type=96, ssrc=8)
    assert bytes(repeated[:length]) == packet


@settings(derandomize=True)
@given(start=numbers, moves=st.lists(st.integers(-200, 2000), max_size=60))
def test_numbers_count_on_across_the_wrap(start: int, moves: list[int]) -> None:
    unwrapper = Unwrapper()
    true = place = start + 0x10000
    assert unwrapper.unwrap(start) == true
    for move in moves:
        place = max(true - 200, place) + move
        assert unwrapper.unwrap(place & 0xFFFF) == place
        true = max(true, place)
        assert unwrapper.highest == true


@settings(derandomize=True)
@given(older=words, step=st.integers(-0x8000, 0x7FFF))
def test_distances_are_signed_on_the_circle(older: int, step: int) -> None:
    assert distance((older + step) & 0xFFFF, older & 0xFFFF) == step
    assert timestamp_distance((older + step) & 0xFFFFFFFF, older) == step
