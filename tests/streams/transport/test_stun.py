"""STUN as an ICE-lite agent speaks it, against aioice as the other side."""

from __future__ import annotations

import random

import pytest
from aioice import stun as aioice_stun
from hypothesis import given
from hypothesis import strategies as st

from streams.transport import stun

PASSWORD = b"p" * 22


def request(*, password: bytes = PASSWORD, **attributes: object) -> bytes:
    message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
    message.attributes.update({"USERNAME": "ours:theirs", **attributes})
    message.add_message_integrity(password)
    return bytes(message)


def test_a_signed_request_is_read_and_recognised() -> None:
    read = stun.read_request(request(PRIORITY=1, **{"USE-CANDIDATE": None}))
    assert (read.local_ufrag, read.remote_ufrag) == ("ours", "theirs")
    assert read.use_candidate
    assert not read.peer_is_controlled
    assert read.is_signed_with(PASSWORD)
    assert not read.is_signed_with(b"another password")


def test_a_request_without_priority_is_taken() -> None:
    assert stun.read_request(request()).is_signed_with(PASSWORD)


@pytest.mark.parametrize("address", [("192.0.2.7", 54321), ("2001:db8::7", 1024)])
def test_the_answer_says_where_the_request_came_from(address: tuple[str, int]) -> None:
    read = stun.read_request(request())
    answer = aioice_stun.parse_message(stun.success(read, address, PASSWORD))
    assert answer.message_class == aioice_stun.Class.RESPONSE
    assert answer.transaction_id == read.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == address
    assert "FINGERPRINT" in answer.attributes
    assert answer.check_message_integrity(PASSWORD)


def test_a_peer_that_believes_to_be_controlled_is_told_of_the_conflict() -> None:
    read = stun.read_request(request(**{"ICE-CONTROLLED": 1}))
    assert read.peer_is_controlled
    answer = aioice_stun.parse_message(stun.role_conflict(read, PASSWORD))
    assert answer.error_code == stun.ROLE_CONFLICT
    assert answer.check_message_integrity(PASSWORD)


def test_what_follows_the_signature_is_not_believed() -> None:
    signed = request()[:-8]  # without FINGERPRINT
    smuggled = signed + b"\x00\x25\x00\x00"  # USE-CANDIDATE
    smuggled = smuggled[:2] + (len(smuggled) - 20).to_bytes(2, "big") + smuggled[4:]
    read = stun.read_request(smuggled)
    assert read.is_signed_with(PASSWORD)
    assert not read.use_candidate


def test_a_request_without_signature_is_refused() -> None:
    message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
    message.attributes["USERNAME"] = "ours:theirs"
    with pytest.raises(stun.MalformedStun):
        stun.read_request(bytes(message))


def test_a_wrong_fingerprint_is_refused() -> None:
    data = request()
    with pytest.raises(stun.MalformedStun):
        stun.read_request(data[:-1] + bytes([data[-1] ^ 1]))


def test_changed_and_cut_requests_never_raise_anything_else() -> None:
    random_source = random.Random(7)
    whole = request(PRIORITY=1)
    for _ in range(3000):
        data = bytearray(whole[: random_source.randint(0, len(whole))])
        for _ in range(random_source.randint(0, 3)):
            if data:
                data[random_source.randrange(len(data))] = random_source.randrange(256)
        try:
            read = stun.read_request(bytes(data))
        except stun.MalformedStun:
            continue
        # What is signed ends where FINGERPRINT begins.
        assert not read.is_signed_with(PASSWORD) or data[4:-8] == whole[4:-8]


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused(data: bytes) -> None:
    header = b"\x00\x01" + len(data).to_bytes(2, "big") + stun.MAGIC_COOKIE.to_bytes(4, "big") + bytes(12)
    for candidate in (data, header + data):
        try:
            stun.read_request(candidate)
        except stun.MalformedStun:
            continue
