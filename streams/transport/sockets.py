"""The node's sockets: opened on their ports, with room for bursts."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from cffi import FFI  # type: ignore[import-untyped]

SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

_SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 33, 32
_SO_REUSEPORT = getattr(socket, "SO_REUSEPORT", None)
_SO_ATTACH_REUSEPORT_CBPF = 51
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD_BYTE, _JUMP_IF_AT_LEAST, _RETURN = 0x30, 0x35, 0x06
# As RFC 7983 and RFC 5761 tell them apart: RTCP goes to the second socket, all else to the first.
_TO_SOCKETS = (
    (_LOAD_BYTE, 0, 0, 0),
    (_JUMP_IF_AT_LEAST, 0, 5, 128),
    (_JUMP_IF_AT_LEAST, 4, 0, 192),
    (_LOAD_BYTE, 0, 0, 1),
    (_JUMP_IF_AT_LEAST, 0, 2, 192),
    (_JUMP_IF_AT_LEAST, 1, 0, 224),
    (_RETURN, 0, 0, 1),
    (_RETURN, 0, 0, 0),
)


def widen_buffers(sock: socket.socket) -> None:
    """Give a socket large buffers: beyond the system's limit where the process may, else up to it."""
    for forced, plain in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        sock.setsockopt(socket.SOL_SOCKET, plain, SOCKET_BUFFER_BYTES)
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER_BYTES)


def bind_media(port: int, host: str = "0.0.0.0") -> socket.socket:  # noqa: S104 - phones come from anywhere
    """Open the node's UDP socket, non-blocking.

    Raises:
        OSError: the port is taken.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def split_reports(sock: socket.socket) -> socket.socket | None:
    """A second socket on the port of `sock`, to which the kernel gives all RTCP from now on.

    So reports neither wake the node one by one nor stand before media. None where the kernel can't: then `sock`
    goes on to get everything. The port was bound alone before it is shared, so nobody else's can be joined.
    """
    if _SO_REUSEPORT is None:
        return None
    program = b"".join(_INSTRUCTION.pack(*instruction) for instruction in _TO_SOCKETS)
    ffi = FFI()
    memory = ffi.from_buffer(program)
    reports = socket.socket(sock.family, socket.SOCK_DGRAM)
    try:
        reports.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
        reports.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 1)
        reports.bind(sock.getsockname())
        address = int(ffi.cast("uintptr_t", memory))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", len(_TO_SOCKETS), address))
    except OSError:
        reports.close()
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_REUSEPORT, 0)
        return None
    return reports


def bind_signalling(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Open the node's HTTP socket; on loopback the web process of the same machine passes WHIP and WHEP on.

    Raises:
        OSError: the port is taken.
    """
    # Named in full: asyncio turns Nagle's algorithm off for TCP alone, and a head would hold its body back for 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
