"""Recordings of every kind go into packages: those under way, voices, those of the first version, lost ones."""

from __future__ import annotations

import asyncio
import json
import zipfile
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import av
from sqlalchemy import select

from command_center.accounts.tables import MediaToken, User
from command_center.clock import SHANGHAI
from command_center.database import new_id
from command_center.evidence.custody_tables import Deletion
from command_center.evidence.exports.masks import person
from command_center.evidence.index import index_events
from command_center.evidence.rebuild import compare
from command_center.evidence.store_local import LocalStore
from command_center.evidence.tables import Recording
from command_center.evidence.tombstones import FILE, Tombstone, Tombstones
from command_center.evidence.verifier import Report, verify
from command_center.journal import Journal
from streams.ledger import head_of
from streams.voice_protocol import grant_name, talk_line, talk_name
from tests.command_center.evidence.conftest import START
from tests.command_center.evidence.exports.conftest import Case
from tests.support.manifests import START_MS, make_recording, make_recording_of_version_1
from tests.support.proof import lay_anchor


async def packed(case: Case, *feeds: str, seconds: float = 8.0, begins: float = -1.0) -> tuple[Path, Report]:
    """A package of these feeds, and what the verifier says of it to whoever names no key."""
    path = await asyncio.to_thread(case.build, case.wanted(seconds, begins=begins, feeds=feeds), "-".join(feeds))
    return path, await asyncio.to_thread(verify, path)


async def test_one_under_way_goes_in_as_far_as_it_is(case: Case) -> None:
    made = make_recording(case.world.root, "feed-2", seconds=(2.0, 2.0), begins=10.0, reason=None)
    await index_events(case.world.database, made.events)
    path, report = await packed(case, "feed-2", begins=9.0, seconds=6.0)
    assert report.exit_code == 2, report.text("en")
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if made.manifest.stem in name]
        assert len(inside) == 3
    with made.segments[-1].open("ab") as file:
        file.write(b"the beginning of a fragment that isn't told of yet")
    again = await asyncio.to_thread(case.build, case.wanted(6.0, begins=9.0, feeds=("feed-2",)), "again")
    assert again.read_bytes() == path.read_bytes()


async def test_the_centres_voice_can_be_taken_out_too(case: Case) -> None:
    world = case.world
    line = talk_line(world.operation, "nonce")
    async with world.database.write() as session:
        session.add(
            MediaToken(
                id=uuid4(), user_id=world.city.user_id, feed=grant_name(line), may_publish=True,
                issued_at=datetime.now(UTC), expires_at=datetime.now(UTC),
            )
        )  # fmt: skip
    made = make_recording(world.root, talk_name(line, "node-1"), seconds=(2.0,), begins=1.0, talk=uuid4())
    await index_events(world.database, made.events)
    lay_anchor(case.data, case.signer(), world.operation, [*case.manifests, made.manifest], START_MS + 120_000)
    path, report = await packed(case, "voice", seconds=5.0)
    assert report.exit_code == 4, report.text("en")
    with zipfile.ZipFile(path) as archive:
        plan = json.loads((path.parent / "plan.json").read_bytes())
        assert [span["kind"] for span in plan["cameras"][0]["spans"]] == ["none", "covered", "none"]
        archive.extract("watch/01-voice.mp4", case.data)
    with av.open(str(case.data / "watch" / "01-voice.mp4")) as film:
        assert film.duration == 5_000_000


async def test_one_of_the_first_version_goes_in_and_is_told_to_prove_nothing(case: Case) -> None:
    make_recording_of_version_1(case.world.root, "feed-2", begins=20.0)
    await compare(case.world.database, LocalStore(case.world.root), Journal())
    async with case.world.database.read() as session:
        assert await session.scalar(select(Recording).where(Recording.version == 1)) is not None
    path, report = await packed(case, "feed-2", begins=19.0, seconds=4.0)
    assert report.exit_code == 2, report.text("en")
    with zipfile.ZipFile(path) as archive:
        assert sum(name.startswith("recordings/") for name in archive.namelist()) == 2


async def test_a_lost_segment_is_told_of_and_the_rest_goes_in(case: Case) -> None:
    next(case.world.root.glob("feed-2/*/*-0002.webm")).unlink()
    path, report = await packed(case, "feed-2")
    assert (report.exit_code, report.only_lacks) == (1, True), report.text("en")
    assert report.counts["media-missing-told"] == 1
    assert [(span.state, span.first) for span in report.recordings[0].spans] == [("proven", 1), ("missing", 2)]
    assert "结论: 有缺失。" in report.text("zh")
    assert "INCOMPLETE" in report.text("en")
    with zipfile.ZipFile(path) as archive:
        html = archive.read("report.html").decode()
        archive.extractall(case.data / "unpacked")
    assert "<td>1</td><td>—</td><td>2</td>" in html
    # What is taken out of the package itself is no such thing.
    next((case.data / "unpacked").glob("recordings/feed-2/*/*-0001.webm")).unlink()
    removed = await asyncio.to_thread(verify, case.data / "unpacked")
    assert (removed.counts["media-missing"], removed.only_lacks) == (1, False)
    assert "BROKEN" in removed.text("en")


async def test_a_span_in_which_nothing_was_recorded_is_a_dark_film(case: Case) -> None:
    path, report = await packed(case, "feed-1", begins=100.0, seconds=2.0)
    assert report.exit_code == 4, report.text("en")
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.startswith("recordings/")]
        assert "watch/01-site-1.mp4" in archive.namelist()


async def test_what_two_people_deleted_is_told_from_what_is_missing(case: Case) -> None:
    paths = sorted(case.world.root.glob("feed-2/*/*-000?.webm"))
    manifest = case.manifests[2]
    async with case.world.database.write() as session:
        people = [
            User(
                id=new_id(), court_id=case.world.city.court_id, username=name, display_name=name, role="supervisor",
                password_hash="none", created_at=START,
            )
            for name in ("钱一明", "孙二亮")
        ]  # fmt: skip
        session.add_all(people)
        await session.flush()
        deletion = Deletion(
            recording_id=UUID(manifest.stem), operation_id=case.world.operation, retention_class="B", state="done",
            listed_at=START, proposed_by=people[0].id, approved_by=people[1].id,
        )  # fmt: skip
        session.add(deletion)
    stone = Tombstone(
        UUID(manifest.stem), case.world.operation, "feed-2", (1,), head_of(manifest), "B", "期满",
        people[0].id, START, people[1].id,
    )  # fmt: skip
    tombstones = Tombstones(case.data / FILE, lambda: nullcontext(case.signer()), lambda: START + timedelta(days=400))
    told = await asyncio.to_thread(tombstones.set_up, stone)
    for path in paths:
        path.unlink()
    package, report = await packed(case, "feed-2")
    assert [(span.state, span.first) for span in report.recordings[0].spans] == [("deleted", 1), ("missing", 2)]
    assert report.counts["media-missing-told"] == 1
    with zipfile.ZipFile(package) as archive:
        listed = json.loads(archive.read("package.json"))
        html = archive.read("report.html").decode()
    assert listed["missing"] == {manifest.stem: [2]}
    assert listed["deleted"] == {manifest.stem: {"segments": [1], "tombstone": told}}
    deleted_at = (START + timedelta(days=400)).astimezone(SHANGHAI)
    assert f"已依法销毁：{deleted_at:%Y-%m-%d %H:%M:%S}.000，提请：{person('钱一明')}，批准：{person('孙二亮')}" in html
    assert "<td>文件缺失，没有任何说明</td>" in html
    assert f"<td>2</td><td>1<br><code>{told}</code></td>" in html
    spans = json.loads((package.parent / "plan.json").read_bytes())["cameras"][0]["spans"]
    assert {span["kind"] for span in spans} >= {"deleted", "missing"}
    assert "covered" not in {span["kind"] for span in spans}
