"""Ledgers: each line names the one before, signed ones verify, and a torn end is cut off and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from streams.ledger import (
    FIRST,
    Chain,
    Head,
    NotALedger,
    cut_torn_end,
    head_of,
    is_signed_by,
    key_id,
    line_hash,
    load_signer,
    make_signer,
)
from tests.support.signing import SIGNER, signer

CONTEXT = "anchors/1"


def lines(count: int = 6) -> list[bytes]:
    chain = Chain(CONTEXT)
    return [
        chain.line({"type": "anchor", "at": number, "名": "封"}, SIGNER if number % 2 else None)
        for number in range(count)
    ]


def test_each_line_names_the_one_before_and_the_head_is_the_last() -> None:
    previous = FIRST
    written = lines()
    for line in written:
        assert json.loads(line)["previous"] == previous
        previous = line_hash(line.removesuffix(b"\n"))
    chain = Chain(CONTEXT)
    for number in range(6):
        chain.line({"type": "anchor", "at": number, "名": "封"}, SIGNER if number % 2 else None)
    assert chain.head == Head(6, previous)


def test_a_signature_is_the_last_field_and_holds_for_its_ledger_and_key_alone() -> None:
    line = lines()[1].removesuffix(b"\n")
    found = json.loads(line)
    assert list(found)[-3:] == ["signer", "algorithm", "signature"]
    assert found["signer"] == SIGNER.id == key_id(SIGNER.public)
    assert is_signed_by(line, CONTEXT, SIGNER.public)
    assert not is_signed_by(line, "journal/1", SIGNER.public)
    assert not is_signed_by(line, CONTEXT, signer("another").public)


def test_no_byte_of_a_signed_line_can_be_changed() -> None:
    line = lines()[1].removesuffix(b"\n")
    for place in range(len(line)):
        changed = bytearray(line)
        changed[place] ^= 1
        assert not is_signed_by(bytes(changed), CONTEXT, SIGNER.public)


@pytest.mark.parametrize("garbage", [b"", b"{}", b'{"a":1,"signature":""}', b',"signature":"x"}', b"\xff" * 90])
def test_what_is_no_signed_line_is_not_signed(garbage: bytes) -> None:
    assert not is_signed_by(garbage, CONTEXT, SIGNER.public)


def test_a_torn_end_is_cut_off_to_the_last_line_that_follows(tmp_path: Path) -> None:
    chance = random.Random("torn")
    written = lines()
    path = tmp_path / "ledger.jsonl"
    for _ in range(60):
        kept = chance.randrange(len(written))
        line = written[kept]
        part = line[: chance.randrange(1, len(line))]
        torn = chance.choice([part, line[:-1], bytes(300), b'{"previous":"x"}\n', line[1:]])
        before = b"".join(written[:kept])
        path.write_bytes(before + torn)
        assert cut_torn_end(path) == len(torn)
        assert path.read_bytes() == before
        assert head_of(path).lines == kept
        torn_file = path.with_name("ledger.jsonl.torn")
        assert torn_file.read_bytes() == torn, "what is cut off is kept beside"
        torn_file.unlink()


def test_nothing_is_cut_where_something_signed_stands_behind_the_break(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    changed = b"".join(lines()).replace(b'"at":2', b'"at":7')
    path.write_bytes(changed)
    with pytest.raises(NotALedger):
        cut_torn_end(path)
    assert path.read_bytes() == changed


def test_a_chain_goes_on_from_a_files_head(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert head_of(path) == Head()
    path.write_bytes(b"".join(lines(3)))
    chain = Chain(CONTEXT, head_of(path))
    with path.open("ab") as file:
        file.write(chain.line({"type": "anchor", "at": 9}))
    assert cut_torn_end(path) == 0
    assert head_of(path) == chain.head == Head(4, chain.head.hash)


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "node.pem"
    made = make_signer(path).id
    assert {make_signer(path).id, load_signer(path).id} == {made}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["node.pem"]
    path.write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        make_signer(path)
