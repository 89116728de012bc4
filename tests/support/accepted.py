"""The connections that a server in this process has accepted, as the system knows them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LISTENS = 10
"""`TCP_LISTEN` of Linux, the first byte of `TCP_INFO`."""


@contextmanager
def accepted(port: int) -> Iterator[list[socket.socket]]:
    """Copies of the sockets whose own end is at this port, without the one that listens."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if not entry.readlink().name.startswith("socket:"):
                continue
            copy = socket.socket(fileno=os.dup(int(entry.name)))
            found.append(copy)
    try:
        yield [one for one in found if _is_accepted(one, port)]
    finally:
        for one in found:
            one.close()


def _is_accepted(one: socket.socket, port: int) -> bool:
    if one.family not in (socket.AF_INET, socket.AF_INET6) or one.type != socket.SOCK_STREAM:
        return False
    return bool(one.getsockname()[1] == port and one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != _LISTENS)
