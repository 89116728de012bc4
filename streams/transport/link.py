"""One peer's road through the node's port: its ICE credentials, its present address, its DTLS and SRTP."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import pylibsrtp
from aiortc import RTCDataChannel
from pylibsrtp import Session

from streams import native
from streams.native import Data
from streams.transport.dtls import Dtls, Role, Sctp

if TYPE_CHECKING:
    from streams.transport.port import MediaPort

logger = logging.getLogger(__name__)

Address = tuple[str, int]

CONSENT_SECONDS = 15.0
"""A peer whose last authenticated check is older has gone (RFC 7675 allows 30)."""
CONNECT_SECONDS = 15.0
"""A peer that hasn't finished ICE and DTLS by then isn't waited for."""
SILENT_SECONDS = 4.0
"""Browsers check the pair in use every 2.5 s."""
RETURN_SECONDS = 0.5
"""A check from the address that was just left may have been under way since before the move: it moves nothing yet."""
ADDRESS_BOUND = 8
"""Addresses that one peer may have checked from; the oldest is forgotten."""


def new_credentials() -> tuple[str, str]:
    """A fresh ICE ufrag and password."""
    return secrets.token_urlsafe(9).replace("-", "+").replace("_", "/"), secrets.token_hex(16)


def ignore(*arguments: object) -> None:
    """What stands where nobody listens."""


def take_none(*arguments: object) -> int:
    """What stands where nobody takes packets several at a time."""
    return 0


class Link:
    """The transport of one session; the `Outlet` that the forwarder sends through.

    `address` is where the peer last asked to be sent to: taken from its last authenticated check that carries
    USE-CANDIDATE, so that a hand-over to another network is nothing but a check from there. `address_version`
    counts its changes. `on_rtp(buffer, length, now)` and `on_rtcp(packet, now)` get what was opened; before `on_rtp`,
    `on_run(batch, step, ssrc)` may take several of the port's batch at once, and tells how many: with 0 it took none;
    `on_uneasy()` hears of feedback that was read before (`share_trail`) and shows that something queues or is lost;
    `on_open()` and `on_close(reason)` tell the two changes of its life, `on_change()` that what is sent to it must go
    elsewhere, or nowhere.
    """

    def __init__(self, port: MediaPort, now: float) -> None:
        self._port = port
        self.ufrag, self.password = new_credentials()
        self.next_credentials: tuple[str, str] | None = None
        self.address: Address | None = None
        self.address_version = 0
        self.moves = 0
        self.addresses: dict[Address, None] = {}
        self.sources: set[bytes] = set()
        self.started_at = now
        self.last_check_at = now
        self.is_nominated = False
        self.wants_arrival_times = False
        """Whether packets' times must be the kernel's: to ask for each costs a system call."""
        self._address_checked_at = now
        self._former_address: Address | None = None
        self._moved_at = now
        self.is_open = False
        self.is_closed = False
        self._is_released = False
        self.srtp_in: Session | None = None
        self.srtp_out: Session | None = None
        self.peer: Data = None if native.lib is None else native.ffi.new("struct peer *")
        """What `native.c` opens this peer's datagrams by, where it does."""
        self.number = 0
        """By which the port finds it."""
        self._shared: tuple[Data, Data] = (None, None)
        self.on_rtp: Callable[[bytearray, int, float], None] = ignore
        self.on_run: Callable[[Data, int, int], int] = take_none
        self.on_rtcp: Callable[[bytes, float], None] = ignore
        self.on_uneasy: Callable[[], None] = ignore
        self.on_open: Callable[[], None] = ignore
        self.on_close: Callable[[str], None] = ignore
        self.on_change: Callable[[], None] = ignore
        self.dtls = Dtls(port.certificate, self.send, self._dtls_changed)
        self._task: asyncio.Task[None] | None = None
        self._was_checked = asyncio.Event()
        self._channel: tuple[Callable[[RTCDataChannel], None], int, int] | None = None
        self._sctp: Sctp | None = None

    def set_number(self, number: int) -> None:
        """Give it the number by which the port finds it."""
        self.number = number
        if self.peer is not None:
            self.peer.number = number

    def start(self, role: Role, fingerprints: list[tuple[str, str]]) -> None:
        """Begin to shake hands; nothing goes out before the peer's first authenticated check."""
        self._task = asyncio.create_task(self._shake_hands(role, fingerprints))

    def offer_channel(self, on_channel: Callable[[RTCDataChannel], None], port: int, max_message_size: int) -> None:
        """Take the peer's data channels once connected; before `start`."""
        self._channel = (on_channel, port, max_message_size)

    def share_trail(self, log: Data, road: Data) -> None:
        """Let feedback of this peer be read into these where it is opened; without them `on_rtcp` gets it all."""
        if self.peer is not None and log is not None:
            self._shared = log, road
            self.peer.log, self.peer.road = log, road

    def secure(self, srtp_in: Session, srtp_out: Session) -> None:
        """Open it: from now on media can be opened and sealed."""
        self.srtp_in, self.srtp_out = srtp_in, srtp_out
        if self.peer is not None:
            self.peer.session = native.ffi.cast("void *", native.address_of(srtp_in._srtp[0]))
        self.is_open = True
        self.on_open()

    def add_source(self, ssrc: bytes) -> None:
        """Remember a stream of which something could be opened."""
        if ssrc not in self.sources:
            self.sources.add(ssrc)
            if self.peer is not None and self.peer.known < native.lib.KNOWN_SOURCES:
                self.peer.sources[self.peer.known] = int.from_bytes(ssrc, "big")
                self.peer.known += 1

    def send(self, datagram: bytes) -> None:
        """Send one datagram as it is; dropped while no address is known."""
        if self.address is not None:
            self._port.send(datagram, self.address)

    def send_rtcp(self, plain: bytes) -> None:
        """Seal and send one RTCP compound."""
        if self.is_open and self.srtp_out is not None:
            try:
                self.send(self.srtp_out.protect_rtcp(plain))
            except (pylibsrtp.Error, ValueError) as error:
                logger.debug("link %s: report not sent: %s", self.ufrag, error)

    def checked(self, address: Address, use_candidate: bool, now: float) -> None:
        """Take note of an authenticated connectivity check."""
        self.last_check_at = now
        if address not in self.addresses:
            self._learn(address)
        if address != self.address and self._may_move_to(address, use_candidate, now):
            self._move(address, now)
        if address == self.address:
            self._address_checked_at = now
        self.is_nominated = self.is_nominated or use_candidate

    def _may_move_to(self, address: Address, use_candidate: bool, now: float) -> bool:
        if use_candidate:
            return address != self._former_address or now - self._moved_at >= RETURN_SECONDS
        return self._is_address_silent(now)

    def _move(self, address: Address, now: float) -> None:
        if self.is_nominated:
            logger.info("link %s: moved to another address", self.ufrag)
            self.moves += 1
        self._former_address, self._moved_at = self.address, now
        self.address = address
        self.address_version += 1
        self._was_checked.set()
        self.on_change()

    def _is_address_silent(self, now: float) -> bool:
        """Whether an address that wasn't nominated is better than what there is.

        Before any nomination the first that works will do: a DTLS client must send somewhere. And some agents
        (aioice) nominate once only, so that a new mapping of their NAT shows in nothing but the old one's silence.
        """
        return self.address is None or now - self._address_checked_at > SILENT_SECONDS

    def is_expired(self, now: float) -> bool:
        """Whether the peer has gone, or never came."""
        if not self.is_open and now - self.started_at > CONNECT_SECONDS:
            return True
        return now - self.last_check_at > CONSENT_SECONDS

    def restart_ice(self, now: float) -> tuple[str, str]:
        """Give new credentials; the old stay good until the peer uses the new (RFC 8445 §9).

        Somebody who asks for them is there, so it gets time to use them. But only once: restarts alone, of which none
        is ever followed by a check, keep no session.
        """
        if self.next_credentials is None:
            self.last_check_at = now
        self._port.forget_credentials(self.next_credentials)
        self.next_credentials = new_credentials()
        self._port.add_credentials(self, *self.next_credentials)
        return self.next_credentials

    def credentials_used(self, ufrag: str) -> None:
        """Drop the old credentials once a check came with the new."""
        if self.next_credentials is not None and ufrag == self.next_credentials[0]:
            old, (self.ufrag, self.password) = (self.ufrag, self.password), self.next_credentials
            self.next_credentials = None
            self.is_nominated = False
            self._port.forget_credentials(old)

    async def close(self, reason: str) -> None:
        """End it: the peer is told, everything that leads here is forgotten."""
        self._end(reason)
        if self._is_released:
            return
        self._is_released = True
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._sctp is not None:
            await self._sctp.close()
        await self.dtls.close()
        self._port.remove(self)
        # Links, sessions and transports know each other; the collector, which seldom runs here, shall find nothing.
        self.on_rtp = self.on_rtcp = self.on_uneasy = self.on_open = self.on_close = self.on_change = ignore
        self.on_run = take_none
        self._channel = self._sctp = None

    def _end(self, reason: str) -> None:
        if not self.is_closed:
            self.is_closed, self.is_open = True, False
            if self.peer is not None:
                self.peer.session = native.ffi.NULL
            self.on_change()
            self.on_close(reason)

    def _learn(self, address: Address) -> None:
        if len(self.addresses) >= ADDRESS_BOUND:
            oldest = next(known for known in self.addresses if known != self.address)
            self.addresses.pop(oldest)
            self._port.forget_address(self, oldest)
            self._port.addresses_forgotten += 1
        self.addresses[address] = None
        self._port.add_address(self, address)

    def _dtls_changed(self) -> None:
        state = self.dtls.state
        if state == "connected":
            if self.dtls.srtp_in is not None and self.dtls.srtp_out is not None:
                self.secure(self.dtls.srtp_in, self.dtls.srtp_out)
        elif state == "failed":
            self._end("dtls-failed")
        elif state == "closed":
            self._end("closed-by-peer")

    async def _shake_hands(self, role: Role, fingerprints: list[tuple[str, str]]) -> None:
        try:
            if role == "client":
                # A ClientHello sent nowhere would only be repeated after a second.
                await self._was_checked.wait()
            await self.dtls.run(role, fingerprints)
            if self.is_open and self._channel is not None:
                on_channel, port, max_message_size = self._channel
                self._sctp = Sctp(self.dtls, on_channel, lambda: self._port.refuse("sctp"))
                await self._sctp.run(port, max_message_size)
        except ConnectionError:
            self._end("closed-by-peer")
