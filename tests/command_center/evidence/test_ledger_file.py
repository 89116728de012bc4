"""A ledger on the disk: torn ends are mended, changes are never cut away, and nothing is anchored that isn't there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_center.evidence.ledger_file import GrowingLedger, LedgerBroken, LedgerFile
from streams.ledger import Signer, head_of, make_signer


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return make_signer(tmp_path / "keys" / "key.pem")


def opened(path: Path) -> tuple[LedgerFile, list[int]]:
    ledger, numbers = LedgerFile(path, "tests/1"), []
    ledger.open(lambda line, _raw: numbers.append(line["number"]))
    return ledger, numbers


def written(path: Path, count: int, signer: Signer | None = None) -> LedgerFile:
    ledger, _ = opened(path)
    ledger.append([({"type": "x", "number": number}, signer) for number in range(count)])
    return ledger


def test_what_was_appended_is_read_again_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    head = written(path, 3).head
    again, numbers = opened(path)
    assert (numbers, again.head, head_of(path)) == ([0, 1, 2], head, head)
    again.append([({"type": "x", "number": 3}, None)])
    assert opened(path)[1] == [0, 1, 2, 3]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_end_is_cut_off_and_kept_beside(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "ledger.jsonl"
    written(path, 3)
    path.write_bytes(path.read_bytes()[:-cut])
    ledger, numbers = opened(path)
    assert numbers == [0, 1]
    assert path.with_name("ledger.jsonl.torn").read_bytes().strip()
    ledger.append([({"type": "x", "number": 9}, None)])
    assert opened(path)[1] == [0, 1, 9]


def test_zeros_that_a_power_cut_left_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    written(path, 3)
    with path.open("ab") as file:
        file.write(bytes(5000))
    assert opened(path)[1] == [0, 1, 2]


def test_a_change_before_a_signed_line_is_never_cut_away(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "ledger.jsonl"
    written(path, 5, signer)
    before = path.read_bytes().replace(b'"number":1', b'"number":7')
    path.write_bytes(before)
    with pytest.raises(LedgerBroken):
        opened(path)
    assert path.read_bytes() == before


def test_what_another_process_appended_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = written(path, 1)
    assert ledger.is_open
    written(path, 1)
    assert not ledger.is_open
    with pytest.raises(ValueError, match="isn't open"):
        LedgerFile(path, "tests/1").append([])


def test_a_growing_ledger_tells_its_head_by_whole_lines_that_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    growing = GrowingLedger(path)
    assert growing.head().lines == 0
    for count in (1, 3, 2):
        head = written(path, count).head
        assert growing.head() == head
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(json.dumps({"type": "x", "previous": head.hash}).encode())
    assert growing.head() == head
    with path.open("ab") as file:
        file.write(b'\n{"type":"x","previous":"no"}\n')
    assert growing.head().lines == head.lines + 1
    path.write_bytes(whole)
    assert growing.head() == head
