"""Signatures over requests and answers, with a time and a nonce, so that nobody alters or repeats them on the way.

What is signed of a request: method, path, time, nonce and the body's SHA-256; of an answer: the request's nonce, the
status, the time and the body's SHA-256. So an answer belongs to one request. The headers' names are agreed
with each gateway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

KEY_HEADER, TIME_HEADER, NONCE_HEADER, SIGNATURE_HEADER = "X-Key-Id", "X-Timestamp", "X-Nonce", "X-Signature"
TOLERANCE_SECONDS = 300
"""How far the two clocks may be apart."""
SHORTEST_SECRET_BYTES = 32


class BadSignature(Exception):
    """It is missing, wrong, or too old; says which."""


class Signer(Protocol):
    """Makes signatures under one key."""

    @property
    def key_id(self) -> str:
        """By which the other side knows it."""

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""


class Verifier(Protocol):
    """Checks signatures of one key."""

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it is one over `message`."""


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A secret that both sides know; HMAC-SHA-256."""

    key_id: str
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_SECRET_BYTES:
            raise ValueError(f"a secret has at least {SHORTEST_SECRET_BYTES} bytes")

    def __repr__(self) -> str:
        return f"HmacKey({self.key_id!r})"

    def sign(self, message: bytes) -> bytes:
        """The code over `message`."""
        return hmac.digest(self.secret, message, "sha256")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it is the code over `message`."""
        return hmac.compare_digest(self.sign(message), signature)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """An Ed25519 key, or an RSA key with PSS and SHA-256."""

    key_id: str
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

    @classmethod
    def load(cls, key_id: str, pem: bytes) -> PrivateKey:
        """Read it from PEM; other kinds of keys are refused."""
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
            raise ValueError("a key is Ed25519 or RSA")
        return cls(key_id, key)

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(message)
        return self.key.sign(message, _PSS, hashes.SHA256())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a `PrivateKey`."""

    key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey

    @classmethod
    def load(cls, pem: bytes) -> PublicKey:
        """Read it from PEM; other kinds of keys are refused."""
        key = serialization.load_pem_public_key(pem)
        if not isinstance(key, ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
            raise ValueError("a key is Ed25519 or RSA")
        return cls(key)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it is a signature over `message`."""
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, message)
            else:
                self.key.verify(signature, message, _PSS, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The headers of one signed request, and the nonce that its answer has to name."""

    headers: dict[str, str]
    nonce: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How requests to one gateway are signed; with `answers`, its answers are believed only with its signature."""

    signer: Signer
    answers: Verifier | None = None
    clock: Callable[[], float] = time.time

    def seal(self, method: str, path: str, body: bytes) -> Sealed:
        """Sign one request; each try has a nonce of its own."""
        nonce, at = secrets.token_hex(16), str(int(self.clock()))
        signature = self.signer.sign(request_text(method, path, at, nonce, body))
        headers = {
            KEY_HEADER: self.signer.key_id,
            TIME_HEADER: at,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        }
        return Sealed(headers, nonce)

    def check_answer(self, sealed: Sealed, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Refuse an answer that the gateway didn't sign for this very request.

        Raises:
            BadSignature: missing, wrong, or too old.
        """
        if self.answers is None:
            return
        at = headers.get(TIME_HEADER, "")
        check(self.answers, answer_text(sealed.nonce, status, at, body), headers, self.clock())


def check(verifier: Verifier, message: bytes, headers: Mapping[str, str], now: float) -> None:
    """Refuse what isn't signed, is signed wrongly, or was signed too long ago.

    Raises:
        BadSignature: says which.
    """
    at, encoded = headers.get(TIME_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not encoded:
        raise BadSignature("missing")
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or abs(now - int(at)) > TOLERANCE_SECONDS:
        raise BadSignature("time")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error as exc:
        raise BadSignature("form") from exc
    if not verifier.verify(message, signature):
        raise BadSignature("wrong")


def request_text(method: str, path: str, at: str, nonce: str, body: bytes) -> bytes:
    """What is signed of a request."""
    return "\n".join(("request", method, path, at, nonce, hashlib.sha256(body).hexdigest())).encode()


def answer_text(nonce: str, status: int, at: str, body: bytes) -> bytes:
    """What is signed of an answer."""
    return "\n".join(("answer", nonce, str(status), at, hashlib.sha256(body).hexdigest())).encode()
