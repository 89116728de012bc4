"""SCTP packets that would cost the node more than their size is worth, or hang it, don't reach aiortc."""

from __future__ import annotations

import asyncio
import struct

import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCSctpTransport
from aiortc.rtcsctptransport import crc32c

from streams.transport.dtls import CHANNELS_BOUND, Sctp, make_certificate
from streams.transport.sctp import MAX_ACKNOWLEDGED, MAX_CHUNKS, WINDOW, may_pass
from tests.streams.transport.test_dtls import Pair
from tests.support.waiting import until

DATA, INIT, SACK, HEARTBEAT, ABORT, FORWARD_TSN, RECONFIG = 0, 1, 3, 4, 6, 192, 130
BOTH, LAST = 3, 1
STRING, DCEP = 51, 50


def chunk(kind: int, body: bytes, *, flags: int = 0, size: int | None = None) -> bytes:
    head = struct.pack("!BBH", kind, flags, len(body) + 4 if size is None else size)
    return head + body + bytes(-len(body) % 4)


def data(tsn: int, text: bytes = b"x", *, stream: int = 0, flags: int = BOTH, protocol: int = STRING) -> bytes:
    return chunk(DATA, struct.pack("!IHHI", tsn & 0xFFFFFFFF, stream, 0, protocol) + text, flags=flags)


def sack(*gaps: tuple[int, int], duplicates: int = 0) -> bytes:
    body = struct.pack("!IIHH", 7, 1000, len(gaps), duplicates)
    return chunk(SACK, body + b"".join(struct.pack("!HH", *gap) for gap in gaps) + bytes(4 * duplicates))


def packet(*chunks: bytes, tag: int = 0) -> bytes:
    head, body = struct.pack("!HHI", 5000, 5000, tag), b"".join(chunks)
    return head + crc32c(head + bytes(4) + body).to_bytes(4, "little") + body


HOSTILE = {
    "a parameter of no length": packet(chunk(HEARTBEAT, b"\x00\x01\x00\x00")),
    "a parameter of no length in an INIT": packet(chunk(INIT, bytes(16) + b"\x00\x01\x00\x00")),
    "a parameter that runs over": packet(chunk(ABORT, b"\x00\x01\x00\x09abcd")),
    "gap blocks of millions": packet(sack(*[(1, 65_535)] * 290)),
    "a gap block that runs backwards": packet(sack((9, 3))),
    "gap blocks that aren't there": packet(chunk(SACK, struct.pack("!IIHH", 7, 1000, 65_535, 65_535))),
    "data without data": packet(data(8, b"")),
    "data far ahead": packet(data(7 + WINDOW + 2)),
    "data far behind the first": packet(data(7 + (1 << 31))),
    "too many chunks": packet(*[data(8 + number) for number in range(MAX_CHUNKS + 1)]),
    "many that ask for an answer": packet(*[chunk(HEARTBEAT, b"")] * 400),
    "streams without end": packet(chunk(FORWARD_TSN, struct.pack("!I", 9) + bytes(4 * 300))),
    "half a stream": packet(chunk(FORWARD_TSN, struct.pack("!IH", 9, 1))),
    "a chunk of no length": packet(chunk(HEARTBEAT, b"", size=0)),
    "a chunk that runs over": packet(chunk(HEARTBEAT, b"", size=400)),
    "an INIT cut short": packet(chunk(INIT, bytes(7))),
    "nothing": packet(),
}
SOUND = {
    "data": packet(data(8)),
    "data again": packet(data(7)),
    "the last of the window": packet(data(8 + WINDOW)),
    "an acknowledgement": packet(sack((2, 3), (5, 5), duplicates=2), data(8)),
    "a full acknowledgement": packet(sack((1, MAX_ACKNOWLEDGED))),
    "a sign of life": packet(chunk(HEARTBEAT, b"\x00\x01\x00\x08abcd")),
    "a reset": packet(chunk(RECONFIG, struct.pack("!HHIIIH", 13, 18, 1, 2, 7, 0))),
    "what is skipped": packet(chunk(FORWARD_TSN, struct.pack("!IHH", 9, 0, 1))),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_costs_more_than_it_is_worth_is_left_out(case: str) -> None:
    assert not may_pass(HOSTILE[case], 7, is_established=False)


@pytest.mark.parametrize("case", SOUND)
def test_what_an_honest_peer_sends_passes(case: str) -> None:
    assert may_pass(SOUND[case], 7, is_established=True)


def test_numbers_may_wrap() -> None:
    assert may_pass(packet(data(3)), 0xFFFFFFFE, is_established=True)
    assert not may_pass(packet(data(3 + WINDOW)), 0xFFFFFFFE, is_established=True)


def test_an_association_that_stands_is_not_begun_anew() -> None:
    init = packet(chunk(INIT, struct.pack("!IIHHI", 1, 1000, 1, 1, 1)))
    assert may_pass(init, None, is_established=False)
    assert not may_pass(init, 7, is_established=True)


async def test_hostile_packets_neither_hang_the_node_nor_disturb_the_channel() -> None:
    pair = Pair(make_certificate(), make_certificate())
    await pair.connect()
    got: list[str] = []
    refused: list[None] = []
    ours = Sctp(pair.a, lambda channel: channel.on("message", got.append), lambda: refused.append(None))
    theirs = RTCSctpTransport(pair.b.transport)
    await asyncio.gather(ours.run(5000, 65536), theirs.start(RTCSctpTransport.getCapabilities(), 5000))
    channel = RTCDataChannel(theirs, RTCDataChannelParameters(label="field"))
    await until(lambda: channel.readyState == "open")
    tag = theirs._remote_verification_tag
    for hostile in HOSTILE.values():
        head = struct.pack("!HHI", 5000, 5000, tag)
        body = hostile[12:]
        await pair.b.transport._send_data(head + crc32c(head + bytes(4) + body).to_bytes(4, "little") + body)
    channel.send("still here")
    await until(lambda: got == ["still here"])
    assert len(refused) >= len(HOSTILE) - 4  # what lies "ahead" of 7 may lie behind here
    await theirs.stop()
    await pair.close()


async def test_a_peer_that_opens_channels_without_end_loses_them() -> None:
    pair = Pair(make_certificate(), make_certificate())
    await pair.connect()
    channels: list[RTCDataChannel] = []
    ours = Sctp(pair.a, channels.append)
    theirs = RTCSctpTransport(pair.b.transport)
    await asyncio.gather(ours.run(5000, 65536), theirs.start(RTCSctpTransport.getCapabilities(), 5000))
    for number in range(CHANNELS_BOUND + 1):
        RTCDataChannel(theirs, RTCDataChannelParameters(label=f"{number}"))
    await until(lambda: len(channels) > CHANNELS_BOUND)
    await until(lambda: all(channel.readyState == "closed" for channel in channels))
    assert pair.a.state == "connected"
    await theirs.stop()
    await pair.close()
