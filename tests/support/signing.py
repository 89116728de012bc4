"""A key for tests to sign with: the same in every process and run."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from streams.ledger import Signer


def signer(name: str) -> Signer:
    """The key of this name."""
    return Signer(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


SIGNER = signer("a test's node")
