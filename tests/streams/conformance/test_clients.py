"""What real clients do that no list says; each was met in one of them."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from streams.rtp.header import MID, build_packet
from streams.transport.dtls import Dtls, NodeCertificate
from tests.streams.conformance.exchange import live_feed, post
from tests.streams.signalling.offers import CERTIFICATE, FINGERPRINT, VP8, offer, video
from tests.support.light_media import LightPublisher, LightViewer
from tests.support.light_peer import Numbers
from tests.support.node import RunningNode
from tests.support.outlets import header_of, payload_of
from tests.support.stream import VideoStream
from tests.support.waiting import until

BINDING_REQUEST, MAGIC_COOKIE = 0x0001, 0x2112A442


def ecdsa_certificate() -> NodeCertificate:
    return CERTIFICATE


def rsa_certificate() -> NodeCertificate:
    key = rsa.generate_private_key(65537, 2048)
    template = CERTIFICATE._cert
    certificate = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(template.not_valid_before_utc)
        .not_valid_after(template.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    return NodeCertificate(key, certificate)  # type: ignore[arg-type]


@pytest.mark.parametrize("make_certificate", [ecdsa_certificate, rsa_certificate])
async def test_a_dtls_server_without_candidates_that_checks_without_priority_is_greeted(
    running: RunningNode, http: httpx.AsyncClient, make_certificate: Callable[[], NodeCertificate]
) -> None:
    # ffmpeg's muxer offers so; GStreamer's DTLS server has an RSA certificate only.
    certificate = make_certificate()
    body = offer(video(VP8), setup="passive").replace(FINGERPRINT.encode(), certificate.fingerprint.encode())
    answer = (await post(http, body=body)).text
    ufrag, password = (re.findall(rf"a=ice-{name}:(\S+)", answer)[0] for name in ("ufrag", "pwd"))
    fingerprints = re.findall(r"a=fingerprint:(\S+) (\S+)", answer)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", running.node.port.number))
        peer = Dtls(certificate, sock.send, lambda: None)  # type: ignore[arg-type]
        answered: list[bytes] = []

        def readable() -> None:
            data = sock.recv(2000)
            if data[0] < 4:
                answered.append(data)
            else:
                peer.feed(data)

        loop.add_reader(sock, readable)
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        check.attributes.update({"USERNAME": f"{ufrag}:abcd", "USE-CANDIDATE": None})
        check.add_message_integrity(password.encode())
        sock.send(bytes(check))
        await peer.run("server", fingerprints)
        assert peer.state == "connected"
        assert answered
        (session,) = running.node.sessions.by_id.values()
        await until(lambda: session.link.is_open)
        loop.remove_reader(sock)
        await peer.close()
    await until(lambda: not running.node.sessions.by_id)


@dataclass
class Listener(LightViewer):
    """A viewer that remembers from which sources it was sent anything."""

    heard: set[int] = field(default_factory=set)

    def rtp_received(self, datagram: bytes) -> None:
        self.heard.add(int.from_bytes(datagram[8:12], "big"))
        super().rtp_received(datagram)


async def test_a_viewers_answer_names_the_source_that_it_is_then_sent(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    # libdatachannel plays nothing from a source that the answer didn't name.
    viewer = Listener()
    viewer.numbers = Numbers()
    try:
        async with live_feed(running):
            answer = (await post(http, "/whep/site-1", viewer.describe("recvonly").encode())).text
            named = {int(ssrc): name for ssrc, name in re.findall(r"a=ssrc:(\d+) cname:(\S+)", answer)}
            media, repeats = re.findall(r"a=ssrc-group:FID (\d+) (\d+)", answer)[0]
            assert set(named) == {int(media), int(repeats)}
            assert len(set(named.values())) == 1
            assert f"a=ssrc:{media} msid:" in answer
            viewer.accept(answer)
            await until(lambda: viewer.packets > 20, 10)
            assert int(media) in viewer.heard
            assert viewer.heard <= set(named)
    finally:
        await viewer.close()


async def test_the_line_that_only_the_first_packets_name_is_remembered(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    # Chromium writes the mid until it knows that the first packets came; both lines here have one payload type.
    peer = LightPublisher(seed=3)
    text = re.sub(r"a=(ssrc|msid).*\r\n", "", peer.describe("sendonly")).replace("BUNDLE 0", "BUNDLE 0 1")
    sound = ["m=audio 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendonly", "a=rtcp-mux"]
    lines = [f"a=extmap:4 {MID}", *sound, "a=rtpmap:96 opus/48000/2", f"a=extmap:4 {MID}"]
    stream = VideoStream(3)
    frames = [stream.next_frame() for _ in range(20)]
    try:
        peer.accept((await post(http, body=(text + "\r\n".join(lines) + "\r\n").encode())).text)
        async with asyncio.timeout(10):
            await peer.connected.wait()
        media = running.node.sessions.feeds["site-1"].media
        await until(lambda: running.node.sessions.feeds["site-1"].publisher is not None)
        for index, frame in enumerate(frames):
            for packet in frame:
                peer.send_packet(packet if index else with_mid(packet, "0"))
        await until(lambda: media.last_frame_at is not None)
        await until(lambda: media.sources["video"].packets == sum(map(len, frames)))
        assert media.counters.unknown == 0
    finally:
        await peer.close()


def with_mid(packet: bytes, mid: str) -> bytes:
    """The same packet with the mid extension."""
    header = header_of(packet)
    return build_packet(
        payload_type=header.payload_type,
        sequence=header.sequence,
        timestamp=header.timestamp,
        ssrc=header.ssrc,
        marker=header.marker,
        payload=payload_of(packet),
        extensions=[(4, mid.encode())],
    )


def one_attribute(kind: int, value: bytes) -> bytes:
    """A binding request with one attribute, as it stands."""
    body = struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
    return struct.pack("!HHI", BINDING_REQUEST, len(body), MAGIC_COOKIE) + bytes(12) + body


ODD_STUN = {
    "a priority of two bytes": one_attribute(0x0024, b"ab"),
    "an address of one byte": one_attribute(0x0020, b"a"),
    "an error code of two bytes": one_attribute(0x0009, b"ab"),
    "a user name that is no text": one_attribute(0x0006, b"\xff\xfe"),
}


@pytest.mark.parametrize("name", ODD_STUN)
async def test_stun_on_which_others_fail_is_counted_and_disturbs_nobody(running: RunningNode, name: str) -> None:
    with pytest.raises((ValueError, struct.error)):
        stun.parse_message(ODD_STUN[name])
    async with live_feed(running):
        port = running.node.port
        before = port.refused["stun-malformed"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(ODD_STUN[name], ("127.0.0.1", port.number))
        await until(lambda: port.refused["stun-malformed"] > before)
        assert port.refused["unhandled"] == 0
        seen = running.node.sessions.feeds["site-1"].media.last_frame_at
        await until(lambda: running.node.sessions.feeds["site-1"].media.last_frame_at != seen)


async def test_a_hello_that_comes_before_any_check_is_dropped_and_the_peer_connects_later(
    running: RunningNode, http: httpx.AsyncClient
) -> None:
    peer = LightPublisher()
    peer.numbers = Numbers()
    hello = SSL.Connection(SSL.Context(SSL.DTLS_METHOD), None)
    hello.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        hello.do_handshake()
    try:
        answer = (await post(http, body=peer.describe("sendonly").encode())).text
        peer.socket.sendto(hello.bio_read(1500), ("127.0.0.1", running.node.port.number))
        await until(lambda: running.node.port.refused["dtls-unknown"] == 1)
        (session,) = running.node.sessions.by_id.values()
        assert session.link.address is None
        peer.accept(answer)
        async with asyncio.timeout(10):
            await peer.connected.wait()
    finally:
        await peer.close()


async def test_checks_with_invented_names_leave_nothing_behind(running: RunningNode) -> None:
    async with live_feed(running):
        port = running.node.port
        names, addresses = len(port._by_ufrag), len(port._by_address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(500):
                check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
                check.attributes["USERNAME"] = f"name{number}:them"
                check.add_message_integrity(b"invented")
                sock.sendto(bytes(check), ("127.0.0.1", port.number))
        await until(lambda: port.refused["stun-unauthenticated"] == 500)
        assert (len(port._by_ufrag), len(port._by_address)) == (names, addresses)
