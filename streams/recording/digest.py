"""The hashes of what is recorded: SHA-256, and SM3 beside it where the platform's OpenSSL has it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _hashlib import HASH

HAS_SM3 = "sm3" in hashlib.algorithms_available


@dataclass(frozen=True, slots=True)
class Digest:
    """Both hashes in hex; `sm3` is None where the platform hasn't it."""

    sha256: str
    sm3: str | None


class RunningDigest:
    """The hashes of what has been given so far."""

    def __init__(self, data: bytes = b"") -> None:
        self._sha256: HASH = hashlib.sha256(data)
        self._sm3: HASH | None = hashlib.new("sm3", data) if HAS_SM3 else None

    def update(self, data: bytes) -> None:
        """Add what comes next."""
        self._sha256.update(data)
        if self._sm3 is not None:
            self._sm3.update(data)

    def copy(self) -> RunningDigest:
        """The same, going its own way from here."""
        other = RunningDigest.__new__(RunningDigest)
        other._sha256 = self._sha256.copy()
        other._sm3 = None if self._sm3 is None else self._sm3.copy()
        return other

    @property
    def value(self) -> Digest:
        """As it stands now."""
        return Digest(self._sha256.hexdigest(), None if self._sm3 is None else self._sm3.hexdigest())


def digest(data: bytes) -> Digest:
    """The hashes of these bytes."""
    return RunningDigest(data).value
