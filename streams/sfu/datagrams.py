"""The kernel's way to send many datagrams at once (`sendmmsg`, UDP segmentation), through cffi's ABI mode."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import Any

from cffi import FFI  # type: ignore[import-untyped]
from pylibsrtp._binding import ffi as srtp_ffi

from streams.sfu.ring import MAX_PACKET

Data = Any
"""A cffi value: cffi has no static types."""

TRAILER = 144
"""What libsrtp may add to a packet: the longest tag and key identifier."""
EXTENSIONS = 100
"""What a viewer's header extensions take beyond the publisher's, at most."""
SLOT_BYTES = MAX_PACKET + EXTENSIONS + TRAILER
SLOTS = 8
"""How many packets gather for one viewer before they are sent; the kernel takes up to 64."""
PLACES = 64
FILLED_AT_ONCE = 128
"""Packets written before they are sent: about what the second-level cache keeps."""

ffi = FFI()
ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr {
        void *msg_name; unsigned int msg_namelen;
        struct iovec *msg_iov; size_t msg_iovlen;
        void *msg_control; size_t msg_controllen; int msg_flags;
    };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int sendmmsg(int, struct mmsghdr *, unsigned int, int);
    """
)

_SOL_UDP, _UDP_SEGMENT = 17, 103
_CONTROL_LENGTH = struct.calcsize("@Nii") + 2
_CONTROL_SPACE = struct.calcsize("@NiiN")


def load_sendmmsg() -> Any:
    """The C library's `sendmmsg`, or None where there is none (then datagrams go one by one)."""
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(OSError, AttributeError):
        return ffi.dlopen(None).sendmmsg
    return None


def can_segment(sock: socket.socket) -> bool:
    """Whether the kernel cuts one long datagram into many (UDP_SEGMENT, Linux 4.18)."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        sock.getsockopt(_SOL_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True


def pack_address(family: int, address: tuple[Any, ...]) -> bytes:
    """The C form of a socket address as Python gives it (numeric host first)."""
    host, port = address[0], address[1]
    if family == socket.AF_INET6:
        if ":" not in host:
            host = f"::ffff:{host}"
        scope = address[3] if len(address) > 3 else 0
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        return struct.pack("=H", family) + struct.pack("!HI", port, 0) + packed + struct.pack("=I", scope)
    return struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


def unpack_address(family: int, name: Data) -> tuple[Any, ...]:
    """The Python form of what `pack_address` made."""
    packed = bytes(ffi.buffer(name))
    (port,) = struct.unpack_from("!H", packed, 2)
    if family == socket.AF_INET6:
        (scope,) = struct.unpack_from("=I", packed, 24)
        return socket.inet_ntop(socket.AF_INET6, packed[8:24]), port, 0, scope
    return socket.inet_ntoa(packed[4:8]), port


class Place:
    """Where one viewer's datagram is written: up to `SLOTS` segments, each with room for what protection adds."""

    __slots__ = ("_control", "_header", "_memory", "_vectors", "first_length", "name", "segment_size", "slots")

    def __init__(self, header: Data, vectors: Data) -> None:
        self._memory = srtp_ffi.new("char[]", SLOTS * SLOT_BYTES)
        self._header = header
        self._vectors = vectors
        self.name: Data = None
        # For each segment: a view to write by, the pointer and the length that protection takes.
        self.slots: list[tuple[Any, Data, Data]] = []
        for slot in range(SLOTS):
            data = self._memory + slot * SLOT_BYTES
            vectors[slot].iov_base = ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", data)))
            length = srtp_ffi.cast("int *", _low_half(ffi.addressof(vectors[slot], "iov_len")))
            self.slots.append((memoryview(srtp_ffi.buffer(data, SLOT_BYTES)), data, length))
        head = struct.pack("@Nii", _CONTROL_LENGTH, _SOL_UDP, _UDP_SEGMENT)
        control = ffi.new("char[]", _CONTROL_SPACE)
        ffi.buffer(control)[0 : len(head)] = head
        self._control = control
        # To be set to the first segment's length: all are as long, except a shorter last.
        self.segment_size = ffi.cast("uint16_t *", control + len(head))
        self.first_length = self.slots[0][2]
        header.msg_iov, header.msg_iovlen = vectors, 1

    def shape(self, count: int) -> None:
        """Let the datagram hold its first `count` segments."""
        header = self._header
        header.msg_iovlen = count
        if count > 1:
            header.msg_control, header.msg_controllen = self._control, _CONTROL_SPACE
        else:
            header.msg_control, header.msg_controllen = ffi.NULL, 0

    def address(self, name: Data) -> None:
        """Direct it."""
        self.name = name
        self._header.msg_name, self._header.msg_namelen = name, len(name)

    def segment(self, slot: int) -> bytes:
        """What stands in one segment."""
        size = self._vectors[slot].iov_len
        return bytes(self.slots[slot][0][0:size])


class Tray:
    """Memory for a few viewers' datagrams, filled and sent again and again: it stays in the processor's cache."""

    def __init__(self) -> None:
        self.headers = ffi.new("struct mmsghdr[]", PLACES)
        self._vectors = ffi.new("struct iovec[]", PLACES * SLOTS)
        self.places = [Place(self.headers[i].msg_hdr, self._vectors + i * SLOTS) for i in range(PLACES)]
        self._count = 1

    def begin(self, count: int) -> int:
        """Shape all for `count` segments each; returns how many places to fill at a time."""
        if count != self._count:
            for place in self.places:
                place.shape(count)
            self._count = count
        return min(PLACES, max(1, FILLED_AT_ONCE // count))

    def octets(self, first: int, places: int, segments: int) -> int:
        """How many bytes stand in so many places from this one on."""
        return sum(
            length[0] for place in self.places[first : first + places] for _, _, length in place.slots[:segments]
        )


def _low_half(size: Data) -> int:
    """Where the C int lies that holds a small `size_t`."""
    place = int(ffi.cast("uintptr_t", size))
    return place if sys.byteorder == "little" else place + struct.calcsize("@N") - 4
