"""Signs requests to S3-compatible storage: AWS Signature Version 4, in headers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Who we are to the storage; the secret is in no representation of it."""

    id: str
    secret: str = field(repr=False)
    region: str


def quoted_path(path: str) -> str:
    """A path as it stands in the request and in what is signed."""
    return quote(path, safe="/-._~")


def quoted_query(query: Mapping[str, str]) -> str:
    """A query as it stands in the request and in what is signed."""
    pairs = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed(
    key: AccessKey,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    payload_sha256: str,
    at: datetime,
) -> dict[str, str]:
    """All headers to send: those given, among them `host`, with the signature of all of them.

    `payload_sha256` is the body's SHA-256 in hex: storage that gets another body refuses it.
    """
    stamp = f"{at:%Y%m%dT%H%M%SZ}"
    whole = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    whole |= {"x-amz-content-sha256": payload_sha256, "x-amz-date": stamp}
    names = sorted(whole)
    request = "\n".join(
        (
            method,
            quoted_path(path),
            quoted_query(query),
            *(f"{name}:{whole[name]}" for name in names),
            "",
            ";".join(names),
            payload_sha256,
        )
    )
    scope = f"{stamp[:8]}/{key.region}/s3/aws4_request"
    to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    signing_key = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        signing_key = _hmac(signing_key, part)
    signature = _hmac(signing_key, to_sign).hex()
    credential = f"{ALGORITHM} Credential={key.id}/{scope}"
    return whole | {"authorization": f"{credential}, SignedHeaders={';'.join(names)}, Signature={signature}"}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
