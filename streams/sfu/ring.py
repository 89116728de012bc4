"""The last packets of one stream, kept to be sent again."""

from __future__ import annotations

from array import array

MAX_PACKET = 1500
"""Longer packets don't fit an Ethernet frame and are refused at the door."""


class Ring:
    """`size` (a power of two) preallocated places, by unwrapped number; the newest overwrites the oldest."""

    __slots__ = ("_view", "lengths", "mask", "numbers", "octets", "size")

    def __init__(self, size: int) -> None:
        if size & (size - 1):
            raise ValueError("a ring's size is a power of two")
        self.size = size
        self.mask = size - 1
        self.numbers = array("q", [-1]) * size
        self.lengths = array("H", [0]) * size
        self.octets = bytearray(size * MAX_PACKET)
        self._view = memoryview(self.octets)

    def store(self, number: int, packet: bytearray, length: int) -> bool:
        """Keep the first `length` bytes; False if the number is there already or its place is taken by a newer one."""
        place = number & self.mask
        if self.numbers[place] >= number:
            return False
        self.numbers[place] = number
        self.lengths[place] = length
        start = place * MAX_PACKET
        self._view[start : start + length] = memoryview(packet)[:length]
        return True

    def find(self, number: int) -> memoryview | None:
        """The packet of that number, until the next `store`; None if it is not (or no longer) kept."""
        place = number & self.mask
        if self.numbers[place] != number:
            return None
        start = place * MAX_PACKET
        return self._view[start : start + self.lengths[place]]
