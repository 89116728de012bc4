"""Sends media: each viewer's protected copies with one system call for many, never blocking."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from streams import native
from streams.rtp.header import Buffer
from streams.sfu.datagrams import SLOT_BYTES, Data, Tray, can_segment, ffi, load_sendmmsg, pack_address, unpack_address
from streams.sfu.delays import DelayHistogram

if TYPE_CHECKING:
    from streams.sfu.fanout import FanOut

logger = logging.getLogger(__name__)

_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
_NOT_SEGMENTABLE = {errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP}


@dataclass(slots=True)
class ForwarderCounters:
    """What went out of the socket, and what did not."""

    packets: int = 0
    octets: int = 0
    """Of all packets, as protected."""
    dropped: int = 0
    """The socket's buffer was full."""
    errors: int = 0
    """The kernel refused the datagram, or it could not be protected."""
    calls: int = 0


class Forwarder:
    """The node's one way out for media; `sock` is the UDP socket of all sessions, its buffers as wide as may be.

    Packets given to feeds gather here until `flush`, which must follow each round of reading from the socket.
    """

    def __init__(self, sock: socket.socket, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.sock = sock
        self.family = sock.family
        self.clock = clock
        self.counters = ForwarderCounters()
        self.delays = DelayHistogram()
        self.segmentation = can_segment(sock)
        self._sendmmsg = load_sendmmsg()
        self.descriptor = sock.fileno()
        self._pending: list[FanOut] = []
        self.tray = Tray()
        self.native_tray, self.outcome = _native_tray()
        self._failed = False
        self._scratch = srtp_ffi.new("char[]", SLOT_BYTES)
        self._scratch_view = srtp_ffi.buffer(self._scratch)
        self._length = srtp_ffi.new("int *")
        sock.setblocking(False)

    def flush(self) -> None:
        """Send all that has gathered."""
        if self._pending:
            pending, self._pending = self._pending, []
            for fan_out in pending:
                fan_out.reminded = False
                fan_out.flush()

    @property
    def awaits_more(self) -> bool:
        """Whether a frame has gathered in part."""
        return any(fan_out.awaits_more for fan_out in self._pending)

    def remind(self, fan_out: FanOut) -> None:
        """`fan_out` holds packets: flush it in this round."""
        self._pending.append(fan_out)

    def send_one(self, session: Session, packet: Buffer, address: tuple[Any, ...]) -> bool:
        """Protect and send a single RTP packet; False if it was dropped."""
        size = len(packet)
        self._scratch_view[0:size] = packet
        self._length[0] = size
        if srtp_lib.srtp_protect(session._srtp[0], self._scratch, self._length):
            self.counters.errors += 1
            return False
        return self.send_protected(self._scratch_view[0 : self._length[0]], address)

    def send_protected(self, data: Buffer, address: tuple[Any, ...]) -> bool:
        """Send what is protected already; False if it was dropped."""
        self.counters.calls += 1
        try:
            self.sock.sendto(data, address)
        except BlockingIOError:
            self.counters.dropped += 1
        except OSError:
            self.counters.errors += 1
        else:
            self.counters.packets += 1
            self.counters.octets += len(data)
            return True
        return False

    def name_of(self, address: tuple[Any, ...]) -> Data:
        """The C form of an address, to direct a place of the tray by."""
        packed = pack_address(self.family, address)
        name = ffi.new("char[]", len(packed))
        ffi.buffer(name)[:] = packed
        return name

    def sent(self, outcome: Data) -> None:
        """Count what the native loop did."""
        counters = self.counters
        counters.packets += outcome.packets
        counters.octets += outcome.octets
        counters.calls += outcome.calls
        if outcome.dropped or outcome.errors or outcome.cannot_segment:
            counters.dropped += outcome.dropped
            counters.errors += outcome.errors
            if outcome.cannot_segment:
                self._segment_no_more(outcome.cannot_segment)

    def _segment_no_more(self, code: int) -> None:
        if self.segmentation:
            logger.warning("the kernel can't segment datagrams here, they go one by one (error %d)", code)
            self.segmentation = False

    def failed(self) -> None:
        """A packet in the tray could not be protected, and is empty now."""
        self.counters.errors += 1
        self._failed = True

    def send_tray(self, total: int, segments: int) -> None:
        """Send the first `total` places of `segments` packets each."""
        if self._failed or self._sendmmsg is None:
            self._failed = False
            self._send_singly(range(total), segments)
            return
        uncut = self._send_many(total, segments)
        if uncut:
            self._send_singly(uncut, segments)

    def _send_many(self, total: int, segments: int) -> list[int]:
        """Send with one call; returns the places whose datagram the kernel would not cut into segments."""
        counters, headers = self.counters, self.tray.headers
        uncut: list[int] = []
        position = 0
        while position < total:
            counters.calls += 1
            sent = self._sendmmsg(self.descriptor, headers + position, total - position, _DONT_WAIT)
            if sent > 0:
                counters.packets += sent * segments
                counters.octets += self.tray.octets(position, sent, segments)
                position += sent
                continue
            code = ffi.errno
            if code in (errno.EAGAIN, errno.ENOBUFS):
                counters.dropped += (total - position) * segments
                break
            if code == errno.EINTR:
                continue
            if segments > 1 and code in _NOT_SEGMENTABLE:
                uncut.append(position)
                if code in (errno.EIO, errno.EOPNOTSUPP):
                    self._segment_no_more(code)
            else:
                counters.errors += segments
            position += 1
        return uncut

    def _send_singly(self, positions: Sequence[int], segments: int) -> None:
        for position in positions:
            place = self.tray.places[position]
            address = unpack_address(self.family, place.name)
            for slot in range(segments):
                data = place.segment(slot)
                if data:
                    self.send_protected(data, address)


def _native_tray() -> tuple[Data, Data]:
    """Memory for the native loop, and where it says what became of it; nothing where there is no such loop."""
    if native.lib is None:
        return None, None
    tray = native.ffi.new("char[]", native.lib.tray_bytes())
    native.lib.tray_prepare(tray)
    return tray, native.ffi.new("struct outcome *")
