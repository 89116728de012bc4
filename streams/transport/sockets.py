"""The node's sockets: opened on their ports, with room for bursts."""

from __future__ import annotations

import socket
from contextlib import suppress

SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

_SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 33, 32


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


def bind_signalling(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Open the node's HTTP socket; on loopback the web process of the same machine passes WHIP and WHEP on.

    Raises:
        OSError: the port is taken.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
