"""Peers without ICE and DTLS: a real UDP socket and real SRTP sessions, for tests of forwarding."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from pylibsrtp import Policy, Session

from streams.rtp.header import Header
from streams.rtp.rtcp import Report, parse

PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
KEY_BYTES = 28


def session_pair() -> tuple[Session, Session]:
    """A session that protects, and the one that opens what it made; set up as DTLS-SRTP does."""
    key = os.urandom(KEY_BYTES)
    pair = []
    for direction in (Policy.SSRC_ANY_OUTBOUND, Policy.SSRC_ANY_INBOUND):
        policy = Policy(key=key, ssrc_type=direction, srtp_profile=PROFILE)
        policy.allow_repeat_tx = True
        policy.window_size = 1024
        pair.append(Session(policy))
    return pair[0], pair[1]


class PeerOutlet:
    """An outlet whose far end is in the test: `received` opens what came, `reports` is what RTCP was sent."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.srtp_out: Session | None
        self.srtp_out, self._opening = session_pair()
        self.is_open = is_open
        self.address: tuple[str, int] | None
        self.address_version = 0
        self.on_change: Callable[[], None] = lambda: None
        self.reports: list[Report] = []
        self.compounds: list[bytes] = []
        self._socket = self._listen()

    def _listen(self) -> socket.socket:
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        self.address = far.getsockname()
        self.address_version += 1
        return far

    def move(self) -> None:
        """Go to another address, as a phone does that changes networks; the old one stays deaf."""
        self._socket.close()
        self._socket = self._listen()
        self.on_change()

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.is_open = is_open
        self.on_change()

    def send_rtcp(self, plain: bytes) -> None:
        self.compounds.append(plain)
        self.reports += parse(plain)

    def datagrams(self) -> list[bytes]:
        """What came since the last call, still protected."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096))
            except BlockingIOError:
                return found

    def received(self) -> list[bytes]:
        """What came since the last call, in clear."""
        return [self.open(datagram) for datagram in self.datagrams()]

    def open(self, datagram: bytes) -> bytes:
        """A protected packet in clear; each can be opened once."""
        return self._opening.unprotect(datagram)

    def close(self) -> None:
        self._socket.close()


def header_of(packet: bytes) -> Header:
    """The header of a packet that must be well-formed."""
    header = Header()
    assert header.read(packet, len(packet)), "not an RTP packet"
    return header


def payload_of(packet: bytes) -> bytes:
    """What a packet carries, without padding."""
    header = header_of(packet)
    return packet[header.payload_start : header.payload_end]
