"""Time stamps by RFC 3161: an authority outside the court signs that something was there at its time."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

TIMEOUT_SECONDS = 8.0
"""For the whole of it; shorter than a lease."""
LARGEST_ANSWER = 65_536
_CERTIFICATES = 0xA0
"""The tag of a signed message's certificates."""
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class NotStamped(RuntimeError):
    """No usable stamp came; the message says why, and it may be asked for again."""


class TimeStampAuthority:
    """One authority, asked over HTTP."""

    def __init__(self, url: str, roots: Path | None = None) -> None:
        """`roots`: a PEM file of the certificates that the authority's own must lead to; without it only what the
        stamp is of is checked here, and its signature by whoever verifies.

        Raises:
            OSError, ValueError: the file can't be read.
        """
        self.url = url
        self._roots = [] if roots is None else x509.load_pem_x509_certificates(roots.read_bytes())

    async def stamp(self, data: bytes) -> bytes:
        """The authority's token (DER) over the SHA-256 of `data`.

        Raises:
            NotStamped: it doesn't answer, refuses, or its answer is of something else.
        """
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            response = decode_timestamp_response(_sorted(await self._ask(request.as_bytes())))
            self._check(request, response, hashlib.sha256(data).digest())
            return response.time_stamp_token()
        except (httpx.HTTPError, OSError) as error:
            raise NotStamped(f"{self.url} doesn't answer: {type(error).__name__}") from error
        except (VerificationError, ValueError, IndexError) as error:
            raise NotStamped(f"{self.url} gave no good stamp: {error}") from error

    async def _ask(self, query: bytes) -> bytes:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            client.stream("POST", self.url, content=query, headers={"content-type": QUERY}) as answer,
        ):
            if not answer.is_success or answer.headers.get("content-type", "").split(";")[0] != REPLY:
                raise ValueError(f"HTTP {answer.status_code}")
            found = bytearray()
            async for piece in answer.aiter_bytes():
                found += piece
                if len(found) > LARGEST_ANSWER:
                    raise ValueError("the answer is too long")
            return bytes(found)

    def _check(self, request: TimeStampRequest, response: TimeStampResponse, digest: bytes) -> None:
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise ValueError(f"status {response.status}")
        if response.tst_info.message_imprint.message != digest or response.tst_info.nonce != request.nonce:
            raise ValueError("it is of something else")
        if self._roots:
            verifier = VerifierBuilder.from_request(request)
            for root in self._roots:
                verifier = verifier.add_root_certificate(root)
            verifier.build().verify(response, digest)


def _sorted(response: bytes) -> bytes:
    """The response with its certificates in DER's order: OpenSSL leaves them in another, and our reader is strict.

    No signature covers their order, and no length changes.
    """
    whole = _Der.at(response, 0).parts(response)
    if len(whole) < 2:  # a refusal holds no token
        return response
    content = whole[1].parts(response)[1].parts(response)[0]
    for part in content.parts(response):
        if part.tag == _CERTIFICATES:
            pieces = sorted(response[one.begin : one.end] for one in part.parts(response))
            return response[: part.start] + b"".join(pieces) + response[part.end :]
    return response


@dataclass(frozen=True, slots=True)
class _Der:
    """One value in DER: where it begins, where its contents do, and where it ends."""

    tag: int
    begin: int
    start: int
    end: int

    @classmethod
    def at(cls, data: bytes, begin: int) -> _Der:
        length, start = data[begin + 1], begin + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[begin + 2 : start], "big")
        return cls(data[begin], begin, start, start + length)

    def parts(self, data: bytes) -> list[_Der]:
        found, at = [], self.start
        while at < self.end:
            found.append(_Der.at(data, at))
            at = found[-1].end
        return found
