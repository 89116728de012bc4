"""Passwords: argon2id, made and checked off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from command_center.errors import Invalid

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2
"""Each check costs 64 MiB and a core's time, so strangers can't make the process do many at once."""
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GENERATED_LENGTH = 16


class Passwords:
    """Makes and checks hashes with RFC 9106's parameters for machines of little memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        # Checked when the user is unknown, so that the time of the answer tells nothing.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """The hash to keep.

        Raises:
            Invalid: shorter than SHORTEST or longer than LONGEST characters.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise Invalid("password-length", shortest=SHORTEST, longest=LONGEST)
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether this is the password; with no hash (no such user) it takes as long and says no."""
        if len(password) > LONGEST:
            return False
        async with self._slots:
            is_right = await asyncio.to_thread(self._verify, password, kept or self._nobody)
        return is_right and kept is not None

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def generate_password() -> str:
    """A password that can be read aloud: no look-alike letters, over 90 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(GENERATED_LENGTH))
