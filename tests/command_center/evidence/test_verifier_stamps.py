"""Time stamps of an authority outside the court, by real tokens: whole, of something else, forged, by a stranger."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from command_center.evidence.timestamps import TimeStampAuthority
from command_center.evidence.verifier import (
    Anchors,
    Check,
    FolderTree,
    KeyRing,
    Malformed,
    Options,
    Report,
    read_token,
    verify,
)
from streams.ledger import line_hash
from tests.support.proof_world import ProofWorld, list_files, package, whole
from tests.support.tampering import Evidence
from tests.support.time_stamps import Authority, is_installed

pytestmark = pytest.mark.skipif(not is_installed(), reason="no openssl program")
ANCHORS = "proof/anchors.jsonl"
DAMAGED = 300


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """An authority of this module's own."""
    authority = Authority(tmp_path_factory.mktemp("authority") / "tsa")
    authority.start()
    yield authority
    authority.stop()


@pytest.fixture
async def stamped(authority: Authority, tmp_path: Path) -> tuple[ProofWorld, bytes]:
    """A whole set whose last anchor was stamped, and another anchored behind it."""
    world = whole(tmp_path / "data")
    line = world.anchor_lines[-1]
    token = await TimeStampAuthority(authority.url, authority.root).stamp(line)
    put(world, token, line)
    world.anchor()
    return world, token


def put(world: ProofWorld, token: bytes, line: bytes) -> None:
    """Add a time stamp of the newest anchor."""
    of, text = len(world.anchor_lines), base64.b64encode(token).decode()
    world.anchors.add("timestamp", of=of, hash=line_hash(line), token=text, authority="http://tsa/")


def look(world: ProofWorld, **asked: Path) -> Report:
    """Verify the set."""
    return verify(world.data, trusted=[world.first_key], anchor=world.newest_anchor, **asked)


async def test_a_stamp_is_checked_as_far_as_it_can_be(stamped: tuple[ProofWorld, bytes], authority: Authority) -> None:
    world, token = stamped
    assert read_token(token).digest.hex() == line_hash(world.anchor_lines[-2])
    alone, with_root = look(world), look(world, authority=authority.root)
    assert (alone.exit_code, alone.stamps) == (0, {"signed": 1})
    assert (with_root.exit_code, with_root.stamps) == (0, {"trusted": 1})
    span = with_root.recordings[0].spans[0]
    assert span.stamped == with_root.first_stamp_at == read_token(token).at
    assert "http://tsa/" not in alone.text("en")


async def test_without_openssl_its_signature_is_told_as_unchecked(
    stamped: tuple[ProofWorld, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    report = look(stamped[0])
    assert (report.exit_code, report.stamps) == (0, {"unchecked": 1})


async def test_a_stamp_by_a_stranger_is_no_stamp_by_the_authority(
    stamped: tuple[ProofWorld, bytes], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    stranger.start()
    stranger.stop()  # its root is all that is wanted of it
    report = look(stamped[0], authority=stranger.root)
    assert report.counts["timestamp-forged"] == 1


async def test_a_stamp_of_something_else_is_found(authority: Authority, tmp_path: Path) -> None:
    world = whole(tmp_path)
    token = await TimeStampAuthority(authority.url).stamp(b"something else")
    put(world, token, world.anchor_lines[-1])
    assert look(world).counts["timestamp-wrong"] == 1


async def test_a_stamp_whose_signature_is_false_is_found(authority: Authority, tmp_path: Path) -> None:
    world = whole(tmp_path)
    line = world.anchor_lines[-1]
    token = bytearray(await TimeStampAuthority(authority.url).stamp(line))
    token[-1] ^= 1  # the signature stands last
    put(world, bytes(token), line)
    assert look(world).counts["timestamp-forged"] == 1
    assert look(world, authority=authority.root).counts["timestamp-forged"] == 1


async def test_a_stamp_as_the_last_line_leaves_nothing_unproven(authority: Authority, tmp_path: Path) -> None:
    world = whole(tmp_path)
    line = world.anchor_lines[-1]
    put(world, await TimeStampAuthority(authority.url).stamp(line), line)
    assert look(world, authority=authority.root).exit_code == 0
    evidence = Evidence.of(world)
    lines = evidence.lines(ANCHORS)
    fields = json.loads(lines[-1])
    for name, value in (("hash", "0" * 64), ("of", 1), ("token", fields["token"][:-1])):
        evidence.put(ANCHORS, [*lines[:-1], json.dumps({**fields, name: value}, separators=(",", ":")).encode()])
        with evidence.applied():
            assert look(world, authority=authority.root).exit_code == 1, name


async def test_a_token_of_any_bytes_is_read_or_refused(stamped: tuple[ProofWorld, bytes]) -> None:
    _, token = stamped
    chance = random.Random(8)
    for _ in range(DAMAGED):
        data = bytearray(token)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(min(len(data), 400))
            data[at] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data))]) if chance.random() < 0.3 else bytes(data)
        try:
            read_token(cut)
        except Malformed:
            continue


async def stamp_newest(world: ProofWorld, authority: Authority, *, is_forged: bool = False) -> int:
    """Have the newest anchor stamped; gives the stamp's time."""
    line = world.anchor_lines[-1]
    token = bytearray(await TimeStampAuthority(authority.url).stamp(line))
    token[-1] ^= is_forged
    put(world, bytes(token), line)
    return read_token(bytes(token)).at


async def stamp_minutes(world: ProofWorld, authority: Authority, count: int) -> list[int]:
    """Minutes in which the second operation's journal moves, each stamped; gives the stamps' times."""
    times = []
    for _ in range(count):
        world.note(list(world.journals)[1], "instruction", {"text": "-"})
        world.anchor()
        times.append(await stamp_newest(world, authority))
    return times


async def test_signatures_are_checked_of_those_stamps_on_which_something_rests(
    authority: Authority, tmp_path: Path
) -> None:
    world = whole(tmp_path / "data")
    first = await stamp_newest(world, authority)
    await stamp_minutes(world, authority, 5)
    report = look(world)
    assert (report.exit_code, report.stamps) == (0, {"signed": 2, "unneeded": 4})
    assert report.recordings[0].spans[0].stamped == first
    assert "4 are of the anchors that they name" in report.text("en")
    assert "其中 4 个与所指锚点相符" in report.text("zh")


async def test_a_forged_stamp_is_found_where_a_recording_rests_on_it(authority: Authority, tmp_path: Path) -> None:
    world = whole(tmp_path / "data")
    await stamp_newest(world, authority)
    recording = world.begin_recording("feed-9", "node-1")
    world.segment(recording)
    world.close_recording(recording)
    world.anchor()
    await stamp_newest(world, authority, is_forged=True)
    await stamp_minutes(world, authority, 2)
    report = look(world)
    assert (report.exit_code, report.counts["timestamp-forged"]) == (1, 1)


async def test_the_first_stamp_that_covers_an_anchor_is_found_whatever_their_order(
    authority: Authority, tmp_path: Path
) -> None:
    world = whole(tmp_path / "data")
    await stamp_minutes(world, authority, 3)
    world.anchor()
    tree = FolderTree({name: world.data / name for name in ("recordings", "proof")})
    check = Check(tree, Report("-", "data"), Options())
    KeyRing(check).read()
    anchors = Anchors(check)
    anchors.read()
    chance = random.Random(3)
    anchors._stamps = [replace(one, at=chance.randrange(9)) for one in anchors._stamps for _ in range(3)]
    chance.shuffle(anchors._stamps)
    for sequence in range(anchors.last + 2):
        covering = [one.at for one in anchors._stamps if one.of >= sequence]
        is_here = 0 < sequence <= anchors.last
        assert anchors.stamped(sequence) == (min(covering, default=None) if is_here else None)


async def test_an_excerpt_holds_all_up_to_the_stamp_that_covers_it_and_no_stamp_reaches_over_what_is_left_out(
    authority: Authority, tmp_path: Path
) -> None:
    world = whole(tmp_path / "data")
    second = list(world.journals)[1]
    for _ in range(3):
        world.note(second, "instruction", {"text": "-"})
        world.anchor()
    first = await stamp_newest(world, authority)
    await stamp_minutes(world, authority, 3)
    folder = package(world, tmp_path / "package", is_excerpt=True)
    report = verify(folder, trusted=[world.first_key])
    assert (report.exit_code, report.recordings[0].spans[-1].stamped) == (0, first), report.text("en")
    path, fields = folder / ANCHORS, json.loads((folder / "package.json").read_bytes())
    lines = path.read_bytes().splitlines(keepends=True)
    assert [len(lines), [gap[:2] for gap in fields["excerpts"][ANCHORS]]] == [11, [[10, 4]]]
    path.write_bytes(b"".join(lines[:6] + lines[7:]))
    fields["excerpts"][ANCHORS].append([7, 1, line_hash(lines[6][:-1])])
    list_files(folder, fields, world.court)
    report = verify(folder, trusted=[world.first_key])
    assert (report.exit_code, report.recordings[0].spans[-1].stamped) == (0, None), report.text("en")
