"""The keyring: keys made once, changed without a gap, and every step of it in the ledger that anybody can check."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import stat
from pathlib import Path
from typing import Any

import pytest

from command_center.evidence.keyring import COURT_FILE, Keyring, KeysRefused
from streams.ledger import FIRST, is_signed_by, line_hash, load_signer, make_signer
from tests.support.manifests import make_recording, make_recording_of_version_1


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path, tmp_path / "keys")


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every line of the ledger, whose chain and signatures are good."""
    previous, court, found = FIRST, None, []
    for raw in (folder / "proof" / "keys.jsonl").read_bytes().splitlines():
        line = json.loads(raw)
        assert line["previous"] == previous
        court = court or bytes.fromhex(line["public"])
        assert is_signed_by(raw, "keys/1", court)
        if line["type"] == "key" and line["owner"] == "court":
            court = bytes.fromhex(line["public"])
        previous = line_hash(raw)
        found.append(line)
    return found


def test_the_courts_and_the_nodes_keys_are_made_once_and_nobody_else_reads_them(
    keyring: Keyring, tmp_path: Path
) -> None:
    for _ in range(2):
        keyring.ensure(["node-1", "node-2"])
    assert [line["owner"] for line in lines(tmp_path)] == ["court", "node:node-1", "node:node-2"]
    for name in (COURT_FILE, "recording-node-1.pem", "recording-node-2.pem"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    assert load_signer(tmp_path / "keys" / "recording-node-1.pem").id == keyring.listed()[1].id
    assert lines(tmp_path)[0]["signer"] == lines(tmp_path)[0]["key"] == keyring.signer().id


def test_several_processes_at_once_make_one_of_each(tmp_path: Path) -> None:
    processes = [multiprocessing.get_context("spawn").Process(target=_ensure, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert [line["owner"] for line in lines(tmp_path)] == ["court", "node:node-1"]


def _ensure(folder: Path) -> None:
    Keyring(folder, folder / "keys").ensure(["node-1"])


def test_the_courts_key_is_changed_and_the_old_one_signs_nothing_more(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure(["node-1"])
    old = keyring.signer().id
    new = keyring.rotate("court")
    assert keyring.signer().id == new != old
    _, _, key, retired = lines(tmp_path)
    assert (key["key"], key["replaces"], key["signer"]) == (new, old, old)
    assert (retired["key"], retired["signer"]) == (old, new)
    assert {record.id: record.retired_at is not None for record in keyring.listed()}[old]
    keyring.ensure(["node-1"])
    assert len(lines(tmp_path)) == 4


def test_a_nodes_old_key_is_good_until_it_is_retired(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure(["node-1"])
    old = keyring.listed()[1].id
    new = keyring.rotate("node:node-1")
    assert load_signer(tmp_path / "keys" / "recording-node-1.pem").id == new
    assert [record.retired_at for record in keyring.listed()] == [None, None, None]
    keyring.retire(old)
    assert [record.id for record in keyring.listed() if record.retired_at] == [old]
    assert lines(tmp_path)[-1]["type"] == "retired"
    with pytest.raises(KeysRefused):
        keyring.retire(old)
    with pytest.raises(KeysRefused, match="rotate"):
        keyring.retire(keyring.signer().id)


def test_the_key_of_a_node_on_another_machine_is_added(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure()
    remote = make_signer(tmp_path / "elsewhere" / "key.pem")
    assert keyring.add("field-2", remote.public) == remote.id
    assert (lines(tmp_path)[-1]["owner"], lines(tmp_path)[-1]["public"]) == ("node:field-2", remote.public.hex())
    for node, public in (("field-2", remote.public), ("field-3", b"short"), ("../x", bytes(32))):
        with pytest.raises(KeysRefused):
            keyring.add(node, public)
    with pytest.raises(KeysRefused, match="holds no"):
        keyring.rotate("node:field-2")


def test_a_key_that_is_missing_or_another_one_is_refused_and_nothing_is_made(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure()
    path, before = tmp_path / "keys" / COURT_FILE, lines(tmp_path)
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(KeysRefused, match="missing"):
        keyring.ensure()
    assert not path.exists()
    make_signer(path)
    with pytest.raises(KeysRefused, match="right one"):
        keyring.ensure()
    path.write_bytes(kept)
    keyring.ensure()
    assert lines(tmp_path) == before


@pytest.mark.parametrize("left", ["anchors.jsonl", "journals/one.jsonl", "recording"])
def test_where_the_ledger_alone_is_lost_no_new_one_is_made(keyring: Keyring, tmp_path: Path, left: str) -> None:
    keyring.ensure()
    before = (tmp_path / "proof" / "keys.jsonl").read_bytes()
    (tmp_path / "proof" / "keys.jsonl").unlink()
    if left == "recording":
        make_recording(tmp_path / "recordings")
    else:
        (tmp_path / "proof" / left).parent.mkdir(exist_ok=True)
        (tmp_path / "proof" / left).write_text("{}\n")
    with pytest.raises(KeysRefused, match=r"is lost"):
        keyring.ensure()
    assert not (tmp_path / "proof" / "keys.jsonl").exists()
    (tmp_path / "proof" / "keys.jsonl").write_bytes(before)
    keyring.ensure()


def test_the_first_key_is_registered_after_a_crash_though_there_are_recordings_that_nobody_signed(
    keyring: Keyring, tmp_path: Path
) -> None:
    make_signer(tmp_path / "keys" / COURT_FILE)
    make_recording_of_version_1(tmp_path / "recordings")
    keyring.ensure()
    assert [line["owner"] for line in lines(tmp_path)] == ["court"]


def test_a_ledger_that_somebody_changed_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure(["node-1"])
    path = tmp_path / "proof" / "keys.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"owner":"court"', b'"owner":"c0urt"'))
    with pytest.raises(KeysRefused, match="changed"):
        keyring.ensure(["node-1"])


class _Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ends at the n-th thing that reaches the disk; nothing after it happens."""
    left = [1_000_000]

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise _Killed
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(os, "link", counted(os.link))
    return left


@pytest.mark.parametrize("owner", ["court", "node:node-1"])
def test_a_change_that_was_interrupted_anywhere_is_finished_or_never_was(
    tmp_path: Path, kill_at: list[int], owner: str
) -> None:
    for moment in range(1, 20):
        folder = tmp_path / str(moment)
        keyring = Keyring(folder, folder / "keys")
        keyring.ensure(["node-1"])
        kill_at[0] = moment
        try:
            keyring.rotate(owner)
        except _Killed:
            pass
        else:
            assert moment > 5
            break
        finally:
            kill_at[0] = 1_000_000
        keyring.ensure(["node-1"])
        found = lines(folder)
        court = [one for one in keyring.listed() if one.owner == "court" and one.retired_at is None]
        assert [one.id for one in court] == [keyring.signer().id]
        node = load_signer(folder / "keys" / "recording-node-1.pem").id
        assert [one.id for one in keyring.listed() if one.owner == "node:node-1"][-1] == node
        assert not list((folder / "keys").glob("*.next.pem"))
        keyring.ensure(["node-1"])
        assert lines(folder) == found
        keyring.rotate(owner)
        lines(folder)


def test_the_first_keys_are_made_whole_wherever_their_making_was_interrupted(
    tmp_path: Path, kill_at: list[int]
) -> None:
    for moment in range(1, 30):
        folder = tmp_path / str(moment)
        kill_at[0] = moment
        try:
            Keyring(folder, folder / "keys").ensure(["node-1"])
        except _Killed:
            pass
        else:
            assert moment > 6
            break
        finally:
            kill_at[0] = 1_000_000
        Keyring(folder, folder / "keys").ensure(["node-1"])
        assert [line["owner"] for line in lines(folder)] == ["court", "node:node-1"]
        assert lines(folder)[0]["key"] == load_signer(folder / "keys" / COURT_FILE).id


def test_the_key_stays_while_somebody_signs(keyring: Keyring, tmp_path: Path) -> None:
    keyring.ensure()
    rotating = multiprocessing.get_context("spawn").Process(target=_rotate, args=(tmp_path,))
    with keyring.signing() as signer:
        rotating.start()
        rotating.join(random.Random(4).uniform(0.5, 1.0))
        assert rotating.is_alive()
        assert keyring.signer().id == signer.id
    rotating.join(30)
    assert keyring.signer().id != signer.id


def _rotate(folder: Path) -> None:
    Keyring(folder, folder / "keys").rotate("court")
