"""What a verification says of whole, open, damaged and forged evidence."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from command_center.evidence.verifier import (
    CODES,
    FolderTree,
    Found,
    Grade,
    Options,
    Report,
    Unusable,
    Verification,
    verify,
)
from streams.ledger import Signer
from tests.support.manifests import NODE_KEY, ManifestWriter, footage
from tests.support.proof_world import DAY, ProofWorld, package, whole, with_open_end, zipped
from tests.support.signing import signer
from tests.support.tampering import KINDS, Evidence, tamper

TAMPERINGS = 7
"""Of each kind; the soak does ten thousand in all."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ProofWorld:
    """A whole set, which each test leaves as it was."""
    return whole(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def evidence(world: ProofWorld) -> Evidence:
    """Its files."""
    return Evidence.of(world)


def look(world: ProofWorld) -> Report:
    """Verify it with all that the reader may know."""
    return verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor)


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def states(report: Report) -> dict[str, list[tuple[str, int, int]]]:
    """Each feed's spans, with their first and last segment."""
    return {one.feed: [(span.state, span.first, span.last) for span in one.spans] for one in report.recordings}


def test_a_whole_set_is_proven_with_since_when(world: ProofWorld) -> None:
    report = look(world)
    assert report.exit_code == 0, report.text("en")
    assert states(report) == {
        "feed-1": [("proven", 1, 3)],
        "feed-2": [("proven", 1, 2)],
        "feed-3": [("proven", 1, 1), ("deleted", 2, 2), ("proven", 3, 3)],
    }
    span = next(one for one in report.recordings if one.feed == "feed-1").spans[0]
    assert span.anchor == 4
    assert span.after is not None
    assert span.proven is not None
    assert span.after < span.since < span.until < span.proven
    assert [(one.entries, one.sealed, one.anchored) for one in report.journals] == [(6, 6, 6), (10, 10, 10)]
    assert (report.keys, report.retired, report.anchors, report.tombstones) == (4, 1, 5, 1)


def test_a_report_says_in_both_languages_what_everything_rests_on(world: ProofWorld) -> None:
    unasked = verify(world.data)
    assert (unasked.exit_code, unasked.grade) == (4, Grade.NOTE)
    assert "未与法院公布的密钥比较" in unasked.text("zh")
    assert "NOT COMPARED" in unasked.text("en")
    assert "NOT COMPARED" not in look(world).text("en")
    for language, compare in (("zh", "相比较"), ("en", "Compare this id")):
        assert compare in unasked.text(language)
        assert compare not in look(world).text(language)
        assert world.first_key in unasked.text(language)
    assert "两人" in unasked.text("zh")
    assert "the decision of two people" in unasked.text("en")
    assert "fragments at its end that a power cut lost: 1;" in unasked.text("en")


@pytest.mark.parametrize("kind", KINDS)
def test_tamperings_are_detected(world: ProofWorld, evidence: Evidence, kind: str) -> None:
    for number in range(TAMPERINGS):
        tamper(evidence, random.Random(f"{kind} {number}"), kind)
        with evidence.applied():
            report = look(world)
        # What stands beside an entry's own text changes nothing of what is proven; it is told that it proves nothing.
        assert report.exit_code == (2 if kind == "text put in" else 1), (kind, number)
        assert "stopped" not in report.counts, (kind, number)
    assert look(world).exit_code == 0


def test_evidence_made_anew_by_a_stranger_is_whole_in_itself_and_only_the_published_key_tells(
    world: ProofWorld, evidence: Evidence
) -> None:
    tamper(evidence, random.Random(1), "key ring begun anew")
    with evidence.applied():
        strange = verify(world.data)
        told = verify(world.data, trusted=[world.first_key])
    assert "first-key-foreign" not in strange.counts
    assert strange.first_key != world.first_key
    assert strange.exit_code != 0
    assert told.exit_code == 1
    assert told.trust == "differs"


def test_all_put_back_to_an_earlier_day_only_a_known_anchor_tells(world: ProofWorld, evidence: Evidence) -> None:
    tamper(evidence, random.Random(2), "anchors cut with what they tell")
    with evidence.applied():
        assert verify(world.data, anchor=world.newest_anchor).counts["known-anchor-gone"] == 1


def test_what_is_not_sealed_or_anchored_yet_is_told_and_nothing_is_held_against_it(tmp_path: Path) -> None:
    world = with_open_end(tmp_path)
    report = look(world)
    assert report.exit_code == 2
    assert states(report)["feed-4"] == [("signed", 1, 1), ("open", 2, 2)]
    assert set(report.counts) == {
        "tail-unsigned", "not-anchored", "manifest-open", "segment-lost", "media-rest", "time-hole",
    }  # fmt: skip


def test_fragments_of_an_open_segment_are_proven_as_far_as_an_anchor_covers_them(tmp_path: Path) -> None:
    world = with_open_end(tmp_path)
    world.anchor()
    report = look(world)
    assert states(report)["feed-4"] == [("proven", 1, 1), ("anchored", 2, 2)]
    assert set(report.counts) == {"manifest-open", "segment-lost", "media-rest", "time-hole"}


def test_without_its_tombstone_a_deleted_segment_is_missing(world: ProofWorld, evidence: Evidence) -> None:
    evidence.put("proof/tombstones.jsonl", [])
    with evidence.applied():
        report = look(world)
    assert report.counts["cut-off"] == 1
    assert report.counts["media-missing"] == 1
    assert states(report)["feed-3"][1] == ("missing", 2, 2)


def test_a_deletion_by_one_person_is_none(tmp_path: Path) -> None:
    world = whole(tmp_path)
    recording = world.recordings[0]
    person = world.new_id()
    world.tombstones.add(
        "tombstone", world.court, at=world.wait(1), recording=recording.id, operation="-", feed="feed-1", segments=[1],
        manifest=[recording.ledger.head.lines, recording.ledger.head.hash], **{"class": "A"}, reason="-",
        proposed_by=person, proposed_at=world.at, approved_by=person,
    )  # fmt: skip
    (world.data / "recordings" / recording.segments[0].path).unlink()
    world.anchor()
    assert {"tombstone-alone", "media-missing"} <= set(look(world).counts)


def test_a_retired_key_signs_nothing_later(tmp_path: Path) -> None:
    world = whole(tmp_path)
    new, old = world.court, signer("court")
    world.wait(3600)
    world.court = old
    world.anchor()
    assert look(world).counts["signer-retired"] == 1
    world.court = new


def test_what_a_retired_key_signed_must_have_been_anchored_soon_after(tmp_path: Path) -> None:
    world = whole(tmp_path)
    old, now = signer("court"), world.at
    operation = next(iter(world.journals))
    world.at = now - 25_000
    world.court, court = old, world.court
    world.seal_journal(operation)
    world.court, world.at = court, now + 3_600_000
    world.anchor()
    report = look(world)
    assert report.exit_code == 2
    assert report.counts["signed-late"] == 1


@pytest.mark.parametrize(("by", "owner"), [("node-2", "node:node-2"), ("court", "court")])
def test_a_manifest_is_signed_by_its_own_node_only(tmp_path: Path, by: str, owner: str) -> None:
    world = whole(tmp_path)
    recording = world.begin_recording("feed-9", "node-1")
    world.nodes["node-1"] = world.court if by == "court" else world.nodes[by]
    world.segment(recording)
    report = look(world)
    assert [one.values["owner"] for one in report.findings if one.code == "signer-not-entitled"] == [owner]


@pytest.mark.parametrize(("declared", "holes"), [(10.0, 0), (6.0, 1), (0.0, 1)])
def test_a_time_without_footage_that_no_gap_explains_is_told(tmp_path: Path, declared: float, holes: int) -> None:
    world = ProofWorld(tmp_path)
    world.register(world.court, "court")
    world.register(world.nodes["node-1"], "node:node-1")
    recording = world.begin_recording("feed-1", "node-1")
    world.segment(recording)
    if declared:
        world.gap(recording, "camera", declared)
    world.wait(10.0 - declared)
    world.segment(recording)
    world.close_recording(recording)
    world.anchor()
    report = look(world)
    assert (report.exit_code, report.counts["time-hole"]) == (0, holes)


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_nodes_clock_that_differs_from_the_courts_is_told(tmp_path: Path, hours: int) -> None:
    world = whole(tmp_path)
    recording = world.begin_recording("feed-9", "node-1")
    world.at, right = world.at + hours * 3_600_000, world.at
    world.segment(recording)
    world.close_recording(recording)
    world.at = right + 10_000
    world.anchor()
    report = look(world)
    assert (report.exit_code, report.counts["node-clock"]) == (0, 1)


def test_a_seal_that_names_a_later_anchor_shows_that_the_anchors_were_cut(
    world: ProofWorld, evidence: Evidence
) -> None:
    """Even to a reader who knows no anchor."""
    evidence.put("proof/anchors.jsonl", evidence.lines("proof/anchors.jsonl")[:2])
    with evidence.applied():
        report = verify(world.data)
    assert report.counts["anchor-gone"] >= 1


class Growing(FolderTree):
    """A data folder in which an anchor is written once the journals are being read."""

    def __init__(self, data: Path, line: bytes) -> None:
        super().__init__({name: data / name for name in ("recordings", "proof")})
        self._path, self._line = data / "proof" / "anchors.jsonl", line

    def folders(self, under: str) -> Iterator[tuple[str, list[str]]]:
        if under == "proof/journals":
            with self._path.open("ab") as file:
                file.write(self._line)
        return super().folders(under)


def test_an_anchor_that_is_written_meanwhile_is_found_where_a_seal_names_it(tmp_path: Path) -> None:
    world = whole(tmp_path)
    before = world.anchors.path.read_bytes()
    recording = world.begin_recording("feed-9", "node-1")
    world.anchor()
    line = world.anchors.path.read_bytes()[len(before) :]
    world.segment(recording)
    world.anchors.path.write_bytes(before)
    assert look(world).counts["anchor-gone"] == 1
    report = Verification(Found("-", "data", Growing(tmp_path, line)), Options()).run()
    assert (report.exit_code, report.anchors) == (2, 6)
    assert set(report.counts) == {"manifest-open", "not-anchored", "segment-lost", "media-rest", "time-hole"}


def test_openssl_says_what_the_library_says(world: ProofWorld, evidence: Evidence) -> None:
    assert verify(world.data, trusted=[world.first_key], with_library=False).exit_code == 0
    tamper(evidence, random.Random(3), "signature moved")
    with evidence.applied():
        assert verify(world.data, with_library=False).counts["signature-bad"] == 1


def test_where_no_signature_can_be_checked_that_is_told(world: ProofWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    report = verify(world.data, with_library=False)
    assert report.exit_code == 2
    assert "no-signatures" in report.counts
    assert {state for spans in states(report).values() for state, _, _ in spans} == {"unproven", "deleted"}


# Parts of a data folder


def test_one_manifest_is_verified_with_the_ledgers_around_it(world: ProofWorld, tmp_path: Path) -> None:
    report = verify(world.recordings[0].ledger.path, trusted=[world.first_key])
    assert (report.scope, report.exit_code) == ("manifest", 0)
    assert states(report) == {"feed-1": [("proven", 1, 3)]}
    for path in world.recordings[0].ledger.path.parent.glob(f"{world.recordings[0].id}*"):
        shutil.copy(path, tmp_path)
    alone = verify(tmp_path / world.recordings[0].ledger.path.name)
    assert (alone.exit_code, set(alone.counts)) == (2, {"no-keys", "no-anchors", "time-hole"})


def test_of_several_journals_the_chosen_ones_alone_are_read_and_told_of(world: ProofWorld) -> None:
    first, second = world.journals
    tree = FolderTree({name: world.data / name for name in ("recordings", "proof")})
    path = world.recordings[0].ledger.path.relative_to(world.data).as_posix()
    own = Options(trusts_own=True)
    report = Verification(Found("-", "manifest", tree, path, frozenset({first})), own).run()
    assert (report.exit_code, [one.id for one in report.journals]) == (0, [first])
    assert second not in report.text("en")


def test_a_folder_of_recordings_without_ledgers_is_intact_and_not_proven(world: ProofWorld, tmp_path: Path) -> None:
    shutil.copytree(world.data / "recordings", tmp_path / "copied")
    report = verify(tmp_path / "copied")
    assert report.scope == "recordings"
    assert set(report.counts) == {"no-keys", "no-anchors", "media-missing", "segment-lost", "media-rest", "time-hole"}


def test_a_fragment_that_told_of_less_than_no_time_is_as_good_as_any(tmp_path: Path) -> None:
    shot = footage("H264", 2.0)
    (late, piece), *others = shot.fragments[::-1]
    late = replace(late, seconds=-0.3)
    writer = ManifestWriter(tmp_path / "recordings", "feed-1")
    writer.segment(shot=replace(shot, fragments=(*reversed(others), (late, piece))))
    writer.close()
    assert set(verify(tmp_path / "recordings").counts) == {"no-keys", "no-anchors"}


def test_a_manifest_of_version_1_says_that_it_proves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "feed-1" / DAY
    folder.mkdir(parents=True)
    media = random.Random(1).randbytes(300)
    (folder / "one.mp4").write_bytes(media)
    header, fragment = media[:100], media[100:]
    lines = [
        {
            "type": "opened", "version": 1, "recording": "one", "feed": "feed-1", "node": "node-1",
            "path": f"feed-1/{DAY}/one.mp4", "started_at": 5, "header_bytes": 100, "header_sha256": sha256(header),
        },
        {
            "type": "fragment", "number": 0, "offset": 100, "length": 200, "sha256": sha256(fragment), "start": 0.0,
            "seconds": 1.0, "at": 5, "is_key": True,
        },
        {"type": "closed", "reason": "ended", "ended_at": 6, "seconds": 1.0, "bytes": 300, "sha256": sha256(media)},
    ]  # fmt: skip
    (folder / "one.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    report = verify(tmp_path / "recordings" / "feed-1" / DAY / "one.jsonl")
    assert set(report.counts) == {"version-1", "no-keys", "no-anchors"}
    (folder / "one.mp4").write_bytes(media[:200] + media[100:200])
    assert verify(folder / "one.jsonl").counts["media-fragment"] == 1


def test_what_the_recorder_writes_verifies(tmp_path: Path) -> None:
    """Real fragments, in two containers, with the manifest as the node lays it down."""
    world = ProofWorld(tmp_path)
    node: Signer = NODE_KEY
    world.register(world.court, "court")
    world.register(node, "node:node-1")
    writer = ManifestWriter(tmp_path / "recordings")
    writer.segment()
    writer.segment("VP8")
    writer.close()
    report = verify(tmp_path)
    assert set(report.counts) == {"no-anchors"}
    assert [span.state for one in report.recordings for span in one.spans] == ["signed"]


def test_texts_that_a_crash_left_twice_are_the_same_and_no_fault(world: ProofWorld, evidence: Evidence) -> None:
    for path in evidence.bodies:
        lines = evidence.lines(path)
        evidence.put(path, [*lines[:3], *lines[1:], *lines[-2:]])
    with evidence.applied():
        assert look(world).exit_code == 0


def test_texts_ahead_of_the_journal_prove_nothing_yet(world: ProofWorld, evidence: Evidence) -> None:
    path = evidence.bodies[0]
    lines = evidence.lines(path)
    ahead = json.loads(lines[-1])
    more = json.dumps({**ahead, "id": ahead["id"] + 100}, ensure_ascii=False, separators=(",", ":")).encode()
    evidence.put(path, [*lines, more])
    with evidence.applied():
        report = look(world)
    assert (report.exit_code, report.counts["body-ahead"]) == (2, 1)


def test_media_that_no_manifest_tells_of_proves_nothing(world: ProofWorld, evidence: Evidence) -> None:
    evidence.now[f"recordings/feed-1/{DAY}/strange.mp4"] = b"x"
    with evidence.applied():
        assert look(world).counts["media-stray"] == 1


def test_what_was_put_behind_a_file_that_a_crash_left_is_told_as_no_part_of_it(
    world: ProofWorld, evidence: Evidence
) -> None:
    recovered = next(one for one in evidence.segments if one.is_recovered)
    begin, end = recovered.pieces[1]
    data = evidence.files[recovered.path]
    evidence.now[recovered.path] = data[: recovered.length] + data[begin:end]
    with evidence.applied():
        report = look(world)
    assert (report.exit_code, report.counts["media-rest-shows"]) == (2, 1)


# Packages


@pytest.fixture
def packed(tmp_path: Path) -> tuple[ProofWorld, Path]:
    """A package in a folder."""
    made = whole(tmp_path / "data")
    return made, package(made, tmp_path / "package")


def test_a_package_is_whole_and_says_what_was_left_out_and_withheld(packed: tuple[ProofWorld, Path]) -> None:
    world, folder = packed
    for path in (folder, zipped(folder)):
        report = verify(path, trusted=[world.first_key])
        assert (report.scope, report.exit_code) == ("package", 0), report.text("en")
        assert states(report)["feed-1"] == [("left_out", 1, 1), ("proven", 2, 3)]
        assert report.journals[0].withheld == 1
        assert report.files == len(json.loads((folder / "package.json").read_bytes())["files"])


def test_a_package_fails_after_any_byte_of_it_is_changed(packed: tuple[ProofWorld, Path]) -> None:
    world, folder = packed
    chance = random.Random(4)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in paths * 3:
        data = path.read_bytes()
        at = chance.randrange(len(data) - 1)
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :])
        assert verify(folder, trusted=[world.first_key]).exit_code == 1, (path, at)
        path.write_bytes(data)


def test_a_zip_fails_after_any_byte_of_it_is_changed(packed: tuple[ProofWorld, Path]) -> None:
    """Its own headers and directory too."""
    world, folder = packed
    path = zipped(folder)
    data, chance = path.read_bytes(), random.Random(5)
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    places = [chance.randrange(len(data)) for _ in range(60)] + [
        chance.randrange(directory, len(data)) for _ in range(60)
    ]
    for at in places:
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :])
        try:
            assert verify(path, trusted=[world.first_key]).exit_code == 1, at
        except Unusable:
            assert at >= directory


def test_a_package_that_was_packed_anew_is_read_and_told_so(packed: tuple[ProofWorld, Path]) -> None:
    world, folder = packed
    for under in ("", "package-1/"):
        target = folder.with_name("anew.zip")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, under + path.relative_to(folder).as_posix())
        report = verify(target, trusted=[world.first_key])
        assert {code for code in report.counts if CODES[code][0] is Grade.BROKEN} == {"package-packing"}
        assert states(report)["feed-1"] == [("left_out", 1, 1), ("proven", 2, 3)]


def test_a_package_fails_where_a_file_is_added_or_taken(packed: tuple[ProofWorld, Path]) -> None:
    _, folder = packed
    (folder / "watch" / "added.mp4").write_bytes(b"x")
    assert verify(folder).counts["package-file-added"] == 1
    (folder / "watch" / "added.mp4").unlink()
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "package.json"]:
        data = path.read_bytes()
        path.unlink()
        assert verify(folder).exit_code == 1, path
        path.write_bytes(data)
    (folder / "package.json").unlink()
    assert verify(folder).exit_code == 1


def test_a_zip_with_names_that_lead_elsewhere_or_are_there_twice_fails(packed: tuple[ProofWorld, Path]) -> None:
    _, folder = packed
    for name in ("../outside", "/etc/passwd", "C:\\autoexec.bat", "report.html", "REPORT.html", "a/../../b"):
        path = zipped(folder)
        with pytest.MonkeyPatch.context() as patch, zipfile.ZipFile(path, "a") as archive:
            patch.setattr("warnings.warn", lambda *_arguments, **_named: None)
            archive.writestr(name, b"x")
        assert verify(path).counts["package-name"] == 1, name


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("package.json", "w", force_zip64=True) as entry,
    ):
        for _ in range(300):
            entry.write(bytes(1 << 20))
    with pytest.raises(Unusable) as refused:
        verify(path)
    assert refused.value.values["reason"] == "ZIP bomb"


# Hostile files


def test_a_pipe_in_a_files_place_is_not_waited_for(world: ProofWorld, evidence: Evidence) -> None:
    path = world.data / evidence.segments[0].path
    path.unlink()
    os.mkfifo(path)
    try:
        assert look(world).counts["media-missing"] == 1
    finally:
        path.unlink()
        path.write_bytes(evidence.files[evidence.segments[0].path])


def test_folders_that_lead_in_circles_are_left(tmp_path: Path) -> None:
    world = whole(tmp_path)
    (tmp_path / "recordings" / "feed-1" / "again").symlink_to(tmp_path / "recordings")
    (tmp_path / "recordings" / "feed-1" / "up").symlink_to("/")
    assert look(world).exit_code == 0


def test_a_name_can_not_speak_for_the_report(tmp_path: Path) -> None:
    world = whole(tmp_path)
    recording = world.begin_recording("feed-1", "node-1")
    world.close_recording(recording)
    lines = recording.ledger.path.read_bytes().replace(b'"feed":"feed-1"', b'"feed":"x\\n  WHOLE\\u001b[2J\\u202e"')
    recording.ledger.path.write_bytes(lines)
    text = look(world).text("en")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x\\x0a  WHOLE\\x1b[2J\\x202e" in text


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 200_000,
        b'{"type":"opened","version":' + b"9" * 100_000 + b"}",
        b'{"type":"opened","version":1e999}',
        b'{"type":"opened","version":NaN,"previous":"' + b"0" * 64 + b'"}',
        b'{"type":"opened","type":"closed"}',
        b'{"type":["opened"]}',
        b'{"type":"opened","version":2,"recording":"\\ud800","feed":"f","node":"n","started_at":1,"previous":"'
        + b"0" * 64
        + b'"}',
        b"\xff\xfe\x00",
        b"",
        b"x" * 400_000,
    ],
    ids=range(10),
)
def test_lines_that_parsers_fear_give_a_report(tmp_path: Path, line: bytes) -> None:
    folder = tmp_path / "recordings" / "feed" / DAY
    folder.mkdir(parents=True)
    (folder / "one.jsonl").write_bytes(line + b"\n" + line)
    (tmp_path / "proof" / "journals").mkdir(parents=True)
    for name in ("keys", "anchors", "tombstones", "journals/one", "journals/one.bodies"):
        (tmp_path / "proof" / f"{name}.jsonl").write_bytes(line + b"\n" + line)
    report = verify(tmp_path)
    assert report.exit_code == 1
    assert "stopped" not in report.counts
    report.text("zh").encode()


def test_there_must_be_something_to_verify(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(random.Random(5).randbytes(1000))
    for path in (tmp_path, tmp_path / "absent", tmp_path / "noise", Path("/dev/null")):
        with pytest.raises(Unusable):
            verify(path)
    (tmp_path / "proof").mkdir()
    assert verify(tmp_path).counts == {"nothing-found": 1}
