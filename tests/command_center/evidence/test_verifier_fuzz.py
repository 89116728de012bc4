"""Whatever bytes stand anywhere, a report comes: seeded damage to every kind of file."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_center.evidence.verifier import LANGUAGES, Report, Unusable, verify
from tests.support.fuzzing import Damage
from tests.support.proof_world import package, with_open_end
from tests.support.tampering import Evidence

DAMAGED = int(os.environ.get("FUZZ_INPUTS", "250"))
LONGEST = 20_000
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53, 2**63, 1e300, -0.5, "", "x" * 2000, "\ud800", "../../x", [], [[]], {}, {"a": 1},
    [0, "0" * 64], [1, "0" * 64], ["0" * 64, 1], "0" * 64, [1, 2, 3], {"bytes": 1, "sha256": "0" * 64}, "node:node-1",
)  # fmt: skip


def is_told(report: Report) -> None:
    """A report came, and by no accident; it can be shown."""
    assert "stopped" not in report.counts, report.findings[-1]
    for language in LANGUAGES:
        report.text(language).encode()
    json.dumps(report.as_dict()).encode()


def changed_values(line: bytes, chance: random.Random) -> bytes:
    """The line with some of its values of another kind: what a writer with the right key might get wrong."""
    fields = json.loads(line)
    for _ in range(chance.choice((1, 1, 2, 4))):
        holder = fields
        while True:
            name = chance.choice(list(holder))
            if isinstance(holder[name], dict) and holder[name] and chance.random() < 0.7:
                holder = holder[name]
                continue
            break
        if chance.random() < 0.2:
            del holder[name]
            if not fields or not holder:
                break
        else:
            holder[name] = copy.deepcopy(chance.choice(VALUES))
    return json.dumps(fields, separators=(",", ":")).encode()


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """A set with an open end: there every line may be another one."""
    world = with_open_end(tmp_path / "data")
    return Evidence(world.data, *_files(world.data))


def _files(data: Path) -> tuple[dict[str, bytes], list[Any]]:
    paths = sorted(path for path in data.rglob("*") if path.is_file())
    return {path.relative_to(data).as_posix(): path.read_bytes() for path in paths}, []


def test_damaged_files_give_a_report(evidence: Evidence) -> None:
    chance = random.Random(11)
    damage = Damage(chance)
    others = list(evidence.files.values())
    for _ in range(DAMAGED):
        evidence.now = dict(evidence.files)
        for path in chance.sample(list(evidence.files), chance.choice((1, 1, 2, 5))):
            if path.endswith(".jsonl") and chance.random() < 0.7:
                lines = evidence.lines(path) or [b"{}"]
                at = chance.randrange(len(lines))
                lines[at] = changed_values(lines[at], chance)
                evidence.put(path, lines)
            else:
                evidence.now[path] = damage.of_bytes(evidence.files[path], others, LONGEST)
        with evidence.applied():
            is_told(verify(evidence.data))


def _packages(tmp_path: Path, chance: random.Random) -> Iterator[bytes]:
    world = with_open_end(tmp_path / "data")
    folder = package(world, tmp_path / "package")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    whole = (tmp_path / "whole.zip").read_bytes()
    damage = Damage(chance)
    for _ in range(DAMAGED):
        # The directory at its end is what matters most.
        at = chance.choice((0, len(whole) // 2, max(0, len(whole) - 1500)))
        yield whole[:at] + damage.of_bytes(whole[at:], (), 200_000)
    line = (folder / "package.json").read_bytes()[:-1]
    for _ in range(DAMAGED // 2):
        (folder / "package.json").write_bytes(changed_values(line, chance) + b"\n")
        is_told(verify(folder))
    shutil.rmtree(folder)


def test_damaged_packages_give_a_report_or_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    for data in _packages(tmp_path, random.Random(12)):
        path.write_bytes(data)
        try:
            is_told(verify(path))
        except Unusable as refused:
            refused.said("zh").encode()
