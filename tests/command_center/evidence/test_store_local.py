"""The store that is a folder."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from command_center.evidence.store import CHUNK_BYTES, NotStored, StoreAway, read_all
from command_center.evidence.store_local import LocalStore

PATH = "feed/2026-11-28/one-0001.mp4"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """A folder with one file of several pieces and a manifest."""
    folder = tmp_path / "recordings" / "feed" / "2026-11-28"
    folder.mkdir(parents=True)
    (folder / "one-0001.mp4").write_bytes(bytes(range(256)) * (CHUNK_BYTES // 100))
    (folder / "one.jsonl").write_text("{}\n")
    return LocalStore(tmp_path / "recordings")


async def test_a_part_is_given_to_the_byte(store: LocalStore) -> None:
    whole = store.path(PATH).read_bytes()
    assert await read_all(store, PATH) == whole
    first, last = 77, CHUNK_BYTES + 3
    assert b"".join([piece async for piece in store.open_range(PATH, first, last)]) == whole[first : last + 1]
    beyond = [piece async for piece in store.open_range(PATH, len(whole) - 2, len(whole) + 100)]
    assert b"".join(beyond) == whole[-2:]


async def test_a_file_that_is_deleted_while_it_is_read_is_read_to_its_end(store: LocalStore) -> None:
    whole = store.path(PATH).read_bytes()
    pieces = store.open_range(PATH, 0, len(whole) - 1)
    read = [await anext(pieces)]
    await store.remove(PATH)
    read += [piece async for piece in pieces]
    assert b"".join(read) == whole
    assert not await store.exists(PATH)
    await store.remove(PATH)


async def test_what_is_not_there_and_what_lies_outside_is_not_stored(store: LocalStore) -> None:
    outside = store.root.parent / "secret"
    outside.write_text("secret")
    for path in ("feed/none.mp4", "../secret", "/etc/hostname"):
        with pytest.raises(NotStored):
            await store.size(path)
        with pytest.raises(NotStored):
            await anext(store.open_range(path, 0, 5))
        assert not await store.exists(path)
    with pytest.raises(NotStored):
        await store.remove("../secret")
    assert outside.exists()


async def test_what_can_not_be_opened_now_is_not_taken_for_missing(store: LocalStore) -> None:
    await store.size(PATH)  # the thread that asks is there
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(StoreAway) as away:
            await anext(store.open_range(PATH, 0, 5))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (away.value.code, "EMFILE" in str(away.value)) == ("store-unreadable", True)


async def test_the_manifests_are_found(store: LocalStore) -> None:
    assert await store.manifests() == ["feed/2026-11-28/one.jsonl"]
    assert (await store.manifest("feed/2026-11-28/one.jsonl")).read_text() == "{}\n"
