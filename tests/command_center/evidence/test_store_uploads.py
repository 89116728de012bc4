"""Segments are brought to the storage through everything that can go wrong, and freed here only when it is proven."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from command_center.clock import now
from command_center.evidence import store_s3, store_uploads
from command_center.evidence.rebuild import rebuild
from command_center.evidence.store import NotStored, StoreAway, read_all
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_release import Release
from command_center.evidence.store_s3 import Bucket, Patience, S3Store
from command_center.evidence.store_tables import StoredManifest, StoredSegment, StoredState
from command_center.evidence.store_tiered import TieredStore
from command_center.evidence.store_uploads import Uploads
from command_center.evidence.store_whereabouts import Whereabouts, storage_troubles
from command_center.evidence.tables import Recording, RecordingGap, RecordingSegment
from streams.ledger import line_hash
from tests.command_center.evidence.conftest import World
from tests.support import killable_uploads
from tests.support.manifests import make_recording_of_version_1
from tests.support.s3 import KEY, BadLine, S3Server, bad_line

GRACE = timedelta(hours=24)
ROUNDS = 200


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test's size."""
    monkeypatch.setattr(store_s3, "FIRST_PAUSE_SECONDS", 0.01)


@dataclass
class Place:
    """The folder, the storage and the one that brings, at a time of the test's own."""

    world: World
    local: LocalStore
    remote: S3Store
    ahead: timedelta = field(default_factory=timedelta)

    def __post_init__(self) -> None:
        def clock():  # type: ignore[no-untyped-def]
            return now() + self.ahead

        database = self.world.database
        self.uploads = Uploads(database, self.local, self.remote, clock)
        self.release = Release(database, self.local, self.remote, GRACE, clock)
        self.tiered = TieredStore(self.local, self.remote, Whereabouts(database))

    async def bring(self) -> None:
        """Bring until nothing is due any more."""
        for _ in range(ROUNDS):
            if not await self.uploads.step():
                return
        raise AssertionError("it never ends")

    async def states(self) -> list[str]:
        async with self.world.database.read() as session:
            return list(await session.scalars(select(StoredSegment.state).order_by(StoredSegment.sealed_at)))

    async def errors(self) -> list[str | None]:
        async with self.world.database.read() as session:
            return list(await session.scalars(select(StoredSegment.error)))

    async def troubles(self) -> set[tuple[UUID, str, str]]:
        async with self.world.database.read() as session:
            return await storage_troubles(session)

    async def segments(self) -> list[RecordingSegment]:
        async with self.world.database.read() as session:
            return list(await session.scalars(select(RecordingSegment).order_by(RecordingSegment.started_at)))


@asynccontextmanager
async def place_at(world: World, bucket: Bucket) -> AsyncIterator[Place]:
    remote = S3Store(bucket, KEY, "recordings", Patience(silent_seconds=0.5))
    try:
        yield Place(world, LocalStore(world.root), remote)
    finally:
        await remote.close()


@pytest.fixture
async def line(s3: S3Server) -> AsyncIterator[BadLine]:
    """The line to the storage."""
    async with bad_line(s3) as line:
        yield line


@pytest.fixture
async def place(world: World, line: BadLine) -> AsyncIterator[Place]:
    """A folder with one recording of two segments, and the storage behind a line that can be made bad."""
    await world.record()
    async with place_at(world, line.bucket()) as place:
        yield place


async def test_sealed_segments_and_their_manifests_are_brought_proven_and_freed(
    each_world: World, s3: S3Server
) -> None:
    recording_id = await each_world.record()
    async with place_at(each_world, s3.bucket()) as place:
        await place.bring()
        assert await place.states() == [StoredState.BOTH, StoredState.BOTH]
        for segment in await place.segments():
            assert await read_all(place.remote, segment.path) == place.local.path(segment.path).read_bytes()
        async with each_world.database.read() as session:
            recording = await session.get_one(Recording, recording_id)
            stored = await session.get_one(StoredManifest, recording_id)
            rows = list(await session.scalars(select(StoredSegment)))
        assert stored.lines == recording.lines
        assert await read_all(place.remote, recording.manifest) == place.local.path(recording.manifest).read_bytes()
        assert all(row.verified_at and row.uploaded_at and row.freed_at is None and not row.error for row in rows)
        assert await place.release.step(is_space_low=True) == 2
        assert await place.troubles() == set()
        await place.tiered.remove((await place.segments())[0].path)
        await place.bring()
        assert sorted(await place.states()) == [StoredState.REMOTE, StoredState.REMOVED]


async def test_a_recording_of_the_first_version_is_brought_too(world: World, s3: S3Server) -> None:
    make_recording_of_version_1(world.root)
    await rebuild(world.database, LocalStore(world.root))
    async with place_at(world, s3.bucket()) as place:
        await place.bring()
        await place.release.step(is_space_low=True)
        assert await place.states() == [StoredState.REMOTE]


async def test_only_what_was_proven_is_freed_after_its_grace_and_played_from_the_storage(place: Place) -> None:
    assert await place.release.step(is_space_low=True) == 0
    await place.bring()
    assert await place.release.step(is_space_low=False) == 0
    before = {segment.path: place.local.path(segment.path).read_bytes() for segment in await place.segments()}
    place.ahead = GRACE + timedelta(seconds=1)
    assert await place.release.step(is_space_low=False) == 2
    assert await place.states() == [StoredState.REMOTE, StoredState.REMOTE]
    for path, content in before.items():
        assert not await place.local.exists(path)
        assert await place.tiered.size(path) == len(content)
        assert await read_all(place.tiered, path) == content
    assert await place.local.manifests() != [], "manifests stay"


async def test_where_space_is_low_the_oldest_are_freed_at_once(place: Place) -> None:
    await place.world.record(begins=100)
    await place.bring()
    assert await place.release.step(is_space_low=True) == 4
    assert await place.states() == [StoredState.REMOTE] * 4


async def test_what_the_storage_was_given_wrongly_is_found_told_and_brought_again(place: Place, line: BadLine) -> None:
    line.corrupts_uploads = True
    line.matches = lambda _method, path: path.endswith("-0001.mp4")
    await place.bring()
    assert sorted(await place.states()) == [StoredState.BOTH, StoredState.FAILED]
    assert "checksum-mismatch" in await place.errors()
    assert await place.troubles() == {(place.world.operation, "checksum-mismatch", "feed-1")}
    place.ahead = timedelta(days=30)
    line.matches = lambda method, path: False
    # However long ago, and however little room there is: what isn't proven isn't freed.
    assert await place.release.step(is_space_low=True) == 1
    assert await place.local.exists((await place.segments())[0].path)
    await place.bring()
    assert StoredState.FAILED not in await place.states()
    assert await place.troubles() == set()
    assert await place.errors() == [None, None]
    segment = (await place.segments())[0]
    assert await read_all(place.remote, segment.path) == place.local.path(segment.path).read_bytes()


async def test_what_is_read_back_wrongly_is_not_proven(place: Place, line: BadLine) -> None:
    line.corrupts_downloads = True
    await place.bring()
    assert await place.states() == [StoredState.FAILED] * 2
    place.ahead = timedelta(days=30)
    assert await place.release.step(is_space_low=True) == 0


async def test_the_folders_own_is_never_brought_where_it_was_altered(place: Place) -> None:
    segment = (await place.segments())[0]
    path = place.local.path(segment.path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    await place.bring()
    assert "local-altered" in await place.errors()
    assert not await place.remote.exists(segment.path)


async def test_what_the_storage_loses_before_it_is_freed_is_not_freed_and_brought_again(
    place: Place, s3: S3Server
) -> None:
    await place.bring()
    s3.empty()
    place.ahead = GRACE * 2
    assert await place.release.step(is_space_low=False) == 0
    assert await place.states() == [StoredState.FAILED] * 2
    assert await place.errors() == ["remote-lost"] * 2
    await place.bring()
    assert await place.states() == [StoredState.BOTH] * 2


async def test_what_the_storage_replaced_before_it_is_freed_is_not_freed(place: Place) -> None:
    await place.bring()
    segment = (await place.segments())[0]

    async def other():  # type: ignore[no-untyped-def]
        yield bytes(segment.bytes)

    await place.remote.put(
        segment.path, segment.bytes, store_s3.hashlib.sha256(bytes(segment.bytes)).hexdigest(), other
    )
    assert await place.release.step(is_space_low=True) == 1
    assert await place.local.exists(segment.path)


async def test_uploads_go_on_by_themselves_after_every_kind_of_outage(
    place: Place, line: BadLine, s3: S3Server
) -> None:
    """Refused connections, 5xx, silence, cut answers, a storage that ends in the middle of an upload."""
    random_ = random.Random(4)
    for number, trouble in enumerate(("refused", "busy", "silent", "cut", "killed")):
        await place.world.record(begins=10.0 + 10 * number)
        if trouble == "refused":
            await line.close()
        elif trouble == "killed":
            # In the middle of an upload the process ends; what it had is lost with it.
            line.matches = lambda method, _path: bool(method == "PUT" and s3.is_running and s3.kill())
        else:
            line.answers = 503 if trouble == "busy" else 0
            line.stalls, line.truncates = trouble == "silent", trouble == "cut"
            share = random_.choice([3, 4])
            line.matches = lambda _method, _path, share=share: len(line.seen) % share != 0  # type: ignore[misc]
        await place.uploads.step()
        if trouble in {"refused", "killed"}:
            assert place.uploads.trouble is not None
        if trouble == "refused":
            await line.open()
        elif trouble == "killed":
            s3.start()
        line.answers, line.stalls, line.truncates = 0, False, False
        line.matches = lambda _method, _path: True
        place.ahead += timedelta(minutes=1)
        if trouble != "cut":  # so that something is there to be brought while the process ends
            await place.bring()
    place.ahead += GRACE * 2
    for _ in range(4):  # what the process that ended had is lost, and found to be when it is to be freed
        await place.release.step(is_space_low=False)
        await place.bring()
        place.ahead += GRACE * 2
    assert place.uploads.trouble is None
    segments = await place.segments()
    assert len(segments) == 12
    assert await place.states() == [StoredState.REMOTE] * 12
    for segment in segments:
        digest, _ = await place.remote.digest(segment.path)
        assert digest == segment.sha256
        assert not await place.local.exists(segment.path)


async def test_what_a_crash_left_under_way_is_brought(place: Place) -> None:
    await place.bring()
    async with place.world.database.write() as session:
        for row in await session.scalars(select(StoredSegment)):
            row.state, row.verified_at, row.etag = StoredState.UPLOADING.value, None, None
    assert await place.uploads.step() == 2, "even what no beginning took up"
    async with place.world.database.write() as session:
        for row in await session.scalars(select(StoredSegment)):
            row.state, row.next_try_at = StoredState.UPLOADING.value, now() + timedelta(days=1)
    await place.uploads.begin()
    await place.bring()
    assert await place.states() == [StoredState.BOTH] * 2


async def test_killed_at_any_moment_it_loses_nothing(world: World, line: BadLine, tmp_path: Path) -> None:
    for number in range(3):
        await world.record(begins=10.0 * number)
    await killable_uploads.run(tmp_path, world.database, line, kills=2)


async def test_a_database_that_was_lost_finds_what_was_brought_and_freed(place: Place) -> None:
    await place.bring()
    await place.release.step(is_space_low=True)
    async with place.world.database.write() as session:
        for row in await session.scalars(select(StoredSegment)):
            await session.delete(row)
    await place.bring()
    assert await place.states() == [StoredState.REMOTE] * 2


async def test_a_segment_that_is_nowhere_is_told(place: Place) -> None:
    for segment in await place.segments():
        await place.local.remove(segment.path)
    await place.bring()
    assert await place.states() == [StoredState.FAILED] * 2
    assert await place.errors() == ["segment-missing"] * 2
    with pytest.raises(NotStored):
        await place.tiered.size((await place.segments())[0].path)


async def test_a_manifest_that_lost_lines_does_not_replace_the_longer_one(place: Place) -> None:
    await place.bring()
    async with place.world.database.write() as session:
        recording = (await session.scalars(select(Recording))).one()
        row = await session.get_one(StoredManifest, recording.id)
        row.lines = 1
        recording.lines -= 1
        kept = place.local.path(recording.manifest).read_bytes().splitlines()[: recording.lines]
        recording.head = line_hash(kept[-1])
    await place.bring()
    async with place.world.database.read() as session:
        assert (await session.get_one(StoredManifest, recording.id)).error == "manifest-shorter"
    assert await read_all(place.remote, recording.manifest) == place.local.path(recording.manifest).read_bytes()


async def test_a_manifest_that_was_rewritten_does_not_replace_the_good_one(place: Place) -> None:
    await place.bring()
    async with place.world.database.write() as session:
        recording = (await session.scalars(select(Recording))).one()
        (await session.get_one(StoredManifest, recording.id)).lines = 1
    path = place.local.path(recording.manifest)
    good = path.read_bytes()
    path.write_bytes(good.replace(b'"is_key":true', b'"is_key":tru3', 1))
    await place.bring()
    assert {code for _, code, _ in await place.troubles()} == {"manifest-altered"}
    assert await read_all(place.remote, recording.manifest) == good
    path.write_bytes(good)
    place.ahead += timedelta(minutes=20)
    await place.bring()
    assert await place.troubles() == set()


async def test_a_manifest_that_is_not_what_the_node_told_of_is_not_brought(place: Place) -> None:
    async with place.world.database.write() as session:
        recording = (await session.scalars(select(Recording))).one()
        recording.head = "ab" * 32
    await place.bring()
    assert {code for _, code, _ in await place.troubles()} == {"manifest-altered"}
    assert not await place.remote.exists(recording.manifest)


async def test_what_was_deleted_on_purpose_is_in_neither_place_and_is_brought_no_more(place: Place) -> None:
    await place.bring()
    first, second = await place.segments()
    await place.tiered.remove(first.path)
    assert sorted(await place.states()) == [StoredState.BOTH, StoredState.REMOVED]
    # As if it had still been under way, and came there after it was removed.
    content = place.local.path(second.path).read_bytes()

    async def late():  # type: ignore[no-untyped-def]
        yield content

    await place.remote.put(first.path, len(content), second.sha256 or "", late)
    await place.bring()
    assert not await place.remote.exists(first.path)
    assert not await place.local.exists(first.path)


async def test_while_the_storage_is_away_nothing_is_deleted_and_reading_says_so(place: Place, line: BadLine) -> None:
    await place.bring()
    await place.release.step(is_space_low=True)
    await line.close()
    path = (await place.segments())[0].path
    assert await place.tiered.size(path) > 0
    for call in (anext(place.tiered.open_range(path, 0, 9)), place.tiered.remove(path)):
        with pytest.raises(StoreAway):
            await call
    await place.uploads.probe()
    assert place.uploads.trouble == "store-away"


async def test_the_index_is_made_anew_from_the_storage_alone(place: Place, tmp_path: Path) -> None:
    await place.world.record(codec="VP8", begins=50)
    await place.bring()
    before = await _index_of(place.world)
    assert before
    (tmp_path / "empty").mkdir()
    other = TieredStore(LocalStore(tmp_path / "empty"), place.remote, Whereabouts(place.world.database))
    async with place.world.database.write() as session:
        for table in (RecordingGap, RecordingSegment, Recording):
            for row in await session.scalars(select(table)):
                await session.delete(row)
            await session.flush()
    assert (await rebuild(place.world.database, other)).manifests == 2
    assert await _index_of(place.world) == before


async def _index_of(world: World) -> list[tuple[object, ...]]:
    async with world.database.read() as session:
        rows: list[tuple[object, ...]] = []
        for table in (Recording, RecordingSegment, RecordingGap):
            columns = list(table.__table__.columns)
            rows += [tuple(row) for row in await session.execute(select(*columns).order_by(*columns[:2]))]
    assert any(isinstance(cell, UUID) for row in rows for cell in row)
    return rows


def test_pauses_grow_and_have_an_end() -> None:
    pauses = [store_uploads.pause(attempts, store_uploads.LONGEST_PAUSE_AWAY) for attempts in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=2)
    assert pauses[-1] == timedelta(seconds=30)
