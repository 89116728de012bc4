"""DTLS, SRTP keys and the data channel over our own ICE: the one file that knows aiortc's private names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from pylibsrtp import Error as SrtpError

from field_agent.agent.errors import SessionLost
from field_agent.agent.ice import IceClient

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 5.0
CLOSE_SECONDS = 1.0
MAX_WAITING_RECORDS = 256
MAX_BUFFERED_BYTES = 65_536


class _Wire:
    """What aiortc's DTLS transport takes for an ICE transport: it sees DTLS records only, never media."""

    role = "controlling"
    state = "completed"

    def __init__(self, ice: IceClient) -> None:
        self._ice = ice
        self._records: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_RECORDS)
        self.dropped = 0

    def offer(self, record: bytes | None) -> None:
        """A record came, or (None) no more will; a full queue drops it, DTLS or SCTP send it again."""
        if self._records.full():
            self.dropped += 1
            if record is not None:
                return
            self._records.get_nowait()
        self._records.put_nowait(record)

    async def _recv(self) -> bytes:
        record = await self._records.get()
        if record is None:
            raise ConnectionError("closed")
        return record

    async def _send(self, datagram: bytes) -> None:
        if self._ice.is_dead:
            raise ConnectionError("the port is dead")
        self._ice.send(datagram)


class Link:
    """A secured way to one server: media out, reports in, and the data channel."""

    def __init__(self, on_report: Callable[[bytes], None], on_message: Callable[[str], None]) -> None:
        self.ice = IceClient(self._datagram_received)
        self._certificate = RTCCertificate.generateCertificate()
        self._wire = _Wire(self.ice)
        # The transport only ever calls `_recv`, `_send` and `role` of what it is given here.
        wire: Any = self._wire
        self._dtls = RTCDtlsTransport(wire, [self._certificate])
        self._sctp: RTCSctpTransport | None = None
        self._channel: RTCDataChannel | None = None
        self._on_report, self._on_message = on_report, on_message
        self._protect: Callable[[bytes], bytes] | None = None
        self.on_channel_open: Callable[[], None] = lambda: None

    @property
    def fingerprint(self) -> str:
        """Of our certificate, SHA-256, for the offer."""
        return str(next(f.value for f in self._certificate.getFingerprints() if f.algorithm == "sha-256"))

    @property
    def has_channel(self) -> bool:
        """Whether a message can be sent now."""
        return (
            self._channel is not None
            and self._channel.readyState == "open"
            and self._channel.bufferedAmount < MAX_BUFFERED_BYTES
            and not self.ice.is_dead
        )

    async def secure(self, remote: RTCDtlsParameters, *, is_client: bool) -> None:
        """Shake hands and check the server's certificate against its answer.

        Raises:
            SessionLost: it failed, or took too long.
        """
        self._dtls._set_role("client" if is_client else "server")
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._dtls.start(remote)
        except (TimeoutError, ConnectionError) as error:
            raise SessionLost("no DTLS handshake") from error
        if self._dtls.state != "connected":
            raise SessionLost("the DTLS handshake failed")
        self._protect = self._dtls._tx_srtp.protect

    async def open_channel(self, label: str, port: int) -> None:
        """Open the data channel; it is ready when `has_channel` says so."""
        self._sctp = RTCSctpTransport(self._dtls)
        self._channel = RTCDataChannel(self._sctp, RTCDataChannelParameters(label=label))
        self._channel.on("message", self._message_received)
        self._channel.on("open", self.on_channel_open)
        await self._sctp.start(RTCSctpCapabilities(maxMessageSize=65_536), port)

    def send_packet(self, packet: bytes) -> None:
        """Protect one RTP packet and send it."""
        if self._protect is not None:
            self.ice.send(self._protect(packet))

    def send_report(self, packet: bytes) -> None:
        """Protect one RTCP compound and send it."""
        if self._protect is not None:
            self.ice.send(self._dtls._tx_srtp.protect_rtcp(packet))

    def send_text(self, text: str) -> None:
        """Send a message on the data channel, which `has_channel`."""
        if self._channel is not None:
            self._channel.send(text)

    async def watch(self) -> None:
        """Wait until the link is lost.

        Raises:
            SessionLost: always, in the end.
        """
        closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def state_changed() -> None:
            if self._dtls.state in {"closed", "failed"} and not closed.done():
                closed.set_result(None)

        self._dtls.on("statechange", state_changed)
        state_changed()
        consent = asyncio.create_task(self.ice.keep_consent())
        try:
            await asyncio.wait([consent, closed], return_when=asyncio.FIRST_COMPLETED)
            if consent.done():
                consent.result()
        finally:
            consent.cancel()
        raise SessionLost("the server closed the session")

    async def close(self) -> None:
        """Free everything; what hangs is left behind after a second."""
        self._protect = None
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._sctp is not None:
                    await self._sctp.stop()
                await self._dtls.stop()
        except (TimeoutError, ConnectionError):
            logger.debug("the link did not close in time")
        self._wire.offer(None)
        self.ice.close()

    def _datagram_received(self, datagram: bytes) -> None:
        first = datagram[0]
        if 20 <= first <= 63:
            self._wire.offer(datagram)
        elif 128 <= first <= 191 and self._protect is not None and 192 <= datagram[1] <= 223:
            try:
                report = self._dtls._rx_srtp.unprotect_rtcp(datagram)
            except SrtpError:
                return
            self._on_report(report)

    def _message_received(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._on_message(message)
