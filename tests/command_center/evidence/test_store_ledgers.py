"""The ledgers below `proof` are copied to the storage as they grow, whole lines only, and never made shorter there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from command_center.evidence.store import NotStored, read_all
from command_center.evidence.store_ledgers import Ledgers
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_s3 import Patience, S3Store
from tests.support.s3 import KEY, BadLine, S3Server, bad_line


@pytest.fixture
async def line(s3: S3Server) -> AsyncIterator[BadLine]:
    """The line to the storage."""
    async with bad_line(s3) as line:
        yield line


@pytest.fixture
async def remote(line: BadLine) -> AsyncIterator[S3Store]:
    """The storage's folder of ledgers."""
    store = S3Store(line.bucket(), KEY, "proof", Patience(silent_seconds=0.5, tries=1))
    yield store
    await store.close()


@pytest.fixture
def proof(tmp_path: Path) -> LocalStore:
    """The folder of ledgers."""
    (tmp_path / "proof" / "journals").mkdir(parents=True)
    return LocalStore(tmp_path / "proof")


async def test_ledgers_are_copied_as_they_grow_up_to_their_last_whole_line(proof: LocalStore, remote: S3Store) -> None:
    ledgers = Ledgers(proof, remote)
    anchors, journal = proof.root / "anchors.jsonl", proof.root / "journals" / "one.jsonl"
    anchors.write_bytes(b"1\n2\n3")
    journal.write_bytes(b"a\n")
    await ledgers.step()
    assert await read_all(remote, "anchors.jsonl") == b"1\n2\n"
    assert await read_all(remote, "journals/one.jsonl") == b"a\n"
    anchors.write_bytes(b"1\n2\n3\n")
    await Ledgers(proof, remote).step()
    assert await read_all(remote, "anchors.jsonl") == b"1\n2\n3\n"


async def test_what_did_not_grow_is_not_copied_again(proof: LocalStore, remote: S3Store, line: BadLine) -> None:
    ledgers = Ledgers(proof, remote)
    (proof.root / "keys.jsonl").write_bytes(b"1\n")
    await ledgers.step()
    count = len(line.seen)
    await ledgers.step()
    assert len(line.seen) == count


async def test_a_ledger_that_lost_lines_does_not_replace_the_longer_one(proof: LocalStore, remote: S3Store) -> None:
    path = proof.root / "anchors.jsonl"
    path.write_bytes(b"1\n2\n")
    await Ledgers(proof, remote).step()
    path.write_bytes(b"1\n")
    again = Ledgers(proof, remote)
    await again.step()
    assert list(again.troubles) == ["anchors.jsonl"]
    assert await read_all(remote, "anchors.jsonl") == b"1\n2\n"


async def test_a_ledger_that_was_rewritten_replaces_nothing_however_long_it_is(
    proof: LocalStore, remote: S3Store, line: BadLine
) -> None:
    path = proof.root / "anchors.jsonl"
    path.write_bytes(b"1\n2\n")
    running = Ledgers(proof, remote)
    await running.step()
    for content in (b"1\n3\n", b"9\n2\n3\n4\n"):
        path.write_bytes(content)
        anew = Ledgers(proof, remote)
        await anew.step()
        assert list(anew.troubles) == ["anchors.jsonl"]
        assert await read_all(remote, "anchors.jsonl") == b"1\n2\n"
    await running.step()
    assert list(running.troubles) == ["anchors.jsonl"]
    path.write_bytes(b"1\n2\n3\n")
    await running.step()
    assert (running.troubles, await read_all(remote, "anchors.jsonl")) == ({}, b"1\n2\n3\n")


async def test_what_was_read_back_last_is_not_read_back_again(
    proof: LocalStore, remote: S3Store, line: BadLine
) -> None:
    ledgers, path = Ledgers(proof, remote), proof.root / "anchors.jsonl"
    reads = []
    for content in (b"1\n", b"1\n2\n"):
        path.write_bytes(content)
        before = len(line.seen)
        await ledgers.step()
        reads.append([method for method, _ in line.seen[before:]].count("GET"))
    assert reads[1] <= reads[0]


async def test_what_came_there_wrongly_is_brought_again(proof: LocalStore, remote: S3Store, line: BadLine) -> None:
    ledgers = Ledgers(proof, remote)
    (proof.root / "keys.jsonl").write_bytes(b"1\n")
    line.corrupts_uploads = True
    await ledgers.step()
    assert list(ledgers.troubles) == ["keys.jsonl"]
    line.corrupts_uploads = False
    await ledgers.step()
    assert (ledgers.troubles, await read_all(remote, "keys.jsonl")) == ({}, b"1\n")


async def test_while_the_storage_is_away_they_wait(proof: LocalStore, remote: S3Store, line: BadLine) -> None:
    ledgers = Ledgers(proof, remote)
    (proof.root / "keys.jsonl").write_bytes(b"1\n")
    line.answers = 503
    await ledgers.step()
    assert ledgers.troubles == {"keys.jsonl": "store-busy"}
    line.answers = 0
    with pytest.raises(NotStored):
        await remote.size("keys.jsonl")
    await ledgers.step()
    assert (await remote.size("keys.jsonl"), ledgers.troubles) == (2, {})
