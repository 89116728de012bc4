"""Free ports for processes that must be told theirs."""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import ExitStack

FIRST, LAST = 15_000, 31_999
"""Below the ports that the kernel lends to outgoing connections: none of those takes one that a test was told."""
WORKERS = 8
_EACH = (LAST - FIRST + 1) // WORKERS
_WORKER = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0) % WORKERS
# Tests that run side by side take from ranges of their own, one after the other and none soon again.
_own = itertools.cycle(range(FIRST + _WORKER * _EACH, FIRST + (_WORKER + 1) * _EACH))
for _ in range(os.getpid() * 7919 % _EACH):
    next(_own)


def free_ports(count: int) -> list[int]:
    """Ports that are free for both TCP and UDP now, all different."""
    return list(itertools.islice(filter(_is_free, _own), count))


def free_row(*steps: int) -> int:
    """A free port where also those so many above it are free."""
    return next(port for port in _own if all(_is_free(port + step) for step in (0, *steps)))


def _is_free(port: int) -> bool:
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("", port))
        except OSError:
            return False
    return True
