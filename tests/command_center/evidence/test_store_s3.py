"""S3-compatible storage over real HTTP: what is brought is what is given, and every trouble has its name."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from command_center.certificates import AUTHORITY_FILE, server_certificate
from command_center.evidence import store_s3
from command_center.evidence.store import CHUNK_BYTES, ChecksumMismatch, NotStored, StoreAway, read_all
from command_center.evidence.store_s3 import Bucket, Patience, S3Store
from tests.support.ports import free_ports
from tests.support.s3 import BUCKET, KEY, BadLine, S3Server, bad_line

BODY = random.Random(1).randbytes(CHUNK_BYTES * 3 + 17)
SHA256 = hashlib.sha256(BODY).hexdigest()
PATH = "feed-1/2026-11-28/x-0001.mp4"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test's size."""
    monkeypatch.setattr(store_s3, "FIRST_PAUSE_SECONDS", 0.01)


@asynccontextmanager
async def store_at(bucket: Bucket, folder: str = "recordings") -> AsyncIterator[S3Store]:
    store = S3Store(bucket, KEY, folder, Patience(silent_seconds=0.5))
    try:
        yield store
    finally:
        await store.close()


def _body(data: bytes = BODY) -> Callable[[], AsyncIterator[bytes]]:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), CHUNK_BYTES):
            yield data[start : start + CHUNK_BYTES]

    return pieces


async def _put(store: S3Store, path: str = PATH, data: bytes = BODY) -> None:
    await store.put(path, len(data), hashlib.sha256(data).hexdigest(), _body(data))


@pytest.fixture
async def store(s3: S3Server) -> AsyncIterator[S3Store]:
    """The storage by the straight way."""
    async with store_at(s3.bucket()) as store:
        yield store


@pytest.fixture
async def line(s3: S3Server) -> AsyncIterator[BadLine]:
    """The storage by a line that can be made bad."""
    async with bad_line(s3) as line:
        yield line


async def test_what_was_brought_is_given_to_the_byte(store: S3Store, s3: S3Server) -> None:
    await _put(store)
    assert await store.size(PATH) == len(BODY)
    assert await read_all(store, PATH) == BODY
    part = [piece async for piece in store.open_range(PATH, 1000, CHUNK_BYTES + 1)]
    assert b"".join(part) == BODY[1000 : CHUNK_BYTES + 2]
    digest, stored = await store.digest(PATH)
    assert (digest, stored.sha256) == (SHA256, SHA256)
    assert await store.names() == [PATH]
    async with store_at(replace(s3.bucket(), prefix=""), folder="") as whole:
        assert await whole.names() == [f"court/recordings/{PATH}"]


async def test_names_that_need_quoting_are_kept(store: S3Store) -> None:
    path = "feed (1)+~=&%/現場 1/x.jsonl"
    await _put(store, path, b"{}\n")
    assert await read_all(store, path) == b"{}\n"
    assert await store.names(".jsonl") == [path]


async def test_an_empty_file_is_a_file(store: S3Store) -> None:
    await _put(store, PATH, b"")
    assert await store.size(PATH) == 0
    assert await read_all(store, PATH) == b""


async def test_a_listing_of_several_pages_is_whole(
    store: S3Store, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_s3, "PAGE", 3)
    for number in range(10):
        await _put(store, f"f/d/{number}.jsonl", b"x")
    async with store_at(s3.bucket(), folder="other") as other:
        await _put(other, "f.jsonl", b"x")
    assert await store.names(".jsonl") == [f"f/d/{number}.jsonl" for number in range(10)]
    monkeypatch.setattr(store_s3, "LIST_BOUND", 5)
    with pytest.raises(StoreAway):
        await store.names()


async def test_what_is_not_there_is_not_stored_and_removing_it_is_no_trouble(store: S3Store) -> None:
    for call in (store.head(PATH), store.size(PATH), anext(store.open_range(PATH, 0, 9))):
        with pytest.raises(NotStored):
            await call
    assert not await store.exists(PATH)
    await store.remove(PATH)
    await _put(store)
    await store.remove(PATH)
    assert not await store.exists(PATH)


async def test_a_bucket_that_is_not_there_is_no_missing_file(s3: S3Server) -> None:
    async with store_at(replace(s3.bucket(), name="another")) as store:
        for call in (store.exists(PATH), _put(store), store.names()):
            with pytest.raises(StoreAway) as raised:
                await call
            assert raised.value.code == "store-refused"


async def test_storage_that_refuses_connections_is_away() -> None:
    (port,) = free_ports(1)
    async with store_at(Bucket(f"http://127.0.0.1:{port}", BUCKET)) as store:
        for call in (store.exists(PATH), _put(store), store.names(), anext(store.open_range(PATH, 0, 9))):
            with pytest.raises(StoreAway) as raised:
                await call
            assert raised.value.code == "store-away"


@pytest.mark.parametrize(("status", "code"), [(503, "store-busy"), (500, "store-busy"), (403, "store-refused")])
async def test_an_answer_that_is_none_is_told_by_its_kind(line: BadLine, status: int, code: str) -> None:
    line.answers = status
    async with store_at(line.bucket()) as store:
        for call in (store.exists(PATH), _put(store), store.names(), store.remove(PATH)):
            with pytest.raises(StoreAway) as raised:
                await call
            assert raised.value.code == code


async def test_storage_that_knows_no_checksums_is_sent_none(line: BadLine) -> None:
    line.knows_checksums = False
    async with store_at(line.bucket()) as store:
        for _ in range(2):
            await _put(store)
        assert (await store.digest(PATH))[0] == SHA256
    assert [method for method, _ in line.seen if method == "PUT"] == ["PUT"] * 3


async def test_what_passes_soon_is_tried_again(line: BadLine) -> None:
    async with store_at(line.bucket()) as store:
        await _put(store)
        line.answers = 503
        line.matches = lambda method, _path: sum(seen == method for seen, _ in line.seen) < 3
        assert await store.size(PATH) == len(BODY)
        assert await read_all(store, PATH) == BODY
        assert [method for method, _ in line.seen].count("HEAD") >= 3


async def test_storage_that_takes_a_request_and_is_silent_is_away(line: BadLine) -> None:
    line.stalls = True
    async with store_at(line.bucket()) as store:
        with pytest.raises(StoreAway):
            await store.exists(PATH)


async def test_an_answer_that_breaks_off_is_gone_on_with(line: BadLine) -> None:
    async with store_at(line.bucket()) as store:
        await _put(store)
        line.truncates = True
        line.matches = lambda method, _path: sum(seen == "GET" for seen, _ in line.seen) < 4
        assert await read_all(store, PATH) == BODY
        assert [method for method, _ in line.seen].count("GET") >= 4
        line.matches = lambda _method, _path: True
        with pytest.raises(StoreAway):
            await store.names()


async def test_what_comes_too_slowly_is_given_up(line: BadLine, monkeypatch: pytest.MonkeyPatch) -> None:
    async with store_at(line.bucket()) as store:
        await _put(store)
        monkeypatch.setattr(store_s3, "ANSWER_SECONDS", 0.3)
        monkeypatch.setattr(store_s3, "LEAST_BYTES_PER_SECOND", 10_000_000)
        line.is_slow = True
        with pytest.raises(StoreAway) as raised:
            await store.digest(PATH)
        assert raised.value.code == "store-away"


async def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(line: BadLine, tmp_path: Path) -> None:
    await line.close()
    line.certificate = server_certificate(tmp_path, ["127.0.0.1"])
    await line.open()
    async with store_at(line.bucket()) as store:
        with pytest.raises(StoreAway):
            await _put(store)
    assert line.seen == []
    async with store_at(replace(line.bucket(), authority=tmp_path / AUTHORITY_FILE)) as store:
        await _put(store)
        assert await read_all(store, PATH) == BODY


async def test_a_proxy_of_the_environment_is_not_used(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with store_at(s3.bucket()) as store:
        await _put(store)


async def test_bytes_that_were_changed_on_the_way_are_found_by_reading_them_back(line: BadLine) -> None:
    async with store_at(line.bucket()) as store:
        line.corrupts_uploads = True
        try:
            await _put(store)
        except ChecksumMismatch:
            return  # storage that looks at the sum needs no reading back
        digest, stored = await store.digest(PATH)
        assert digest != SHA256
        assert stored.sha256 == SHA256, "this storage keeps the sum that it was told and looks at nothing"


async def test_the_secret_is_never_sent_or_logged(line: BadLine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with store_at(line.bucket()) as store:
        await _put(store)
        line.answers = 403
        with pytest.raises(StoreAway) as raised:
            await store.exists(PATH)
    assert KEY.secret not in caplog.text + repr(store) + str(raised.value)
