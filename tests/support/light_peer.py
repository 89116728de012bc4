"""Light WebRTC peers on one UDP socket each: just enough ICE, DTLS and SRTP to load a server.

They decode nothing, so that one process drives dozens. A publisher sends prepared VP8-shaped frames, reports, and
answers NACKs; a viewer reports, gives transport-wide feedback, drops what it is told to and has it repaired.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aioice import stun
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from streams.rtp.header import TRANSPORT_CC
from streams.rtp.rtcp import Report, build, parse

CERTIFICATE = RTCCertificate.generateCertificate()
FINGERPRINT = next(f.value for f in CERTIFICATE.getFingerprints() if f.algorithm == "sha-256")
PING_SECONDS = 2.0
HANDSHAKE_SECONDS = 0.2
TRANSPORT_ID = 3


@dataclass
class Numbers:
    """What was negotiated: payload types, and the id of the transport-wide number (0: none)."""

    vp8: int = 96
    rtx: int | None = 97
    transport_id: int = 0
    ssrc: int = 0
    rtx_ssrc: int = 0

    @classmethod
    def read(cls, sdp: str) -> Numbers:
        """Take them from the other side's description."""
        vp8 = re.search(r"a=rtpmap:(\d+) VP8/90000", sdp)
        if vp8 is None:
            raise ValueError("the description has no VP8")
        apt = re.search(rf"a=fmtp:(\d+) apt={vp8[1]}\b", sdp)
        extension = re.search(rf"a=extmap:(\d+)(?:/\w+)? {re.escape(TRANSPORT_CC)}", sdp)
        group = re.search(r"a=ssrc-group:FID (\d+) (\d+)", sdp)
        source = re.search(r"a=ssrc:(\d+) ", sdp)
        return cls(
            int(vp8[1]),
            int(apt[1]) if apt else None,
            int(extension[1]) if extension else 0,
            int(group[1]) if group else int(source[1]) if source else 0,
            int(group[2]) if group else 0,
        )


@dataclass
class LightPeer:
    """The part that publisher and viewer share. Subclasses say what to do with packets and with time."""

    ip: str = "127.0.0.1"
    ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    rtx_ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    numbers: Numbers = field(default_factory=Numbers)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((self.ip, 0))
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self.connected = asyncio.Event()
        self.remote: tuple[str, int] = ("", 0)
        self.profile = ""
        self.answered_at = 0.0
        """When the server last gave a sign of life (monotonic seconds)."""
        self._answered = asyncio.Event()
        self._ssl: SSL.Connection | None = None
        self._out: Session | None = None
        self._in: Session | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- descriptions

    def describe(self, direction: str, *, mid: str = "0", setup: str = "actpass") -> str:
        """The offer, or the answer by the numbers that the offerer chose."""
        ip, port = self.socket.getsockname()
        vp8, rtx, transport = self.numbers.vp8, self.numbers.rtx, self.numbers.transport_id
        kinds = f"{vp8} {rtx}" if rtx is not None else f"{vp8}"
        lines = ["v=0", f"o=- 1 1 IN IP4 {ip}", "s=-", "t=0 0", f"a=group:BUNDLE {mid}", "a=msid-semantic: WMS *"]
        lines += [f"m=video {port} UDP/TLS/RTP/SAVPF {kinds}", f"c=IN IP4 {ip}", f"a=mid:{mid}", f"a={direction}"]
        lines += ["a=rtcp-mux", "a=rtcp-mux-only", f"a=rtpmap:{vp8} VP8/90000"]
        lines += [f"a=rtcp-fb:{vp8} {kind}" for kind in ("nack", "nack pli", *(["transport-cc"] if transport else []))]
        if rtx is not None:
            lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={vp8}"]
        if transport:
            lines.append(f"a=extmap:{transport} {TRANSPORT_CC}")
        lines += [f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.password}", f"a=fingerprint:sha-256 {FINGERPRINT}"]
        lines += [f"a=setup:{setup}", f"a=candidate:1 1 udp 2130706431 {ip} {port} typ host", "a=end-of-candidates"]
        if direction == "sendonly":
            lines.append("a=msid:stream video")
            if rtx is not None:
                lines += [f"a=ssrc-group:FID {self.ssrc} {self.rtx_ssrc}", f"a=ssrc:{self.rtx_ssrc} cname:light"]
            lines.append(f"a=ssrc:{self.ssrc} cname:light")
        return "\r\n".join(lines) + "\r\n"

    def accept(self, sdp: str) -> None:
        """Take the other side's description and begin to connect."""
        self.restarted(sdp)
        candidates = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", sdp, re.IGNORECASE)
        host, port = next((c for c in candidates if c[0] == self.ip), candidates[0])
        self.remote = (host, int(port))
        self.numbers = Numbers.read(sdp)
        self._is_client = "a=setup:active" not in sdp
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable)
        self._tasks.append(asyncio.create_task(self._stay_connected()))

    def restarted(self, sdp: str) -> None:
        """Take the other side's (new) ICE credentials."""
        found = {name: re.search(rf"a={name}:(\S+)", sdp) for name in ("ice-ufrag", "ice-pwd")}
        self._remote_ufrag, self._remote_password = (match[1] if match else "" for match in found.values())

    def renew_credentials(self) -> None:
        """Make ICE credentials for a restart."""
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(16)

    async def close(self) -> None:
        """Vanish without a word, as a browser that is killed does."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.socket.close()

    # -- for subclasses

    def rtp_received(self, datagram: bytes) -> None:
        """One RTP packet, still sealed; its header is in clear."""

    def report_received(self, report: Report) -> None:
        """One RTCP report."""

    def open_packet(self, datagram: bytes) -> bytes | None:
        """A packet in clear, or None if it is no good."""
        try:
            return self._in.unprotect(datagram) if self._in is not None else None
        except Error:
            return None

    def send_packet(self, packet: bytes) -> None:
        """Seal and send one RTP packet; lost when the socket is full."""
        if self._out is not None:
            self._send(self._out.protect(packet))

    def send_reports(self, *reports: Report) -> None:
        """Seal and send one compound."""
        if self._out is not None:
            self._send(self._out.protect_rtcp(build(reports)))

    def check(self) -> None:
        """Ask the server for a sign of life, and to send here from now on."""
        self._ping()

    @property
    def remote_ufrag(self) -> str:
        """Whom its checks name."""
        return self._remote_ufrag

    @property
    def address(self) -> tuple[str, int]:
        """Where it sends from."""
        host, port = self.socket.getsockname()
        return host, port

    def run(self, job: Any) -> None:
        """Let a coroutine run until `close`."""
        self._tasks.append(asyncio.create_task(job))

    # -- transport

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            self.socket.sendto(data, self.remote)

    def _ping(self) -> None:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        username = f"{self._remote_ufrag}:{self.ufrag}"
        request.attributes.update({"USERNAME": username, "PRIORITY": 1853824767, "USE-CANDIDATE": None})
        request.attributes["ICE-CONTROLLING"] = secrets.randbits(63)
        request.add_message_integrity(self._remote_password.encode())
        self._send(bytes(request))

    async def _stay_connected(self) -> None:
        while not self._answered.is_set():
            self._ping()
            await asyncio.sleep(0.1)
        self._ssl = SSL.Connection(_context(), None)
        if self._is_client:
            self._ssl.set_connect_state()
            self._shake_hands()
        else:
            self._ssl.set_accept_state()
        while True:
            await asyncio.sleep(PING_SECONDS if self.connected.is_set() else HANDSHAKE_SECONDS)
            self._ping()
            if not self.connected.is_set():
                self._ssl.DTLSv1_handle_timeout()
                self._flush()

    def _flush(self) -> None:
        assert self._ssl is not None
        while True:
            try:
                self._send(self._ssl.bio_read(1500))
            except SSL.Error:
                return

    def _shake_hands(self) -> None:
        assert self._ssl is not None
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        self._flush()
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next(p for p in SRTP_PROFILES if p.openssl_profile == chosen)
        size = 2 * (profile.key_length + profile.salt_length)
        keys = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
        mine = 0 if self._is_client else 1
        sessions = []
        for index, direction in ((mine, Policy.SSRC_ANY_OUTBOUND), (1 - mine, Policy.SSRC_ANY_INBOUND)):
            key = profile.get_key_and_salt(keys, index)
            policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp_profile)
            policy.allow_repeat_tx, policy.window_size = True, 1024
            sessions.append(Session(policy))
        self._out, self._in = sessions
        self.profile = chosen.decode()
        self.connected.set()

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data, address = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            first = data[0] if data else 255
            if 127 < first < 192:
                if self._in is None:
                    continue  # before the keys nobody can open it: as good as lost
                if 192 <= data[1] <= 223:
                    self._rtcp_received(self._in, data)
                else:
                    self.rtp_received(data)
            elif first < 4:
                self._check(data, address)
            elif 19 < first < 64 and self._ssl is not None:
                self._ssl.bio_write(data)
                if not self.connected.is_set():
                    self._shake_hands()

    def _rtcp_received(self, session: Session, data: bytes) -> None:
        with contextlib.suppress(Error):  # the line may have doubled it
            for report in parse(session.unprotect_rtcp(data)):
                self.report_received(report)

    def _check(self, data: bytes, address: tuple[str, int]) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.RESPONSE:
            self.answered_at = time.monotonic()
            self._answered.set()
        elif message.message_class == stun.Class.REQUEST:
            reply = stun.Message(
                message_method=stun.Method.BINDING,
                message_class=stun.Class.RESPONSE,
                transaction_id=message.transaction_id,
            )
            reply.attributes["XOR-MAPPED-ADDRESS"] = address
            reply.add_message_integrity(self.password.encode())
            self.socket.sendto(bytes(reply), address)


@cache
def _context() -> SSL.Context:
    """One for all: making it costs as much as a handshake."""
    return CERTIFICATE._create_ssl_context(srtp_profiles=SRTP_PROFILES)


def now_ns() -> int:
    """The clock of the stamps in packets."""
    return time.perf_counter_ns()
