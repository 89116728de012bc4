"""Payloads put together again give the frames that were cut."""

from __future__ import annotations

from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from field_agent.agent.packetizer import h264_payloads, vp8_payloads

UNIT = st.builds(
    lambda head, body: bytes([head]) + body,
    st.sampled_from([0x67, 0x68, 0x65, 0x61, 0x41, 0x06]),
    st.binary(min_size=1, max_size=4_000),
)


def _put_together(payloads: list[bytes]) -> list[bytes]:
    """RFC 6184 §5.7.1 and §5.8, from the reader's side."""
    units: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 31
        if kind == 24:
            at = 1
            while at < len(payload):
                length = int.from_bytes(payload[at : at + 2], "big")
                units.append(payload[at + 2 : at + 2 + length])
                at += 2 + length
        elif kind == 28:
            if payload[1] & 0x80:
                units.append(bytes([(payload[0] & 0xE0) | (payload[1] & 31)]))
            units[-1] += payload[2:]
        else:
            units.append(payload)
    return units


@given(st.lists(UNIT, min_size=1, max_size=8), st.integers(100, 1_200))
def test_h264_units_survive_the_cut(units: list[bytes], limit: int) -> None:
    payloads = h264_payloads(units, limit)
    assert _put_together(payloads) == units
    assert max(len(payload) for payload in payloads) <= limit


def test_a_cut_unit_has_one_start_and_one_end() -> None:
    payloads = h264_payloads([b"\x65" + bytes(5_000)], 1_000)
    assert [bool(payload[1] & 0x80) for payload in payloads] == [True] + [False] * (len(payloads) - 1)
    assert [bool(payload[1] & 0x40) for payload in payloads] == [False] * (len(payloads) - 1) + [True]


@given(st.binary(min_size=1, max_size=6_000), st.integers(0, 0x7FFF))
def test_vp8_frames_survive_the_cut(frame: bytes, picture: int) -> None:
    payloads = vp8_payloads(frame, picture)
    parsed = [VpxPayloadDescriptor.parse(payload) for payload in payloads]
    assert b"".join(body for _, body in parsed) == frame
    assert [descriptor.partition_start for descriptor, _ in parsed] == [1] + [0] * (len(payloads) - 1)
    assert {descriptor.picture_id for descriptor, _ in parsed} == {picture}
