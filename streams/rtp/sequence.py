"""Sequence numbers that wrap, made to count on."""

from __future__ import annotations


def distance(newer: int, older: int) -> int:
    """How far `newer` lies after `older` on the 16-bit circle: -32768 to 32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000


def timestamp_distance(newer: int, older: int) -> int:
    """How far `newer` lies after `older` on the 32-bit circle."""
    return ((newer - older + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class Unwrapper:
    """Gives each 16-bit number its place on an endless line; the first one lies in the second lap.

    Starting a lap in keeps numbers that arrive late, from before the first, above zero.
    """

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest: int | None = None

    def place(self, number: int) -> int:
        """Where `number` lies, nearest to the highest so far; the line is not moved."""
        highest = self.highest
        if highest is None:
            return number + 0x10000
        return highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000

    def unwrap(self, number: int) -> int:
        """As `place`, and a number ahead becomes the highest."""
        index = self.place(number)
        if self.highest is None or index > self.highest:
            self.highest = index
        return index
