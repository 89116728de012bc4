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
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from command_center.evidence.store import CHUNK_BYTES, ChecksumMismatch, NotStored, StoreAway
from command_center.evidence.store_client import (
    NOT_IMPLEMENTED,
    AccessKey,
    BeyondEnd,
    Bucket,
    Patience,
    open_client,
    storage_errors,
    told,
)
from command_center.evidence.store_sending import Sending

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
"""So long a try of a request without a body may take, and the next piece of an answer's body."""
LEAST_BYTES_PER_SECOND = 65_536
"""A body that goes slower is broken off: its time-out grows with its size by this."""
FIRST_PAUSE_SECONDS = 0.3
THREADS = 32
"""How many of a store's requests and reads are under way at a time; a player that pauses needs none."""
LARGEST_BYTES = 5 * 1024**3
"""What one PUT may bring, by S3's own limit; segments have some 20 MB."""
PAGE = 1_000
"""How many files are listed at a time, by S3's own limit."""
LIST_BOUND = 1_000_000
"""How many files are listed at most."""
_WHOLE = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """What is told of a file: `etag` changes when the file does, `sha256` (hex) is there where one is kept."""

    bytes: int
    etag: str
    sha256: str | None = None


class S3Store:
    """One bucket, or the part of it below a prefix and `folder`."""

    def __init__(self, bucket: Bucket, key: AccessKey, folder: str = "", patience: Patience | None = None) -> None:
        self._bucket = bucket.name
        self._folder = "".join(f"{part}/" for part in (bucket.prefix, folder) if part)
        self._tries = (patience or Patience()).tries
        self._sends_checksum = True
        """Until the storage says that it knows none: the signed payload's sum goes along in any case."""
        # Not asyncio's own few threads: what is sent is read by those, and would wait for itself.
        self._threads = ThreadPoolExecutor(THREADS, "storage")
        self._open = partial(open_client, bucket, key, patience or Patience())
        self._opened: Any = None
        self._opening = threading.Lock()
        self._is_closed = False

    async def close(self) -> None:
        """Close the connections. A request that a thread is about is made no further time."""
        self._is_closed = True
        self._threads.shutdown(wait=False)
        if self._opened is not None:
            self._opened.close()

    async def head(self, path: str) -> Stored:
        """What the storage says of the file.

        Raises:
            NotStored, StoreAway: there is none; it can't be asked.
        """
        try:
            return _stored(await self._call("head_object", path, ChecksumMode="ENABLED"))
        except NotStored:
            # An answer to HEAD has no body, and so doesn't say whether the file is missing or the whole bucket.
            (await self._call("get_object", path, Range="bytes=0-0"))["Body"].close()
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
        """Bring a file of `size` bytes whose SHA-256 (hex) is known; `body` is asked for its bytes at each reading.

        The sum goes along as the checksum to keep, and that of what is sent in the signature, so that storage which
        looks at either refuses other bytes.

        Raises:
            StoreAway: it wasn't taken, or it isn't known whether it was; doing it again is safe.
            ChecksumMismatch: other bytes came there.
            NotStored: `body` raised it.
        """
        if size > LARGEST_BYTES:
            raise StoreAway("store-refused", f"{size} bytes are more than one PUT may bring")
        try:
            await self._put(path, size, sha256, body)
        except StoreAway as error:
            if not self._sends_checksum or NOT_IMPLEMENTED not in str(error):
                raise
            logger.info("the storage keeps no checksums")
            self._sends_checksum = False
            await self._put(path, size, sha256, body)

    async def _put(self, path: str, size: int, sha256: str, body: Callable[[], AsyncIterator[bytes]]) -> None:
        kept = base64.b64encode(bytes.fromhex(sha256)).decode()
        checksum = {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": kept} if self._sends_checksum else {}
        sending = Sending(size, body)
        try:
            answer = await self._call(
                "put_object",
                path,
                size=size,
                Body=sending if size else b"",
                ContentLength=size,
                ContentType="application/octet-stream",
                **checksum,
            )
        except StoreAway:
            if sending.error is not None:
                raise sending.error from None
            raise
        finally:
            await sending.give_up()
        if _sha256_of(answer) not in {None, sha256}:
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
        try:
            answer = await self._call("get_object", path, Range=f"bytes={first}-{last}")
        except BeyondEnd:
            return
        # Storage that knows no ranges gives it all.
        skipped = first if answer["ResponseMetadata"]["HTTPStatusCode"] == _WHOLE else 0
        left = last + 1 - first
        body = answer["Body"]
        with body as raw:
            try:
                while left and (piece := await self._in_thread(partial(body.read, CHUNK_BYTES), path, ANSWER_SECONDS)):
                    part = piece[skipped : skipped + left]
                    skipped -= min(skipped, len(piece))
                    left -= len(part)
                    if part:
                        yield part
            finally:
                # A thread may still wait for bytes: this ends that. Where all was read there is nothing to end.
                with suppress(RuntimeError, ValueError, OSError):
                    raw.shutdown()

    async def names(self, suffix: str = "") -> list[str]:
        """Every file whose name ends so, sorted.

        Raises:
            StoreAway: it can't be asked.
        """
        found: list[str] = []
        seconds = self._tries * ANSWER_SECONDS
        pages = await self._in_thread(self._pages, None, seconds)
        while (page := await self._in_thread(partial(next, pages, None), None, seconds)) is not None:
            if "IsTruncated" not in page:
                # To boto3 an answer without a body is a listing without files.
                raise StoreAway("store-away", "its listing can't be read")
            keys = [entry["Key"] for entry in page.get("Contents", ())]
            names = [key.removeprefix(self._folder) for key in keys if key.startswith(self._folder)]
            found += [name for name in names if name.endswith(suffix)]
            if len(found) > LIST_BOUND:
                raise StoreAway("store-refused", f"it holds more than {LIST_BOUND} files")
        return sorted(found)

    def _pages(self) -> Any:
        listing = self._client().get_paginator("list_objects_v2")
        return iter(listing.paginate(Bucket=self._bucket, Prefix=self._folder, PaginationConfig={"PageSize": PAGE}))

    async def remove(self, path: str) -> None:
        """Delete the file."""
        with suppress(NotStored):
            await self._call("delete_object", path)

    async def _call(self, operation: str, path: str, size: int = 0, **parameters: object) -> Mapping[str, Any]:
        """Make one request, as often as it may be; `size` is how much it brings.

        Raises:
            NotStored, StoreAway, ChecksumMismatch: as it was answered, or wasn't.
        """

        def call() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = getattr(self._client(), operation)(
                Bucket=self._bucket, Key=f"{self._folder}{path}", **parameters
            )
            return answer

        return await self._in_thread(call, path, self._tries * (ANSWER_SECONDS + size / LEAST_BYTES_PER_SECOND))

    async def _in_thread(self, work: Callable[[], T], path: str | None, seconds: float) -> T:
        under_way = self._threads.submit(work)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(under_way)
        except (NotStored, StoreAway):
            raise
        except TimeoutError as error:
            under_way.add_done_callback(_drop)
            raise StoreAway("store-away", "it takes too long") from error
        except asyncio.CancelledError:
            under_way.add_done_callback(_drop)
            raise
        except storage_errors() as error:
            raise told(error, path) from error

    def _client(self) -> Any:
        """boto3's client, made by the first thread that needs it."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
                self._opened.meta.events.register("before-send.s3", self._go_no_further)
            return self._opened

    def _go_no_further(self, **_: object) -> None:
        if self._is_closed:
            raise StoreAway("store-away", "closed")


def _drop(answered: Future[Any]) -> None:
    """Let go of an answer that comes when nobody waits for it any more."""
    if not answered.cancelled() and answered.exception() is None:
        answer = answered.result()
        if isinstance(answer, Mapping) and "Body" in answer:
            answer["Body"].close()


def _stored(answer: Mapping[str, Any]) -> Stored:
    if "ContentLength" not in answer:
        raise StoreAway("store-away", "it doesn't say how long the file is")
    return Stored(answer["ContentLength"], answer.get("ETag", ""), _sha256_of(answer))


def _sha256_of(answer: Mapping[str, Any]) -> str | None:
    try:
        found = base64.b64decode(answer["ChecksumSHA256"], validate=True)
    except (KeyError, ValueError):
        return None
    return found.hex() if len(found) == hashlib.sha256().digest_size else None


def _may_pass(error: StoreAway) -> bool:
    return error.code in {"store-away", "store-busy"}


def _pause(failures: int) -> float:
    return float(FIRST_PAUSE_SECONDS * 2 ** (failures - 1) * random.uniform(0.8, 1.2))
