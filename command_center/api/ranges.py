"""Part of a file over HTTP: what a Range header asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_LONGEST = 19
"""Digits of a number that a file's length may have."""


class RangeRefused(ValueError):
    """The range lies outside the file: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1


def read_range(header: str | None, size: int) -> ByteRange | None:
    """What `header` asks for of `size` bytes; None where it asks for all, or in a way that may be ignored.

    Several ranges at once are answered with all of it, as a server may.

    Raises:
        RangeRefused: it can't be satisfied.

    Source: RFC 9110 §14.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or (not found[1] and not found[2]) or max(len(found[1]), len(found[2])) > _LONGEST:
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        if length == 0:
            raise RangeRefused(header)
        return ByteRange(size - length, size - 1)
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise RangeRefused(header)
    return ByteRange(first, last)
