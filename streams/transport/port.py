"""The one UDP port of all sessions: receives, tells STUN, DTLS and SRTP apart, finds the session."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable

from pylibsrtp import Session

from streams import native
from streams.native import Data
from streams.transport import stun
from streams.transport.dtls import NodeCertificate
from streams.transport.inbox import Inbox, address_of
from streams.transport.link import Address, Link
from streams.transport.sockets import split_reports, widen_buffers
from streams.transport.srtp import Opener

logger = logging.getLogger(__name__)

BATCH = 64
"""Datagrams taken in one wake-up; then the loop may do something else."""
FEW = 8
NAP_SECONDS, NAPS = 0.0002, 3
"""A frame's packets come in a burst, and the first wakes the node: so long it waits for the rest, to send all with one
datagram to each viewer rather than the first with one of its own."""
NAPS_SPARED = 16
"""So many are left out after one that brought nothing: this publisher spreads its packets."""
REPORTS_PAUSE, REPORTS_WAIT = 0.01, 0.02
"""Reports wait for each other so long, then are read after the next round of media, when what belongs to the viewers is
in the processor's cache, or at last by themselves: a wake-up costs more than to read one, and viewers send dozens."""
DATAGRAM_BOUND = 2048
SOURCES_BOUND = 64
"""SSRCs that one peer may send from: libsrtp keeps a context for each as long as the session lives."""

_SIOCGSTAMPNS = 0x8907
_TIMESPEC = struct.Struct("@qq")
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("=9I")
_NO_TIME = bytes(_TIMESPEC.size)

# How `native.c` names what is left to do with a datagram.
_RAW, _OPENED_RTP, _OPENED_RTCP = 0, 1, 2
_REFUSED = {3: "srtp", 4: "srtcp"}


class MediaPort:
    """The node's UDP socket and the tables that lead from a datagram to its `Link`.

    Where the kernel can, RTCP comes by a second socket on the same port, which is read after media and in lots.
    Nothing is learned from an unauthenticated datagram: addresses enter the table by signed STUN checks only.
    """

    def __init__(self, sock: socket.socket, certificate: NodeCertificate) -> None:
        self.socket = sock
        self._reports = split_reports(sock)
        if self._reports is not None:
            widen_buffers(self._reports)
        self._reports_timer: asyncio.TimerHandle | None = None
        self._reports_taken_at = 0.0
        self.certificate = certificate
        self.packets_in = self.bytes_in = self.packets_out = self.bytes_out = self.send_drops = 0
        self.dtls_dropped = 0
        """DTLS datagrams that found their session's queue full, of sessions that are over."""
        self.addresses_forgotten = 0
        """Addresses of peers that checked from too many."""
        self.refused: Counter[str] = Counter()
        """Datagrams that led nowhere, by kind."""
        self.on_round: Callable[[], None] = lambda: None
        """Called after each round of receiving: what gathered to be forwarded goes out then."""
        self.awaits_more: Callable[[], bool] = lambda: False
        """Asked in a round of few datagrams: whether what gathered is worth more with what comes next."""
        self._naps_spared = 0
        self._inbox = None if native.lib is None else Inbox()
        if self._inbox is None:
            self._buffers = [bytearray(DATAGRAM_BOUND)]
        else:
            self._buffers = self._inbox.buffers
            self._inbox.prepare(sock)
        self._openers = [Opener(buffer) for buffer in self._buffers]
        self._links: dict[int, Link] = {}
        self._links_opened = 0
        self._by_address: dict[Address, Link] = {}
        self._by_ufrag: dict[str, tuple[Link, bytes]] = {}
        self._has_kernel_times = True
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def number(self) -> int:
        """The UDP port's number."""
        return int(self.socket.getsockname()[1])

    @property
    def kernel_drops(self) -> int:
        """Datagrams that found the sockets' own buffers full; 0 where the kernel doesn't say."""
        return sum(_kernel_drops(sock) for sock in (self.socket, self._reports) if sock is not None)

    @property
    def entries(self) -> dict[str, int]:
        """How many entries its tables have: a few for each session, none without any."""
        return {"addresses": len(self._by_address), "ufrags": len(self._by_ufrag)}

    @property
    def has_links(self) -> bool:
        """Whether any datagram could still lead to a session."""
        return bool(self._by_address or self._by_ufrag)

    def start(self) -> None:
        """Receive from now on, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket.fileno(), self._readable)
        if self._reports is not None:
            self._loop.add_reader(self._reports.fileno(), self._reports_readable, self._loop, self._reports)

    def close(self) -> None:
        """Receive no more and give the port back."""
        if self._reports_timer is not None:
            self._reports_timer.cancel()
        for sock in (self.socket, self._reports):
            if sock is not None:
                if self._loop is not None:
                    self._loop.remove_reader(sock.fileno())
                sock.close()

    def open_link(self, now: float) -> Link:
        """Make a link that peers reach by its ufrag."""
        link = Link(self, now)
        self._links_opened += 1
        link.set_number(self._links_opened & 0xFFFFFFFF)
        self._links[link.number] = link
        self.add_credentials(link, link.ufrag, link.password)
        return link

    def send(self, datagram: bytes, address: Address) -> None:
        """Send one datagram that isn't media; dropped and counted when the socket is full."""
        try:
            self.socket.sendto(datagram, address)
        except OSError:
            self.send_drops += 1
        else:
            self.packets_out += 1
            self.bytes_out += len(datagram)

    def refuse(self, kind: str) -> None:
        """Count what led nowhere behind the port: in a session's DTLS."""
        self.refused[kind] += 1

    def add_credentials(self, link: Link, ufrag: str, password: str) -> None:
        """Let checks with this ufrag lead to `link`."""
        self._by_ufrag[ufrag] = (link, password.encode())

    def forget_credentials(self, credentials: tuple[str, str] | None) -> None:
        """Checks with these lead nowhere from now on."""
        if credentials is not None:
            self._by_ufrag.pop(credentials[0], None)

    def add_address(self, link: Link, address: Address) -> None:
        """Let datagrams from this address lead to `link`, and no more to whom they led before."""
        self._by_address[address] = link
        if self._inbox is not None:
            self._inbox.put(address, link.peer)

    def forget_address(self, link: Link, address: Address) -> None:
        """Datagrams from this address lead to `link` no more."""
        if self._by_address.get(address) is link:
            del self._by_address[address]
            if self._inbox is not None:
                self._inbox.remove(address)

    def remove(self, link: Link) -> None:
        """Forget everything that leads to `link`."""
        self.dtls_dropped += link.dtls.dropped
        self._links.pop(link.number, None)
        for address in link.addresses:
            self.forget_address(link, address)
        self.forget_credentials((link.ufrag, link.password))
        self.forget_credentials(link.next_credentials)

    def _readable(self) -> None:
        if self._take(self.socket) <= FEW and self.awaits_more():
            self._take_rest()
        try:
            self.on_round()
        except Exception:  # noqa: BLE001 - nor does one feed disturb another
            self._unhandled()
        if self._reports_timer is not None and self._reports is not None:
            now = time.monotonic()
            if now - self._reports_taken_at > REPORTS_PAUSE:
                self._take_lot(self._reports, now)

    def _take_lot(self, reports: socket.socket, now: float) -> int:
        """Read what waits of reports. Where that was a full lot, more waits: then the pause is left out."""
        taken = self._take(reports)
        self._reports_taken_at = now if taken < BATCH else 0.0
        return taken

    def _take_rest(self) -> None:
        if self._naps_spared:
            self._naps_spared -= 1
            return
        for nap in range(NAPS):
            # The loop stands still for less than it takes to send the frame; its timers can't wait so briefly.
            time.sleep(NAP_SECONDS)
            if not self._take(self.socket):
                self._naps_spared = 0 if nap else NAPS_SPARED
                return
            if not self.awaits_more():
                return

    def _reports_readable(self, loop: asyncio.AbstractEventLoop, reports: socket.socket) -> None:
        """The first reports after a while: from now on they are looked for at intervals, until none come."""
        loop.remove_reader(reports.fileno())
        self._take_reports(loop, reports)

    def _take_reports(self, loop: asyncio.AbstractEventLoop, reports: socket.socket) -> None:
        now = time.monotonic()
        wait = REPORTS_WAIT
        if now - self._reports_taken_at > REPORTS_PAUSE:
            taken = self._take_lot(reports, now)
            if not taken:
                self._reports_timer = None
                loop.add_reader(reports.fileno(), self._reports_readable, loop, reports)
                return
            if taken == BATCH:
                wait = 0.0
        self._reports_timer = loop.call_later(wait, self._take_reports, loop, reports)

    def _take(self, sock: socket.socket) -> int:
        """Handle what waits in a socket, up to `BATCH` datagrams; returns how many there were."""
        return self._take_singly(sock) if self._inbox is None else self._take_batch(self._inbox, sock)

    def _take_singly(self, sock: socket.socket) -> int:
        receive, buffer = sock.recvfrom_into, self._buffers[0]
        for taken in range(BATCH):
            try:
                length, address = receive(buffer)
            except (BlockingIOError, InterruptedError):
                return taken
            except OSError as error:
                self.refused["socket"] += 1
                logger.debug("port: %s", error)
                continue
            self.packets_in += 1
            self.bytes_in += length
            try:
                self._received(length, address)
            except Exception:  # noqa: BLE001 - one datagram, however it is made, disturbs no session
                self._unhandled()
        return BATCH

    def _take_batch(self, inbox: Inbox, sock: socket.socket) -> int:
        taken = inbox.receive(sock)
        if taken <= 0:
            if taken not in (0, -errno.EAGAIN, -errno.EINTR):
                self.refused["socket"] += 1
            return 0
        self.packets_in += taken
        self.bytes_in += inbox.octets
        step, count = 0, inbox.todo_count
        while step < count:
            try:
                step += self._handle_some(inbox, step)
            except Exception:  # noqa: BLE001 - one datagram, however it is made, disturbs no session
                self._unhandled()
                step += 1
        return taken

    def _handle_some(self, inbox: Inbox, step: int) -> int:
        """Handle what is left to do from this step of the inbox on; how many datagrams that was."""
        place, arrival = inbox.todo(step)
        kind = arrival.kind
        if kind == _RAW:
            self._received(arrival.length, address_of(arrival), place)
        elif kind in _REFUSED:
            self.refused[_REFUSED[kind]] += 1
        else:
            link = self._links.get(arrival.peer)
            if link is None or not link.is_open:
                # It ended within this very batch.
                self.refused["media-unknown"] += 1
            elif kind != _OPENED_RTP:
                self._report(link, place, arrival)
            elif taken := link.on_run(inbox.batch, step, arrival.source):
                return taken
            else:
                link.on_rtp(self._buffers[place], arrival.length, arrival.at)
        return 1

    def _report(self, link: Link, place: int, arrival: Data) -> None:
        """Hand on a report, or that one was read already and makes uneasy."""
        if arrival.kind == _OPENED_RTCP:
            link.on_rtcp(bytes(memoryview(self._buffers[place])[: arrival.length]), time.monotonic())
        else:
            link.on_uneasy()

    def _unhandled(self) -> None:
        self.refused["unhandled"] += 1
        if self.refused["unhandled"] <= 20:
            logger.exception("a datagram was not handled")

    def _received(self, length: int, address: Address, place: int = 0) -> None:
        """Handle the datagram in the buffer of this place, of which nothing is known yet."""
        buffer = self._buffers[place]
        first = buffer[0] if length else 255
        if 127 < first < 192:
            link = self._by_address.get(address)
            if link is None or link.srtp_in is None or length < 12 or not link.is_open:
                self.refused["media-unknown"] += 1
            elif 192 <= buffer[1] <= 223:
                self._rtcp(link, link.srtp_in, length, place)
            else:
                self._rtp(link, link.srtp_in, length, place)
        elif first < 4:
            self._stun(bytes(memoryview(buffer)[:length]), address)
        elif 19 < first < 64:
            link = self._by_address.get(address)
            if link is None or link.is_closed:
                self.refused["dtls-unknown"] += 1
            else:
                link.dtls.feed(bytes(memoryview(buffer)[:length]))
        else:
            self.refused["unknown-kind"] += 1

    def _rtp(self, link: Link, session: Session, length: int, place: int) -> None:
        buffer = self._buffers[place]
        ssrc = bytes(buffer[8:12])
        if ssrc not in link.sources and len(link.sources) >= SOURCES_BOUND:
            self.refused["sources-full"] += 1
            return
        clear = self._openers[place].open_rtp(session, length)
        if not clear:
            self.refused["srtp"] += 1
            return
        link.add_source(ssrc)
        link.on_rtp(buffer, clear, self._arrival_time() if link.wants_arrival_times else time.monotonic())

    def _arrival_time(self) -> float:
        """When the kernel got the datagram that was received last, by the monotonic clock.

        Packets that waited together in the socket did not arrive together: the publisher's estimate of its
        bandwidth, made from these times, would suffer.
        """
        now = time.monotonic()
        if not self._has_kernel_times:
            return now
        try:
            seconds, nanoseconds = _TIMESPEC.unpack(fcntl.ioctl(self.socket, _SIOCGSTAMPNS, _NO_TIME))
        except OSError as error:
            # Asking switches the kernel's clock on, so the first packet may have no time yet.
            self._has_kernel_times = error.errno == errno.ENOENT
            return now
        waited = time.time() - seconds - nanoseconds / 1e9
        return now - waited if 0 < waited < 1 else now

    def _rtcp(self, link: Link, session: Session, length: int, place: int) -> None:
        buffer = self._buffers[place]
        ssrc = bytes(buffer[4:8])
        if ssrc not in link.sources and len(link.sources) >= SOURCES_BOUND:
            self.refused["sources-full"] += 1
            return
        clear = self._openers[place].open_rtcp(session, length)
        if clear:
            link.add_source(ssrc)
            link.on_rtcp(bytes(memoryview(buffer)[:clear]), time.monotonic())
        else:
            self.refused["srtcp"] += 1

    def _stun(self, datagram: bytes, address: Address) -> None:
        try:
            request = stun.read_request(datagram)
        except stun.MalformedStun:
            self.refused["stun-malformed"] += 1
            return
        link, password = self._by_ufrag.get(request.local_ufrag, (None, b""))
        if link is None or link.is_closed or not request.is_signed_with(password):
            self.refused["stun-unauthenticated"] += 1
            return
        if request.peer_is_controlled:
            self.send(stun.role_conflict(request, password), address)
            return
        link.credentials_used(request.local_ufrag)
        link.checked(address, request.use_candidate, time.monotonic())
        self.send(stun.success(request, address, password), address)


def _kernel_drops(sock: socket.socket) -> int:
    try:
        found = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    except OSError:
        return 0
    return int(_MEMINFO.unpack(found)[-1]) if len(found) == _MEMINFO.size else 0
