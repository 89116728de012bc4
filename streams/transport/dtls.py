"""DTLS by aiortc over datagrams that somebody else receives: the only file that knows aiortc's private names.

aiortc's `RTCDtlsTransport` expects an ICE transport of its own. Here `DatagramPipe` stands in for one: it is
fed the DTLS datagrams of one session and sends by a function. `tests/streams/transport/test_dtls.py` holds the
contract with the pinned minor version.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Literal, cast

from aiortc import (
    RTCDataChannel,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
    RTCSctpCapabilities,
    RTCSctpTransport,
)
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_PROFILES,
    RTCCertificate,
    SRTPProtectionProfile,
)
from OpenSSL import SSL
from pylibsrtp import Session

from streams.transport.sctp import WINDOW, may_pass

logger = logging.getLogger(__name__)

Role = Literal["client", "server"]

QUEUE_BOUND = 64
"""DTLS datagrams of one session that may wait; more are dropped and counted, and the peer sends them again."""

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's own list has ECDSA only; some peers (GStreamer as DTLS server) hold RSA certificates."""

REASSEMBLY_BOUND = 128 * 1024
"""Bytes of unfinished messages that one peer may leave with us; beyond, its association is aborted."""
PIECES_BOUND = 256
"""Pieces of unfinished messages; the longest message that we take has 60."""
STREAMS_BOUND = 64
CHANNELS_BOUND = 16
ANSWERS_BOUND = 1024
"""Messages of ours, whatever opens a channel included, that may wait for a peer that doesn't take them."""

_PREFERENCE = [SRTP_AEAD_AES_128_GCM, *(p for p in SRTP_PROFILES if p != SRTP_AEAD_AES_128_GCM)]


class NodeCertificate(RTCCertificate):
    """The node's certificate: one a process, with one TLS context that all its sessions share."""

    _shared: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._shared is None:
            context = super()._create_ssl_context(_PREFERENCE)
            context.set_cipher_list(CIPHERS)
            self._shared = context
        return self._shared

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint, as SDP writes it."""
        return next(f.value for f in self.getFingerprints() if f.algorithm == "sha-256")


def make_certificate() -> NodeCertificate:
    """Make a fresh self-signed certificate; its fingerprint travels in the answers."""
    return NodeCertificate.generateCertificate()


def _nowhere(datagram: bytes) -> None:
    pass


class DatagramPipe:
    """What aiortc takes for its ICE transport: a bounded queue in, a send function out."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._out = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_BOUND)
        self.dropped = 0
        self.closed = False

    def feed(self, datagram: bytes) -> None:
        """Hand over one DTLS datagram; dropped when too many wait."""
        if self.closed or self._queue.full():
            self.dropped += 1
            return
        self._queue.put_nowait(datagram)

    def close(self) -> None:
        """Wake whoever waits and tell it that nothing comes any more."""
        self.closed = True
        self._out = _nowhere
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        datagram = None if self.closed and self._queue.empty() else await self._queue.get()
        if datagram is None:
            raise ConnectionError("closed")
        return datagram

    async def _send(self, datagram: bytes) -> None:
        if self.closed:
            raise ConnectionError("closed")
        self._out(datagram)


class Dtls:
    """One session's DTLS association, and the SRTP sessions that it keys.

    `on_change` is called at each change of `state`: connecting, connected, closed, failed.
    """

    def __init__(
        self, certificate: NodeCertificate, send: Callable[[bytes], None], on_change: Callable[[], None]
    ) -> None:
        self._pipe = DatagramPipe(send)
        self.transport = RTCDtlsTransport(cast("RTCIceTransport", self._pipe), [certificate])
        self.transport.on("statechange", on_change)

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `closed` or `failed`."""
        return self.transport.state

    @property
    def srtp_in(self) -> Session | None:
        """The session that opens what the peer sends; None before the handshake."""
        return self.transport._rx_srtp

    @property
    def srtp_out(self) -> Session | None:
        """The session that seals what goes to the peer; None before the handshake."""
        return self.transport._tx_srtp

    @property
    def dropped(self) -> int:
        """Datagrams dropped because too many waited."""
        return self._pipe.dropped

    def feed(self, datagram: bytes) -> None:
        """Hand over one DTLS datagram of the peer."""
        self._pipe.feed(datagram)

    async def run(self, role: Role, fingerprints: list[tuple[str, str]]) -> None:
        """Shake hands with the peer that has one of these (algorithm, value) fingerprints."""
        # A "controlled" transport would make itself DTLS client; the answer has said what we are.
        self.transport._set_role(role)
        await self.transport.start(
            RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(algorithm=a, value=v) for a, v in fingerprints])
        )

    async def close(self) -> None:
        """Tell the peer that this is over, if it still can be told."""
        await self.transport.stop()
        self.transport.remove_all_listeners()
        self.transport._data_receiver = None
        self._pipe.close()


class Sctp:
    """The data channels of one session, over its connected DTLS.

    `on_channel` gets each channel that the peer opens. Packets that aiortc can't be trusted with are left out, and
    `on_refused` is called. An association that misbehaves otherwise is aborted, once, with one line in the log; the
    session's media goes on.
    """

    def __init__(
        self,
        dtls: Dtls,
        on_channel: Callable[[RTCDataChannel], None],
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._dtls = dtls.transport
        self._sctp = RTCSctpTransport(dtls.transport)
        self._window = self._sctp._advertised_rwnd
        self._on_refused = on_refused
        self._sctp.on("datachannel", on_channel)

    async def run(self, remote_port: int, max_message_size: int) -> None:
        """Set the association up; the peer does the same."""
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=max_message_size), remote_port)
        # aiortc asserts what a peer ought to do; a peer that doesn't must not end the DTLS task with a traceback.
        self._dtls._data_receiver = self

    async def close(self) -> None:
        """Abort the association."""
        self._dtls._data_receiver = None
        await self._sctp.stop()

    async def _handle_data(self, data: bytes) -> None:
        sctp = self._sctp
        if not may_pass(data, sctp._last_received_tsn, is_established=sctp.state == "connected"):
            self._on_refused()
            return
        try:
            await sctp._handle_data(data)
            is_greedy = self._is_greedy()
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile peer makes aiortc raise ends its channel only
            logger.warning("data channels of %s aborted: %s", id(self._dtls), type(error).__name__)
            is_greedy = True
        if is_greedy:
            self._on_refused()
            await self.close()

    def _is_greedy(self) -> bool:
        """Whether the peer makes us keep more than an honest one would."""
        sctp = self._sctp
        return (
            self._window - sctp._advertised_rwnd > REASSEMBLY_BOUND
            or len(sctp._sack_misordered) > 2 * WINDOW
            or len(sctp._inbound_streams) > STREAMS_BOUND
            or len(sctp._data_channels) > CHANNELS_BOUND
            or len(sctp._data_channel_queue) + len(sctp._outbound_queue) > ANSWERS_BOUND
            or sum(len(stream.reassembly) for stream in sctp._inbound_streams.values()) > PIECES_BOUND
        )
