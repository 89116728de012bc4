"""Packages with excerpts of the ledgers that all operations share: others aren't in them, and they prove as much."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from command_center.evidence.verifier import CODES, Grade, Report, verify
from streams.ledger import Signer, line_hash
from tests.support.proof_world import ProofWorld, list_files, package, whole, zipped
from tests.support.signing import signer

KEYS, ANCHORS, TOMBSTONES = "proof/keys.jsonl", "proof/anchors.jsonl", "proof/tombstones.jsonl"
SHARED = (KEYS, ANCHORS, TOMBSTONES)
EXCERPTED = (ANCHORS, TOMBSTONES)
OTHERS = ("feed-3", "chifeng-feed", "王五的手机")
"""What speaks of another court; the ring of its keys is everybody's."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ProofWorld:
    """Two courts that go on side by side: both delete, one gets a node, and the court's key is changed again."""
    made = whole(tmp_path_factory.mktemp("excerpts") / "data")
    first, second = made.journals
    one, three = made.recordings[0], made.recordings[2]
    theirs = made.nodes["node-of-chifeng"] = signer("node of chifeng")
    made.register(theirs, "node:node-of-chifeng")
    _minutes(made, second)
    four = made.begin_recording("chifeng-feed", "node-of-chifeng")
    for _ in range(2):
        made.segment(four)
        made.anchor()
    made.close_recording(four)
    made.anchor()
    made.tombstones.add(
        "tombstone", made.court, at=made.wait(1), recording=four.id, operation=second, feed="chifeng-feed",
        segments=[1], manifest=[four.ledger.head.lines, four.ledger.head.hash], **{"class": "C"}, reason="王五的手机",
        proposed_by=made.new_id(), proposed_at=made.at, approved_by=made.new_id(),
    )  # fmt: skip
    made.delete(one, [2], first)
    made.delete(three, [3], second)
    made.anchor()
    _minutes(made, second)
    made.rotate_court()
    _minutes(made, second)
    return made


def _minutes(world: ProofWorld, operation: str, count: int = 4) -> None:
    """Minutes in which nothing but this operation's journal moves."""
    for _ in range(count):
        world.note(operation, "instruction", {"text": "王五的手机"})
        world.anchor()


@pytest.fixture
def folder(world: ProofWorld, tmp_path: Path) -> Path:
    """A package of the first operation."""
    return package(world, tmp_path / "package", is_excerpt=True)


def look(world: ProofWorld, path: Path, **asked: Any) -> Report:
    """Verify it by the key that the court has published."""
    return verify(path, trusted=[world.first_key], **asked)


def spans(report: Report) -> list[tuple[object, ...]]:
    """All that is said of recordings."""
    return [(one.id, *vars(span).values()) for one in report.recordings for span in one.spans]


def lines(folder: Path, path: str) -> list[bytes]:
    """A ledger's lines."""
    return (folder / path).read_bytes().splitlines()


def fields_of(folder: Path) -> dict[str, Any]:
    """What the package's list says."""
    found: dict[str, Any] = json.loads((folder / "package.json").read_bytes())
    return found


def resigned(folder: Path, path: str, changed: list[bytes], world: ProofWorld) -> None:
    """Put other lines in a ledger's place, and have the court sign the list of it: only the lines themselves tell."""
    (folder / path).write_bytes(b"".join(line + b"\n" for line in changed))
    list_files(folder, fields_of(folder), world.court)


def wrong(report: Report) -> set[str]:
    """The codes of what is broken."""
    return {code for code in report.counts if CODES[code][0] is Grade.BROKEN}


def test_nothing_in_it_speaks_of_another_court(world: ProofWorld, folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name, data in files.items():
        assert not [one for one in OTHERS if one.encode() in data], name
    four = world.recordings[3]
    assert four.id.encode() not in b"".join(files.values())
    kept = [len(lines(folder, path)) for path in SHARED]
    assert kept == [8, 9, 1]
    assert [len(lines(world.data, path)) for path in SHARED] == [8, 21, 4]


def test_it_proves_what_the_whole_ledgers_prove(world: ProofWorld, folder: Path, tmp_path: Path) -> None:
    complete = look(world, package(world, tmp_path / "complete"))
    for path in (folder, zipped(folder)):
        report = look(world, path, anchor=world.newest_anchor)
        assert report.exit_code == complete.exit_code == 0, report.text("en")
        assert spans(report) == spans(complete)
        assert {one.state for each in report.recordings for one in each.spans} == {"proven", "left_out", "deleted"}
        assert report.newest_anchor == complete.newest_anchor == world.newest_anchor
        assert report.is_anchor_known
        assert [vars(one) for one in report.journals] == [vars(one) for one in complete.journals]


def test_it_says_how_many_lines_of_others_were_left_out(world: ProofWorld, folder: Path) -> None:
    report = look(world, folder)
    told = {one.where: one.values["lines"] for one in report.findings if one.code == "excerpt"}
    assert told == {ANCHORS: 12, TOMBSTONES: 3}
    assert "proof/anchors.jsonl: 此账簿是摘录：另有 12 行未收入本包" in report.text("zh")
    assert "proof/anchors.jsonl: This is an excerpt of the ledger: 12 lines were left out" in report.text("en")


def test_an_excerpt_without_a_single_line_is_one_too(world: ProofWorld, tmp_path: Path) -> None:
    made = whole(tmp_path / "data")
    folder = package(made, tmp_path / "package", is_excerpt=True)
    assert not (folder / TOMBSTONES).exists()
    report = look(made, folder)
    assert (report.exit_code, report.counts["excerpt-absent"]) == (0, 1)
    assert "proof/tombstones.jsonl: 此账簿的 1 行全部未收入本包" in report.text("zh")
    fields = fields_of(folder)
    fields["excerpts"].pop(TOMBSTONES)
    list_files(folder, fields, made.court)
    assert "cut-off" in look(made, folder).counts


@pytest.mark.parametrize("path", SHARED)
def test_a_line_of_its_own_that_is_removed_edited_moved_or_doubled_is_found(
    world: ProofWorld, folder: Path, path: str
) -> None:
    """Even where the court's signature of the list were good."""
    before = lines(folder, path)
    for at in range(len(before)):
        edited = before[at].replace(b'"at":1', b'"at":2', 1).replace(b'"of":', b'"of":1', 1)
        swapped = before[:at] + before[at : at + 2][::-1] + before[at + 2 :]
        doubled = before[: at + 1] + before[at:]
        removed = before[:at] + before[at + 1 :]
        for changed in (removed, [*before[:at], edited, *before[at + 1 :]], swapped, doubled):
            resigned(folder, path, changed, world)
            report = look(world, folder, anchor=world.newest_anchor)
            if path == ANCHORS and changed is removed and at == len(before) - 1:
                # Behind the newest anchor of all there is nothing that could tell of it, but who knows it.
                assert (report.exit_code, report.counts["known-anchor-newer"]) == (2, 1)
            elif changed != before:
                assert wrong(report), (at, changed)
            resigned(folder, path, before, world)
    assert look(world, folder).exit_code == 0


def _gaps(fields: dict[str, Any]) -> Iterator[tuple[str, int]]:
    return ((path, at) for path, gaps in fields["excerpts"].items() for at in range(len(gaps)))


CHANGES: dict[str, Callable[[list[list[Any]], int], object]] = {
    "one line more": lambda gaps, at: gaps[at].__setitem__(1, gaps[at][1] + 1),
    "a later place": lambda gaps, at: gaps[at].__setitem__(0, gaps[at][0] + 1),
    "another hash": lambda gaps, at: gaps[at].__setitem__(2, line_hash(b"another")),
    "not there": lambda gaps, at: gaps.pop(at),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_declaration_that_does_not_fit_the_lines_is_found(world: ProofWorld, folder: Path, change: str) -> None:
    whole_list = fields_of(folder)
    for path, at in list(_gaps(whole_list)):
        fields = json.loads(json.dumps(whole_list))
        CHANGES[change](fields["excerpts"][path], at)
        list_files(folder, fields, world.court)
        report = look(world, folder)
        # A number of lines that nothing here counts is the court's word alone: of anchors only the most is known.
        if change != "one line more" or path != ANCHORS:
            assert wrong(report), (path, at)


@pytest.mark.parametrize("path", EXCERPTED)
def test_an_excerpt_that_is_declared_where_there_is_none_is_found(world: ProofWorld, folder: Path, path: str) -> None:
    """At any place between lines that follow each other, and behind the last."""
    before, whole_list = lines(folder, path), fields_of(folder)
    told = whole_list["excerpts"][path]
    ordinals = _ordinals(len(before), told)
    for first, digest in [(ordinals[at], line_hash(before[at - 1])) for at in range(1, len(before))]:
        fields = json.loads(json.dumps(whole_list))
        fields["excerpts"][path] = [one for one in told if one[0] != first] + [[first, 1, digest]]
        list_files(folder, fields, world.court)
        assert wrong(look(world, folder)), first
    fields = json.loads(json.dumps(whole_list))
    fields["excerpts"][path].append([ordinals[-1] + 1000, 1, line_hash(b"")])
    list_files(folder, fields, world.court)
    assert "excerpt-false" in look(world, folder).counts


def _ordinals(count: int, gaps: list[list[Any]]) -> list[int]:
    """Which lines of the whole ledger these are."""
    left_out = {number for first, lines, _ in gaps for number in range(first, first + lines)}
    return [number for number in range(1, count + len(left_out) + 1) if number not in left_out]


def test_an_excerpt_is_nobodys_to_declare_but_the_courts(world: ProofWorld, folder: Path) -> None:
    resigned(folder, ANCHORS, lines(folder, ANCHORS), world)
    by: Signer = signer("somebody else")
    list_files(folder, fields_of(folder), by)
    assert "signer-unknown" in look(world, folder).counts
    fields = fields_of(folder)
    manifest = next(path for path in fields["files"] if path.startswith("recordings/") and path.endswith(".jsonl"))
    fields["excerpts"][manifest] = [[1, 1, line_hash(b"")]]
    list_files(folder, fields, world.court)
    assert "package-line" in look(world, folder).counts


def test_a_package_that_a_retired_key_signed_may_be_of_later(world: ProofWorld, folder: Path) -> None:
    old = signer("court")
    fields = fields_of(folder)
    retired = next(json.loads(line)["at"] for line in lines(folder, KEYS) if b'"retired"' in line)
    list_files(folder, {**fields, "made_at": retired - 1000}, old)
    report = look(world, folder)
    assert (report.exit_code, report.counts["signed-late"]) == (2, 1)


def test_lines_of_others_that_were_changed_before_are_declared_as_that(tmp_path: Path) -> None:
    made = whole(tmp_path / "data")
    _minutes(made, list(made.journals)[1])
    path = made.anchors.path
    path.write_bytes(path.read_bytes().replace(b'"sequence":7,"at":1', b'"sequence":7,"at":2'))
    report = look(made, package(made, tmp_path / "package", is_excerpt=True))
    assert wrong(report) == {"excerpt-unsound"}
    assert "第 6 至 8 行已不相衔接" in report.text("zh")


def test_an_anchor_that_the_reader_knows_and_that_is_left_out_is_told(world: ProofWorld, folder: Path) -> None:
    known = (len(world.anchor_lines) - 2, line_hash(world.anchor_lines[-3]))
    report = look(world, folder, anchor=known)
    assert (report.exit_code, report.counts["known-anchor-left-out"]) == (2, 1)


def test_an_anchor_noted_after_the_package_was_made_says_nothing_against_it(tmp_path: Path) -> None:
    made = whole(tmp_path / "data")
    folder = package(made, tmp_path / "package", is_excerpt=True)
    _minutes(made, next(iter(made.journals)))
    report = look(made, folder, anchor=made.newest_anchor)
    assert (report.exit_code, report.counts["known-anchor-newer"], wrong(report)) == (2, 1, set())
    assert not report.is_anchor_known
    # An installation must have it: there nothing is of earlier.
    made.anchors.path.write_bytes(b"".join(line + b"\n" for line in made.anchor_lines[:-1]))
    assert "known-anchor-gone" in look(made, made.data, anchor=made.newest_anchor).counts


def _retired(world: ProofWorld, folder: Path) -> tuple[Signer, int]:
    """The court's key that was retired last, whose copy a thief may have, and an instant well behind that."""
    return signer(f"court after {world.first_key}"), json.loads(lines(folder, KEYS)[-1])["at"] + 600_000


def test_a_stolen_key_proves_nothing_with_its_retirement_declared_as_left_out(world: ProofWorld, folder: Path) -> None:
    ring, (stolen, at) = lines(folder, KEYS), _retired(world, folder)
    fields = {**fields_of(folder), "made_at": at}
    fields["excerpts"][KEYS] = [[len(ring), 1, line_hash(ring[-1])]]
    (folder / KEYS).write_bytes(b"".join(line + b"\n" for line in ring[:-1]))
    list_files(folder, fields, stolen)
    report = look(world, folder)
    assert report.exit_code == 2, report.text("en")
    assert report.counts["keys-left-out"] == 1
    assert "密钥簿略去了 1 行" in report.text("zh")


def test_a_stolen_key_proves_nothing_with_the_anchor_of_its_retirement_left_out(
    world: ProofWorld, folder: Path
) -> None:
    ring, anchors, (stolen, at) = lines(folder, KEYS), lines(folder, ANCHORS), _retired(world, folder)
    fields = {**fields_of(folder), "made_at": at}
    ordinals = _ordinals(len(anchors), fields["excerpts"][ANCHORS])
    told = [json.loads(line).get("heads", {}).get("keys", [0])[0] == len(ring) for line in anchors]
    kept = [line for line, is_told in zip(anchors, told, strict=True) if not is_told]
    assert len(kept) == len(anchors) - 1
    place = told.index(True)
    fields["excerpts"][ANCHORS].append([ordinals[place], 1, line_hash(anchors[place])])
    for path, changed in ((KEYS, ring[:-1]), (ANCHORS, kept)):
        (folder / path).write_bytes(b"".join(line + b"\n" for line in changed))
    list_files(folder, fields, stolen)
    report = look(world, folder)
    assert report.exit_code == 2, report.text("en")
    assert {"signer-replaced", "signed-late", "not-anchored"} <= report.counts.keys()


def test_a_package_of_earlier_whose_ring_leaves_out_keys_still_verifies(world: ProofWorld, folder: Path) -> None:
    """As they were made for a short while: nothing speaks against it, and that it proves less is told."""
    ring, fields = lines(folder, KEYS), fields_of(folder)
    assert b"node-of-chifeng" in ring[5]
    fields["excerpts"][KEYS] = [[6, 1, line_hash(ring[5])]]
    (folder / KEYS).write_bytes(b"".join(line + b"\n" for line in [*ring[:5], *ring[6:]]))
    list_files(folder, fields, world.court)
    report = look(world, folder)
    assert (report.exit_code, report.counts["keys-left-out"], wrong(report)) == (2, 1, set())
    assert {one.state for each in report.recordings for one in each.spans} == {"proven", "left_out", "deleted"}


def test_right_after_a_change_of_keys_it_is_said_once_that_no_anchor_followed_yet(tmp_path: Path) -> None:
    made = whole(tmp_path / "data")
    made.rotate_court()
    report = look(made, package(made, tmp_path / "package", is_excerpt=True))
    assert report.exit_code == 2
    assert "signed-late" not in report.counts
    assert report.counts["signed-unvouched"] == 1
    made.anchor()
    assert look(made, package(made, tmp_path / "later", is_excerpt=True)).exit_code == 0


def test_an_anchor_that_a_seal_names_and_the_excerpt_lacks_is_found(world: ProofWorld, folder: Path) -> None:
    """As a court would leave it out that has something to hide."""
    before, fields = lines(folder, ANCHORS), fields_of(folder)
    (folder / ANCHORS).write_bytes(b"".join(line + b"\n" for line in (before[0], *before[2:])))
    fields["excerpts"][ANCHORS].append([2, 1, line_hash(before[1])])
    list_files(folder, fields, world.court)
    assert "anchor-left-out" in look(world, folder).counts


@pytest.mark.parametrize("gap", [[1, 1 << 50, "0" * 64], [2, 1 << 52, None], [1, 0, "0" * 64], [0, 1, None], "x", [1]])
def test_declarations_of_any_kind_give_a_report(world: ProofWorld, folder: Path, gap: Any) -> None:
    for path in SHARED:
        fields = fields_of(folder)
        fields["excerpts"] = {path: [gap]}
        list_files(folder, fields, world.court)
        report = look(world, folder)
        assert report.exit_code == 1
        assert "stopped" not in report.counts


@pytest.mark.parametrize("excerpts", ["x", 7, None, {"proof/journals": []}, {ANCHORS: [[1]]}, {ANCHORS: "x"}])
def test_a_declaration_that_makes_no_sense_is_told_alone(world: ProofWorld, folder: Path, excerpts: Any) -> None:
    """What would follow from it would hide it."""
    list_files(folder, {**fields_of(folder), "excerpts": excerpts}, world.court)
    report = look(world, folder)
    assert (report.exit_code, dict(report.counts)) == (1, {"package-line": 1})
    assert report.recordings == []
