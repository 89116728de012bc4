"""DTLS over a datagram pipe, and the contract with the private names of aiortc that it uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiortc
import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCDtlsTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import RTCCertificate
from OpenSSL import SSL

from streams.transport.dtls import QUEUE_BOUND, DatagramPipe, Dtls, NodeCertificate, Sctp, make_certificate
from tests.support.waiting import until


def fingerprints(certificate: RTCCertificate) -> list[tuple[str, str]]:
    return [(f.algorithm, f.value) for f in certificate.getFingerprints()]


class Pair:
    """Two ends joined back to back."""

    def __init__(self, certificate: NodeCertificate, other: RTCCertificate) -> None:
        self.changes: list[str] = []
        self.a = Dtls(certificate, self._to_b, lambda: self.changes.append(self.a.state))
        self.b = Dtls(other, self._to_a, lambda: None)  # type: ignore[arg-type]
        self._certificates = (certificate, other)

    def _to_a(self, data: bytes) -> None:
        self.a.feed(data)

    def _to_b(self, data: bytes) -> None:
        self.b.feed(data)

    async def connect(self, role: str = "server") -> None:
        first, second = self._certificates
        roles = ("server", "client") if role == "server" else ("client", "server")
        await asyncio.gather(
            self.a.run(roles[0], fingerprints(second)),  # type: ignore[arg-type]
            self.b.run(roles[1], fingerprints(first)),  # type: ignore[arg-type]
        )

    async def close(self) -> None:
        await self.a.close()
        await self.b.close()


def test_the_pinned_aiortc_still_has_the_names_that_we_use() -> None:
    assert aiortc.__version__.startswith("1.16.")
    for name in ("_set_role", "_setup_srtp", "_recv_next", "_write_ssl", "_register_data_receiver"):
        assert callable(getattr(RTCDtlsTransport, name))
    assert callable(RTCCertificate._create_ssl_context)
    assert callable(RTCSctpTransport._handle_data)


@pytest.mark.parametrize("role", ["server", "client"])
async def test_both_roles_key_srtp_the_same_way(role: str) -> None:
    pair = Pair(make_certificate(), make_certificate())
    await pair.connect(role)
    assert pair.changes == ["connecting", "connected"]
    assert pair.a.srtp_out is not None
    assert pair.b.srtp_in is not None
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    sealed = pair.a.srtp_out.protect(packet)
    assert len(sealed) == len(packet) + 16  # an AES-GCM tag
    assert pair.b.srtp_in.unprotect(sealed) == packet
    await pair.close()


async def test_another_certificate_than_the_announced_one_is_refused() -> None:
    pair = Pair(make_certificate(), make_certificate())
    stranger = fingerprints(make_certificate())
    await asyncio.gather(pair.a.run("server", stranger), pair.b.run("client", stranger))
    assert pair.a.state == "failed"
    assert pair.a.srtp_out is None
    await pair.close()


async def test_the_goodbye_of_one_side_closes_the_other() -> None:
    pair = Pair(make_certificate(), make_certificate())
    await pair.connect()
    await pair.b.close()
    await until(lambda: pair.a.state == "closed")
    await pair.close()


async def test_all_sessions_share_one_tls_context() -> None:
    certificate = make_certificate()
    context: Callable[[], SSL.Context] = lambda: certificate._create_ssl_context([])  # noqa: E731
    assert context() is context()


async def test_a_full_queue_drops_and_counts() -> None:
    pipe = DatagramPipe(lambda data: None)
    for _ in range(QUEUE_BOUND + 7):
        pipe.feed(b"\x16")
    assert pipe.dropped == 7
    pipe.close()
    for _ in range(QUEUE_BOUND - 1):
        assert await pipe._recv() == b"\x16"
    with pytest.raises(ConnectionError):
        await pipe._recv()


async def test_a_data_channel_carries_texts_and_garbage_ends_only_the_channel() -> None:
    pair = Pair(make_certificate(), make_certificate())
    await pair.connect()
    got: list[str] = []
    channels: list[RTCDataChannel] = []

    def opened(channel: RTCDataChannel) -> None:
        channels.append(channel)
        channel.on("message", got.append)

    ours = Sctp(pair.a, opened)
    theirs = RTCSctpTransport(pair.b.transport)
    await asyncio.gather(ours.run(5000, 65536), theirs.start(RTCSctpTransport.getCapabilities(), 5000))
    channel = RTCDataChannel(theirs, RTCDataChannelParameters(label="field"))
    await until(lambda: channel.readyState == "open")
    channel.send("hello")
    await until(lambda: got == ["hello"])
    assert channels[0].label == "field"
    # To confirm a channel that nobody opened is what aiortc asserts never to see.
    await theirs._send(99, 50, b"\x02")
    await until(lambda: channels[0].readyState == "closed")
    assert pair.a.state == "connected"
    await theirs.stop()
    await pair.close()
