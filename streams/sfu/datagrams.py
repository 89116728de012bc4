"""The kernel's way to send many datagrams at once (`sendmmsg`, UDP segmentation), through cffi's ABI mode."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import Any

from cffi import FFI  # type: ignore[import-untyped]

Data = Any
"""A cffi value: cffi has no static types."""

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


class Envelope:
    """Addressed headers of `members` datagrams of up to `slots` segments each; all memory is made once."""

    __slots__ = ("_controls", "_keep", "_sizes", "headers", "slots", "vectors")

    def __init__(self, addresses: list[bytes], buffers: list[list[int]], slots: int) -> None:
        """`buffers` holds, for each member, where its segments lie in memory."""
        members = len(addresses)
        self.slots = slots
        self.vectors = ffi.new("struct iovec[]", max(1, members * slots))
        self.headers = ffi.new("struct mmsghdr[]", max(1, members))
        self._controls: list[Data] = []
        self._sizes: list[Data] = []
        self._keep: list[Data] = []
        for index, address in enumerate(addresses):
            for slot, place in enumerate(buffers[index]):
                self.vectors[index * slots + slot].iov_base = ffi.cast("void *", place)
            name = ffi.new("char[]", address)
            head = struct.pack("@Nii", _CONTROL_LENGTH, _SOL_UDP, _UDP_SEGMENT)
            control = ffi.new("char[]", head + bytes(_CONTROL_SPACE - len(head)))
            self._keep.append(name)
            self._controls.append(control)
            self._sizes.append(ffi.cast("uint16_t *", control + len(head)))
            header = self.headers[index].msg_hdr
            header.msg_name, header.msg_namelen = name, len(address)
            header.msg_iov, header.msg_iovlen = self.vectors + index * slots, 1

    def length_address(self, member: int, slot: int) -> int:
        """Where a C int with the length of that segment lies: the low half of its vector's size."""
        vector = self.vectors[member * self.slots + slot]
        place = int(ffi.cast("uintptr_t", ffi.addressof(vector, "iov_len")))
        return place if sys.byteorder == "little" else place + struct.calcsize("@N") - 4

    def shape(self, count: int) -> None:
        """Let each datagram hold its first `count` segments, all as long as the first except a shorter last."""
        for index, size in enumerate(self._sizes):
            header = self.headers[index].msg_hdr
            header.msg_iovlen = count
            if count > 1:
                size[0] = self.vectors[index * self.slots].iov_len
                header.msg_control, header.msg_controllen = self._controls[index], _CONTROL_SPACE
            else:
                header.msg_control, header.msg_controllen = ffi.NULL, 0
