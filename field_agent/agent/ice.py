"""ICE for a client of a server with a fixed port: one socket, our checks decide, and consent is kept fresh.

The controlling half of RFC 8445 with regular nomination, for answers that carry all their candidates
(as WHIP servers' do). After nomination the socket is connected, so a dead port is known at once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aioice import stun

from field_agent.agent.errors import SessionLost

logger = logging.getLogger(__name__)

Address = tuple[str, int]

CHECK_SECONDS = 0.05
CONNECT_SECONDS = 5.0
CONSENT_SECONDS = 1.0
CONSENT_LOST_SECONDS = 3.0
MAX_CANDIDATES = 16
MAX_DATAGRAM_BYTES = 2_048
READS_A_WAKE_UP = 32
HOST_PRIORITY = (126 << 24) | (65_535 << 8) | 255
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def random_text(length: int) -> str:
    """Letters and digits for a user fragment or a password."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass(frozen=True, slots=True)
class Credentials:
    """One side's user fragment and password."""

    fragment: str
    password: str

    @classmethod
    def new(cls) -> Credentials:
        """Fresh ones."""
        return cls(random_text(8), random_text(24))


class IceClient:
    """Finds a way to the server and holds it; gives every datagram that isn't STUN to `on_datagram`."""

    def __init__(self, on_datagram: Callable[[bytes], None]) -> None:
        self.local = Credentials.new()
        self._remote = Credentials("", "")
        self._on_datagram = on_datagram
        self._loop = asyncio.get_running_loop()
        self._tie_breaker = secrets.randbits(64)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("0.0.0.0", 0))  # noqa: S104 - any interface may lead to the server
        self._asked: dict[bytes, tuple[Address, bool]] = {}
        self._nominated: asyncio.Future[Address] = self._loop.create_future()
        self._candidate: Address | None = None
        self._heard_at = 0.0
        self.is_dead = False
        self.send_errors = 0
        self._loop.add_reader(self._socket.fileno(), self._readable)

    async def connect(self, remote: Credentials, candidates: Sequence[Address]) -> None:
        """Check the server's addresses and nominate the first that answers.

        Raises:
            SessionLost: none answered in time.
        """
        self._remote = remote
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                while not self._nominated.done():
                    if self._candidate is not None:
                        self._ask(self._candidate, nominate=True)
                    else:
                        for address in candidates[:MAX_CANDIDATES]:
                            self._ask(address, nominate=False)
                    await asyncio.wait([self._nominated], timeout=CHECK_SECONDS)
        except TimeoutError as error:
            raise SessionLost("no candidate of the server answers") from error
        self._asked.clear()
        self._socket.connect(self._nominated.result())

    async def keep_consent(self) -> None:
        """Ask again each second, for as long as the server answers (RFC 7675, with a shorter patience).

        Raises:
            SessionLost: it doesn't any more.
        """
        while True:
            await asyncio.sleep(CONSENT_SECONDS)
            if self.is_dead or self._loop.time() - self._heard_at > CONSENT_LOST_SECONDS:
                self.is_dead = True  # nobody is asked to end the session: the next one replaces it, and sooner
                raise SessionLost("the server doesn't answer any more")
            if len(self._asked) > MAX_CANDIDATES:
                self._asked.clear()
            self._ask(self._nominated.result(), nominate=True)

    def send(self, datagram: bytes) -> None:
        """Send to the nominated address; a full buffer drops, a dead port is remembered."""
        try:
            self._socket.send(datagram)
        except ConnectionRefusedError:
            self.is_dead = True
        except OSError:
            self.send_errors += 1

    def close(self) -> None:
        """Free the socket."""
        self.is_dead = True
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._nominated.cancel()

    def _ask(self, address: Address, *, nominate: bool) -> None:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote.fragment}:{self.local.fragment}"
        request.attributes["PRIORITY"] = HOST_PRIORITY
        request.attributes["ICE-CONTROLLING"] = self._tie_breaker
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._remote.password.encode())
        self._asked[request.transaction_id] = (address, nominate)
        self._transmit(bytes(request), address)

    def _transmit(self, datagram: bytes, address: Address) -> None:
        if self._nominated.done():
            self.send(datagram)
            return
        try:
            self._socket.sendto(datagram, address)
        except OSError as error:
            logger.debug("no way to a candidate: %s", error)

    def _readable(self) -> None:
        for _ in range(READS_A_WAKE_UP):
            try:
                datagram, address = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                self.is_dead = self._nominated.done()
                return
            except OSError as error:
                logger.debug("reading failed: %s", error)
                return
            if datagram and datagram[0] < 4:
                self._stun_received(datagram, address)
            elif datagram and self._nominated.done():
                self._on_datagram(datagram)

    def _stun_received(self, datagram: bytes, address: Address) -> None:
        try:
            message = stun.parse_message(datagram)
        except Exception as error:  # noqa: BLE001 - the parser leaks struct and unicode errors on garbage
            logger.debug("malformed STUN: %s", error)
            return
        if message.message_class is stun.Class.REQUEST:
            self._answer(message, address)
            return
        asked = self._asked.pop(message.transaction_id, None)
        if asked is None or not message.check_message_integrity(self._remote.password.encode()):
            return
        if message.message_class is not stun.Class.RESPONSE:
            return
        self._heard_at = self._loop.time()
        candidate, nominate = asked
        if nominate and not self._nominated.done():
            self._nominated.set_result(candidate)
        elif self._candidate is None:
            self._candidate = candidate

    def _answer(self, request: stun.Message, address: Address) -> None:
        """A full agent on the other side checks us too."""
        if not request.check_message_integrity(self.local.password.encode()):
            return
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = address
        response.add_message_integrity(self.local.password.encode())
        self._transmit(bytes(response), address)
