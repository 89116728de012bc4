"""What waits in a socket, taken with one call and opened by `native.c` as far as it can be."""

from __future__ import annotations

import secrets
import socket
import time
from contextlib import suppress

from streams import native
from streams.native import Data, ffi

_SO_TIMESTAMPNS = 35

Address = tuple[str, int]


class Inbox:
    """One batch at a time, and the table that leads from an address to its `struct peer`.

    A peer is owned by its link, which stays known to the port as long as its address stands here.
    """

    def __init__(self) -> None:
        self.batch: Data = ffi.new("struct batch *")
        """The `struct batch` that was taken last."""
        self._table: Data = ffi.new("struct table *")
        self._table.salt = secrets.randbits(64)
        self.buffers = [bytearray(native.lib.DATAGRAM_BYTES) for _ in range(native.lib.BATCH)]
        self._kept = [ffi.from_buffer(buffer) for buffer in self.buffers]
        for place, data in enumerate(self._kept):
            self.batch.buffers[place] = ffi.cast("uint8_t *", data)
        self._arrivals = [self.batch.arrivals + place for place in range(native.lib.BATCH)]

    @staticmethod
    def prepare(sock: socket.socket) -> None:
        """Let the kernel write beside each datagram of this socket when it came."""
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    @property
    def octets(self) -> int:
        """Bytes of all datagrams of the batch."""
        return int(self.batch.octets)

    def receive(self, sock: socket.socket) -> int:
        """Take the next batch; how many datagrams it has, or minus the number of an error."""
        return int(native.lib.receive(self.batch, sock.fileno(), self._table, time.monotonic()))

    @property
    def todo_count(self) -> int:
        """How many datagrams of the batch aren't done yet."""
        return int(self.batch.todo_count)

    def todo(self, step: int) -> tuple[int, Data]:
        """One of those, in their order: where it lies, and its `struct arrival`."""
        place = self.batch.todo[step]
        return place, self._arrivals[place]

    def put(self, address: Address, peer: Data) -> None:
        """Let an address lead to a peer; where the table is full its datagrams come unopened."""
        native.lib.table_put(self._table, _key(address), peer)

    def find(self, address: Address) -> Data:
        """To whom an address leads; NULL where to nobody."""
        return native.lib.table_find(self._table, _key(address))

    @property
    def entries(self) -> int:
        """How many addresses lead to somebody."""
        return int(self._table.count)

    def remove(self, address: Address) -> None:
        """Let an address lead nowhere."""
        native.lib.table_remove(self._table, _key(address))


def address_of(arrival: Data) -> Address:
    """Where a datagram came from."""
    return socket.inet_ntoa(int(arrival.host).to_bytes(4, "big")), int(arrival.port)


def _key(address: Address) -> int:
    host, port = address
    return int.from_bytes(socket.inet_aton(host), "big") << 16 | port
