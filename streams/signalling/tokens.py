"""Access tokens for media: short-lived, signed by the centre, checked by a node with the public half alone."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

AUDIENCE = "media"
ALGORITHM = "EdDSA"
LONGEST_LIFE_SECONDS = 24 * 60 * 60
"""No token is issued for longer; revocations are remembered for as long."""
PRIVATE_KEY_FILE = "media-token.pem"
PUBLIC_KEY_FILE = "media-token.pub.pem"


class TokenRefused(Exception):
    """The token is forged, over, foreign, or doesn't carry the right; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Grant:
    """What one token allows. `feed` may end in `*`, which stands for any ending.

    `session_id`, `user_id` and `operation_id` say where it came from, so that ending those ends what it opened.
    `speaker` is how a talker is named to those who hear it.
    Instants are Unix seconds; `issued_at` lets a revocation of a user spare the tokens that were issued after it.
    """

    token_id: UUID
    feed: str
    may_publish: bool
    may_view: bool
    expires_at: int
    user_id: UUID | None = None
    session_id: UUID | None = None
    operation_id: UUID | None = None
    issued_at: float | None = None
    speaker: str | None = None

    def covers(self, feed: str) -> bool:
        """Whether the token is for this feed."""
        if self.feed.endswith("*"):
            return feed.startswith(self.feed[:-1])
        return feed == self.feed


def make_keys(folder: Path) -> None:
    """Make the signing key pair in `folder`, once; the private half is readable by its owner only."""
    private_path, public_path = folder / PRIVATE_KEY_FILE, folder / PUBLIC_KEY_FILE
    if private_path.exists() and public_path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    public_path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def load_private_key(folder: Path) -> Ed25519PrivateKey:
    """Read the signing key of the centre."""
    key = serialization.load_pem_private_key((folder / PRIVATE_KEY_FILE).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{PRIVATE_KEY_FILE} is no Ed25519 key")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read the public half, as a node does."""
    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError(f"{path.name} is no Ed25519 key")
    return key


def issue(key: Ed25519PrivateKey, grant: Grant) -> str:
    """Sign a grant as a bearer token."""
    claims: dict[str, object] = {
        "aud": AUDIENCE,
        "jti": str(grant.token_id),
        "exp": grant.expires_at,
        "iat": round(time.time() if grant.issued_at is None else grant.issued_at, 3),
        "feed": grant.feed,
        "publish": grant.may_publish,
        "view": grant.may_view,
    }
    origin = (("sub", grant.user_id), ("sid", grant.session_id), ("op", grant.operation_id), ("name", grant.speaker))
    for name, value in origin:
        if value is not None:
            claims[name] = str(value)
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify(key: Ed25519PublicKey, token: str, *, may_be_expired: bool = False) -> Grant:
    """Check a bearer token's signature, audience and time.

    `may_be_expired` is for the session that the token once opened: it outlives its token, and must still be ended.

    Raises:
        TokenRefused: with code `token-expired` or `token-invalid`.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            # Another machine's clock may be ahead; a token's beginning isn't what protects it.
            options={
                "require": ["exp", "jti", "aud", "feed"],
                "verify_exp": not may_be_expired,
                "verify_iat": False,
            },
        )
        return Grant(
            token_id=UUID(claims["jti"]),
            feed=str(claims["feed"]),
            may_publish=claims.get("publish") is True,
            may_view=claims.get("view") is True,
            expires_at=int(claims["exp"]),
            user_id=UUID(claims["sub"]) if "sub" in claims else None,
            session_id=UUID(claims["sid"]) if "sid" in claims else None,
            operation_id=UUID(claims["op"]) if "op" in claims else None,
            issued_at=float(claims["iat"]) if "iat" in claims else None,
            speaker=str(claims["name"]) if "name" in claims else None,
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenRefused("token-expired") from error
    except (jwt.InvalidTokenError, ValueError, TypeError) as error:
        raise TokenRefused("token-invalid") from error
