"""The store that is a bucket of S3-compatible storage.

Only what every such storage knows is used: PUT, HEAD, GET with Range, DELETE and the second form of listing. Nothing it
says of a body is proof of it: `digest` reads it back.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx

from command_center.clock import Clock, now
from command_center.evidence.store import ChecksumMismatch, NotStored, StoreAway
from command_center.evidence.store_signature import EMPTY_SHA256, AccessKey, quoted_path, quoted_query, signed

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
"""So long a request without a body may take."""
LEAST_BYTES_PER_SECOND = 65_536
"""A body that goes slower is broken off: its time-out grows with its size by this."""
FIRST_PAUSE_SECONDS = 0.3
CONNECTIONS = 64
LARGEST_BYTES = 5 * 1024**3
"""What one PUT may bring, by S3's own limit; segments have some 20 MB."""
PAGE = 1_000
"""How many files are listed at a time, by S3's own limit."""
LIST_BOUND = 1_000_000
"""How many files are listed at most."""
LONGEST_TEXT = 16 * 1024**2
NOT_IMPLEMENTED = "NotImplemented"
CHECKSUM = "x-amz-checksum-sha256"
_BUSY = {429, 500, 502, 503, 504}
_OTHER_BYTES = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
"""What storage calls bytes that don't fit the sum that was sent with them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the storage is: `prefix` is what every key begins with, without a slash at either end."""

    url: str
    name: str
    prefix: str = ""
    is_path_style: bool = True
    """False where the bucket's name stands in the host's."""
    authority: Path | None = None
    """Certificates that sign the storage's, where the machine's own don't."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the storage may say or take nothing, and how often a request is made."""

    silent_seconds: float = 15.0
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Stored:
    """What is told of a file: `etag` changes when the file does, `sha256` (hex) is there where one is kept."""

    bytes: int
    etag: str
    sha256: str | None = None


class S3Store:
    """One bucket, or the part of it below a prefix and `folder`."""

    def __init__(
        self, bucket: Bucket, key: AccessKey, folder: str = "", patience: Patience | None = None, clock: Clock = now
    ) -> None:
        address = urlsplit(bucket.url)
        self._key = key
        self._sends_checksum = True
        """Until the storage says that it knows none: the signed payload's sum goes along in any case."""
        self._tries = (patience or Patience()).tries
        self._clock = clock
        self._folder = "".join(f"{part}/" for part in (bucket.prefix, folder) if part)
        host = address.netloc
        self._host = host if bucket.is_path_style else f"{bucket.name}.{host}"
        base = address.path.rstrip("/")
        self._base = f"{base}/{bucket.name}" if bucket.is_path_style else base
        self._origin = f"{address.scheme}://{self._host}"
        authority = bucket.authority
        verify = ssl.create_default_context(cafile=str(authority)) if authority is not None else True
        self._client = httpx.AsyncClient(
            verify=verify,
            trust_env=False,  # a proxy of the environment is no part of the court's storage
            timeout=httpx.Timeout((patience or Patience()).silent_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def head(self, path: str) -> Stored:
        """What the storage says of the file.

        Raises:
            NotStored, StoreAway: there is none; it can't be asked.
        """
        return await self._again(lambda: self._head(path))

    async def _head(self, path: str) -> Stored:
        try:
            async with self._request("HEAD", path, headers={"x-amz-checksum-mode": "ENABLED"}) as answer:
                return _stored(answer)
        except NotStored:
            # An answer to HEAD has no body, and so doesn't say whether the file is missing or the whole bucket.
            async with self._request("GET", path, headers={"range": "bytes=0-0"}):
                raise

    async def size(self, path: str) -> int:
        """How many bytes the file has."""
        return (await self.head(path)).bytes

    async def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        try:
            await self.head(path)
        except NotStored:
            return False
        return True

    async def put(self, path: str, size: int, sha256: str, body: Callable[[], AsyncIterator[bytes]]) -> None:
        """Bring a file of `size` bytes whose SHA-256 (hex) is known; `body` is asked for its bytes at each try.

        The sum goes along twice, as the signed payload and as the checksum to keep, so that storage which looks at
        either refuses other bytes.

        Raises:
            StoreAway: it wasn't taken, or it isn't known whether it was; doing it again is safe.
            ChecksumMismatch: other bytes came there.
            NotStored: `body` raised it.
        """
        if size > LARGEST_BYTES:
            raise StoreAway("store-refused", f"{size} bytes are more than one PUT may bring")
        try:
            await self._again(lambda: self._put(path, size, sha256, body))
        except StoreAway as error:
            if not self._sends_checksum or NOT_IMPLEMENTED not in str(error):
                raise
            logger.info("the storage keeps no checksums")
            self._sends_checksum = False
            await self._again(lambda: self._put(path, size, sha256, body))

    async def _put(self, path: str, size: int, sha256: str, body: Callable[[], AsyncIterator[bytes]]) -> None:
        headers = {
            "content-length": str(size),
            "content-type": "application/octet-stream",
        }
        if self._sends_checksum:
            headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
            headers[CHECKSUM] = base64.b64encode(bytes.fromhex(sha256)).decode()
        async with self._request("PUT", path, headers=headers, sha256=sha256, body=body(), size=size) as answer:
            kept = _sha256_of(answer)
        if kept is not None and kept != sha256:
            raise ChecksumMismatch(path, "sent")

    async def digest(self, path: str) -> tuple[str, Stored]:
        """Read the whole file back and hash it; with what the storage said of it before it gave the bytes.

        Raises:
            NotStored, StoreAway: there is none; it can't be read to its end, or not in time.
        """
        found = await self.head(path)
        whole = hashlib.sha256()
        try:
            async with asyncio.timeout(ANSWER_SECONDS + found.bytes / LEAST_BYTES_PER_SECOND):
                async for piece in self.open_range(path, 0, found.bytes - 1):
                    await asyncio.to_thread(whole.update, piece)
        except TimeoutError as error:
            raise StoreAway("store-away", "it gives its bytes too slowly") from error
        return whole.hexdigest(), found

    async def open_range(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
        """The file's bytes; an answer that breaks off is gone on with where it broke, a bounded number of times."""
        position, failures = first, 0
        while position <= last:
            began = position
            try:
                async for piece in self._read(path, position, last):
                    position += len(piece)
                    yield piece
                if position <= last:
                    return  # the file ends before
            except StoreAway as error:
                failures = failures + 1 if position == began else 1
                if failures >= self._tries or not _may_pass(error):
                    raise
                await asyncio.sleep(_pause(failures))

    async def _read(self, path: str, first: int, last: int) -> AsyncIterator[bytes]:
        async with self._request("GET", path, headers={"range": f"bytes={first}-{last}"}) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            # Storage that knows no ranges gives it all.
            skipped = first if answer.status_code == httpx.codes.OK else 0
            left = last + 1 - first
            async for piece in answer.aiter_raw():
                part = piece[skipped : skipped + left]
                skipped -= min(skipped, len(piece))
                left -= len(part)
                if part:
                    yield part

    async def names(self, suffix: str = "") -> list[str]:
        """Every file whose name ends so, sorted.

        Raises:
            StoreAway: it can't be asked.
        """
        found: list[str] = []
        token: str | None = None
        while True:
            page, token = await self._again(lambda token=token: self._page(token))  # type: ignore[misc]
            found += [name for name in page if name.endswith(suffix)]
            if len(found) > LIST_BOUND:
                raise StoreAway("store-refused", f"it holds more than {LIST_BOUND} files")
            if token is None:
                return sorted(found)

    async def _page(self, token: str | None) -> tuple[list[str], str | None]:
        query = {"list-type": "2", "max-keys": str(PAGE), "prefix": self._folder} | (
            {"continuation-token": token} if token else {}
        )
        async with self._request("GET", None, query=query) as answer:
            try:
                root = ElementTree.fromstring(await _text_of(answer))  # noqa: S314 - as above
            except ElementTree.ParseError as error:
                raise StoreAway("store-away", "its listing can't be read") from error
        space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        keys = [key.text or "" for key in root.iterfind(f"{space}Contents/{space}Key")]
        further = root.findtext(f"{space}NextContinuationToken")
        names = [key.removeprefix(self._folder) for key in keys if key.startswith(self._folder)]
        return names, further if root.findtext(f"{space}IsTruncated") == "true" else None

    async def remove(self, path: str) -> None:
        """Delete the file."""
        await self._again(lambda: self._remove(path))

    async def _remove(self, path: str) -> None:
        try:
            async with self._request("DELETE", path):
                pass
        except NotStored:
            return

    async def _again(self, call: Callable[[], Awaitable[T]]) -> T:
        for failures in range(1, self._tries + 1):
            try:
                return await call()
            except StoreAway as error:
                if failures == self._tries or not _may_pass(error):
                    raise
                await asyncio.sleep(_pause(failures))
        raise AssertionError("not reached")

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str | None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        sha256: str = EMPTY_SHA256,
        body: AsyncIterator[bytes] | None = None,
        size: int = 0,
    ) -> AsyncIterator[httpx.Response]:
        """One request, signed; its answer with the body still to be read.

        Raises:
            NotStored, StoreAway: as it was answered, or wasn't.
        """
        whole = f"{self._base}/" if path is None else f"{self._base}/{self._folder}{path}"
        url = f"{self._origin}{quoted_path(whole)}" + (f"?{quoted_query(query)}" if query else "")
        signed_headers = signed(
            self._key, method, whole, query or {}, {**(headers or {}), "host": self._host}, sha256, self._clock()
        )
        request = self._client.build_request(
            method, url, headers={**signed_headers, "accept-encoding": "identity"}, content=body
        )
        try:
            # Not around what the caller does with the answer: that may be a player that pauses.
            async with asyncio.timeout(ANSWER_SECONDS + size / LEAST_BYTES_PER_SECOND):
                answer = await self._client.send(request, stream=True)
            try:
                await _refuse(answer, path)
                yield answer
            finally:
                await answer.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise StoreAway("store-away", type(error).__name__) from error


async def _refuse(answer: httpx.Response, path: str | None) -> None:
    status = answer.status_code
    if answer.is_success or status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return
    code = "" if answer.request.method == "HEAD" else _error_code(await _text_of(answer))
    if status == httpx.codes.NOT_FOUND and path is not None and code != "NoSuchBucket":
        raise NotStored(path)
    if code in _OTHER_BYTES:
        raise ChecksumMismatch(path or "", "sent")
    if status in _BUSY and code != NOT_IMPLEMENTED:
        raise StoreAway("store-busy", f"{status} {code}")
    raise StoreAway("store-refused", f"{status} {code}")


async def _text_of(answer: httpx.Response) -> bytes:
    """A body that is a text of the storage's own."""
    text = b""
    async for piece in answer.aiter_raw():
        text += piece
        if len(text) > LONGEST_TEXT:
            raise StoreAway("store-refused", "it says too much")
    return text


def _error_code(body: bytes) -> str:
    """S3's own word for an error."""
    try:
        found = ElementTree.fromstring(body).findtext("Code") or ""  # noqa: S314 - as above
    except ElementTree.ParseError:
        return ""
    return found if found.isalnum() else ""


def _stored(answer: httpx.Response) -> Stored:
    try:
        size = int(answer.headers["content-length"])
    except (KeyError, ValueError) as error:
        raise StoreAway("store-away", "it doesn't say how long the file is") from error
    return Stored(size, answer.headers.get("etag", ""), _sha256_of(answer))


def _sha256_of(answer: httpx.Response) -> str | None:
    try:
        found = base64.b64decode(answer.headers[CHECKSUM], validate=True)
    except (KeyError, ValueError):
        return None
    return found.hex() if len(found) == hashlib.sha256().digest_size else None


def _may_pass(error: StoreAway) -> bool:
    return error.code in {"store-away", "store-busy"}


def _pause(failures: int) -> float:
    return float(FIRST_PAUSE_SECONDS * 2 ** (failures - 1) * random.uniform(0.8, 1.2))
